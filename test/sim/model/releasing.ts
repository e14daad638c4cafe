import { withoutProof } from '../../../src/domain/fence.ts';
import type { EpochMs } from '../../../src/domain/ids.ts';
import { facts, holds, isOff, policy, readVolume, type Step } from './moment.ts';
import {
  incidentIdOf,
  instanceOf,
  launchTimeOf,
  oldInstance,
  volumeId,
  volumeOf,
} from './state.ts';

export const loadRelease: Step = ({ state: { incident, owner }, me, rules }) => {
  if (owner.incidentId !== incidentIdOf(me.incident)) return 'load the hand-off';
  if (owner.state === 'released' || owner.state === 'owned') return 'load the hand-off';
  if (incident.fence === undefined) return 'over';
  me.fence = incident.fence;
  if (incident.fence.proof === undefined && rules.needsProof) return 'load the fence';
  return 'look at the volume';
};

export const lookAtVolume: Step = (moment) => {
  const { state, me, now, rules } = moment;
  const proof = me.fence?.proof;
  me.truly.down = isOff(state);
  const instance = instanceOf(state.machine);
  const next = rules.nextReleaseStep({
    now,
    volume: readVolume(moment),
    instance,
    instanceId: oldInstance,
    provenLaunchTime: proof?.[0].launchTime ?? instance.launchTime,
    provenAt: proof?.[1].at ?? now,
    detaches: state.detaches,
    policy,
  });
  switch (next.kind) {
    case 'detach':
      if (proof === undefined) state.broken = 'S3: a detach without a proof';
      else if (proof[0].launchTime !== instance.launchTime) {
        state.broken = 'S10: a detach from an incarnation that was never proven down';
      }
      return 'intend the detach';
    case 'free':
      return 'look at the free volume';
    case 'look':
      return 'look at the volume';
    case 'proof-void':
      return 'void the proof';
    case 'held':
    case 'lost':
      return 'load the hand-off';
  }
};

export const intendDetach: Step = ({ state, me, now }) => {
  me.detach = state.detaches.length;
  state.detaches.push({
    call: 'DetachVolume',
    target: volumeId,
    parameters: { force: false },
    seq: 0,
    token: me.token,
    actor: 'ReleaseVolume',
    intendedAt: now,
  });
  return 'detach';
};

export const detach: Step = ({ state, me, rules }) => {
  const { volume } = state;
  if (volume === 'new' && !rules.namesInstance) {
    state.broken = 'S1: a volume was taken away from its new owner';
  }
  const held = volume === 'old' || volume === 'detaching';
  if (held && !me.truly.down) state.broken = 'S3: a detach from an instance that was not seen down';
  if (held) state.volume = 'detaching';
  me.answer = held ? 'accepted' : 'refused';
  return 'conclude the detach';
};

/** No decision asks when a call was answered, so all answers look alike. */
const never = 0 as EpochMs;

export const concludeDetach: Step = ({ state, me }) => {
  const record = state.detaches[me.detach ?? 0];
  if (record === undefined || me.answer === undefined) throw new RangeError('no detach');
  const outcome =
    me.answer === 'accepted'
      ? ({ kind: 'accepted', at: never } as const)
      : ({ kind: 'refused', at: never, error: 'not attached there' } as const);
  state.detaches[me.detach ?? 0] = { ...record, outcome };
  return 'look at the volume';
};

export const recordRelease: Step = ({ state, me }) => {
  const { owner, incident, volume, machine } = state;
  const ours = owner.incidentId === incidentIdOf(me.incident) && owner.state === 'claimed';
  if (!ours || (owner.token ?? 0) > me.token) return 'load the hand-off';
  if (incident.n === me.incident && me.fence?.proof === undefined) {
    state.broken = 'S2: released without a proof';
  }
  if ((volume === 'old' || volume === 'detaching') && machine.power !== 'stopped') {
    state.broken = 'S1: released while the old instance can write to it';
  }
  const { owner: _gone, ...rest } = owner;
  state.owner = { ...rest, state: 'released' };
  return 'load the hand-off';
};

export const voidProof: Step = ({ state, me }) => {
  if (me.fence === undefined) throw new RangeError('no proof to void');
  state.incident.fence = withoutProof(me.fence, launchTimeOf(state.machine.launch));
  return 'load the fence';
};

export const loadHandOff: Step = ({ state, me, now, rules }) => {
  const { incident, owner } = state;
  if (incident.fence === undefined) return 'over';
  me.fence = incident.fence;
  const view = {
    now,
    facts,
    fence: incident.fence,
    records: [owner],
    unreleasedVolumes: [volumeOf(state)],
    policy,
  };
  return rules.readyToHandOff(view, oldInstance).kind === 'ready' ? 'intend the hand-off' : 'over';
};

export const markGone: Step = ({ state }) => {
  const { owner, volume } = state;
  // What the new instance has already, the fenced one cannot write to: nothing is left to release.
  if (owner.state !== 'released' && owner.state !== 'owned' && volume !== 'new') {
    state.broken = 'S13: Mesos was told before the volume was released';
  }
  state.gone = true;
  return 'verify';
};

export const verify: Step = (moment) => {
  const { state, me } = moment;
  if (state.volume !== 'new' || !state.gone) return 'verify';
  if (!holds(moment) || state.owner.incidentId !== incidentIdOf(me.incident)) return 'over';
  state.owner = { ...state.owner, state: 'owned', owner: oldInstance };
  state.mark = Math.max(state.mark, state.owner.epoch + 1);
  state.incident.status = 'recovered';
  return 'over';
};
