import { isCommitted, withoutProof } from '../../../src/domain/fence.ts';
import type { EpochMs } from '../../../src/domain/ids.ts';
import type { Facts, Fence, ProofRead } from '../../../src/domain/incident.ts';
import type { Instance, Volume } from '../../../src/domain/machine.ts';
import type { Policy } from '../../../src/domain/policy.ts';
import type { Rules } from './rules.ts';
import {
  type Execution,
  incidentIdOf,
  instanceOf,
  launchTimeOf,
  oldInstance,
  type Place,
  type State,
  volumeId,
  volumeOf,
} from './state.ts';

/** What one step of an execution may read and change. */
export interface Moment {
  readonly state: State;
  readonly me: Execution;
  readonly index: number;
  readonly now: EpochMs;
  readonly rules: Rules;
  /** EC2 answers this read from a world that is not (yet, or any more) the true one. */
  readonly stale: boolean;
}

/** One step: changes the state, answers where the execution stands after it. */
type Step = (moment: Moment) => Place;

const policy: Policy = {
  impairedGraceMs: 0,
  fenceTerminate: 'never',
  weakFence: 'hold',
  weakFenceSettleMs: 0,
  forceDetach: 'after-proof',
  partialDeadlineMs: 60_000,
  rexrayPreempt: 'off',
};

const facts: Facts = {
  at: 0 as EpochMs,
  launchTime: launchTimeOf(1),
  state: 'running',
  availabilityZone: 'a',
  agentIds: [],
  volumes: [
    {
      volumeId,
      name: 'mysql',
      device: '/dev/xvdf',
      availabilityZone: 'a',
      deleteOnTermination: false,
      appIds: ['/mysql'],
    },
  ],
  leftAlone: [],
  apps: [],
  tasks: [],
};

/** What a conditional write of the ledger asks for: this incident, open, under this token. */
export const holds = ({ state: { incident }, me, rules }: Moment): boolean =>
  incident.n === me.incident &&
  incident.status === 'open' &&
  (incident.token === me.token || !rules.checksToken);

/** Steps that begin with a write under the token: a lost race ends the execution. */
const under =
  (step: Step): Step =>
  (moment) =>
    holds(moment) ? step(moment) : 'over';

/** A call is on its way: nothing stops it, but only one such call may still take effect. */
const call =
  (step: Step): Step =>
  (moment) => {
    const { state, me } = moment;
    const { incident } = state;
    if (incident.token !== me.token || incident.n !== me.incident) me.late += 1;
    if (me.late > 1) state.broken = 'S4: a replaced execution made a second call';
    return step(moment);
  };

/** Stale reads say off, of a machine that is up; or free, of a volume that is held. */
const readInstance = ({ state, stale }: Moment): Instance =>
  stale ? { ...instanceOf(state.machine), state: 'stopped' } : instanceOf(state.machine);
const readVolume = ({ state, stale }: Moment): Volume =>
  stale ? volumeOf({ ...state, volume: 'free' }) : volumeOf(state);

const isOff = ({ machine }: State): boolean => machine.power === 'stopped';

const proofReadOf = (instance: Instance, at: EpochMs): ProofRead | undefined =>
  instance.state === 'stopped' || instance.state === 'terminated'
    ? { at, state: instance.state, launchTime: instance.launchTime }
    : undefined;

const planClaim: Step = (moment) => {
  const { state, me, rules } = moment;
  const { incident, owner, mark } = state;
  if (isCommitted(incident.fence)) return 'load the fence';
  const decision = rules.decideClaim(owner, incidentIdOf(me.incident), mark);
  if (decision.kind === 'already-claimed') return 'load the fence';
  if (decision.kind !== 'claim') return 'over';
  me.seen = owner;
  me.epoch = decision.epoch;
  return mark === decision.epoch || !rules.marksEpochs ? 'claim' : 'intend the mark';
};

const claim: Step = ({ state, me, rules }) => {
  const { owner } = state;
  const { seen, epoch = 0 } = me;
  const stands =
    owner.epoch === seen?.epoch &&
    owner.state === seen.state &&
    owner.incidentId === seen.incidentId;
  if (!stands && rules.claimsConditionally) return 'over';
  if (epoch <= state.highest) state.broken = `S4: epoch ${epoch} was claimed a second time`;
  state.highest = Math.max(state.highest, epoch);
  const incidentId = incidentIdOf(me.incident);
  state.owner = { ...owner, state: 'claimed', epoch, incidentId, token: me.token };
  // The next incident is only followed up to its claim: what comes after is the same again.
  return me.incident === 1 ? 'load the fence' : 'over';
};

const loadFence: Step = ({ state: { incident }, me, now, rules }) => {
  incident.fence ??= { since: now, rungs: [], voided: [] };
  me.fence = incident.fence;
  return incident.fence.proof === undefined && rules.needsProof ? 'look' : 'load the release';
};

const look: Step = (moment) => {
  const { state, me, now, rules } = moment;
  const { fence } = me;
  if (fence === undefined) throw new RangeError('looks without a fence');
  const instance = readInstance(moment);
  const down = proofReadOf(instance, now) !== undefined;
  me.truly.ill = !state.machine.healthy || state.machine.power !== 'running';
  if (!isCommitted(fence) && !down && !me.truly.ill && rules.revalidates) {
    if (holds(moment)) state.incident.status = 'cancelled';
    return 'over';
  }
  const next = rules.nextFenceStep({ now, readAt: now, instance, fence, policy });
  switch (next.kind) {
    case 'command':
      me.launch = next.launchTime;
      return 'intend the stop';
    case 'down':
      me.first = next.read;
      me.truly.first = isOff(state);
      return 'look again';
    case 'look':
      return 'look';
    case 'hold':
      return 'over';
  }
};

/** The rung as the ledger keeps it, begun or accepted. */
const withRung = (fence: Fence, me: Execution, now: EpochMs, accepted: boolean): Fence => {
  const launchTime = me.launch ?? launchTimeOf(1);
  const begun = fence.rungs.find((rung) => rung.launchTime === launchTime && accepted);
  const rung = {
    method: 'skip' as const,
    launchTime,
    requestedAt: begun?.requestedAt ?? now,
    ...(accepted ? { acceptedAt: now } : {}),
  };
  return { ...fence, rungs: [...fence.rungs.filter((r) => r.launchTime !== launchTime), rung] };
};

const saveRung =
  (accepted: boolean, then: Place): Step =>
  ({ state, me, now }) => {
    if (me.fence === undefined) throw new RangeError('stops without a fence');
    me.fence = withRung(me.fence, me, now, accepted);
    state.incident.fence = me.fence;
    return then;
  };

const stop: Step = ({ state, me }) => {
  const { machine } = state;
  const committed = isCommitted(me.fence);
  if (!committed && !me.truly.ill) state.broken = 'S8: a Stop without a reason to';
  if (machine.power === 'running') machine.power = 'stopping';
  return 'save the stop';
};

const lookAgain: Step = (moment) => {
  const { state, me, now, rules } = moment;
  const { fence, first } = me;
  if (fence === undefined || first === undefined) throw new RangeError('no first read');
  const second = rules.readsTwice ? proofReadOf(readInstance(moment), now) : first;
  me.truly.second = rules.readsTwice && isOff(state);
  if (second === undefined || !rules.isProof(fence, first, second)) return 'look';
  me.second = second;
  return 'save the proof';
};

const saveProof: Step = ({ state, me }) => {
  const { fence, first, second, truly } = me;
  if (fence === undefined || !first || !second) throw new RangeError('nothing to prove with');
  if (!truly.first && !truly.second) state.broken = 'S2: proven down by stale reads alone';
  state.incident.fence = { ...fence, proof: [first, second] };
  return 'load the release';
};

const loadRelease: Step = ({ state: { incident, owner }, me, rules }) => {
  if (owner.incidentId !== incidentIdOf(me.incident)) return 'load the hand-off';
  if (owner.state === 'released' || owner.state === 'owned') return 'load the hand-off';
  if (incident.fence === undefined) return 'over';
  me.fence = incident.fence;
  if (incident.fence.proof === undefined && rules.needsProof) return 'load the fence';
  return 'look at the volume';
};

const lookAtVolume: Step = (moment) => {
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

const intendDetach: Step = ({ state, me, now }) => {
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

const detach: Step = ({ state, me, rules }) => {
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

const concludeDetach: Step = ({ state, me }) => {
  const record = state.detaches[me.detach ?? 0];
  if (record === undefined || me.answer === undefined) throw new RangeError('no detach');
  const outcome =
    me.answer === 'accepted'
      ? ({ kind: 'accepted', at: never } as const)
      : ({ kind: 'refused', at: never, error: 'not attached there' } as const);
  state.detaches[me.detach ?? 0] = { ...record, outcome };
  return 'look at the volume';
};

const recordRelease: Step = ({ state, me }) => {
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

const voidProof: Step = ({ state, me }) => {
  if (me.fence === undefined) throw new RangeError('no proof to void');
  state.incident.fence = withoutProof(me.fence, launchTimeOf(state.machine.launch));
  return 'load the fence';
};

const loadHandOff: Step = ({ state, me, now, rules }) => {
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

const markGone: Step = ({ state }) => {
  const { owner, volume } = state;
  // What the new instance has already, the fenced one cannot write to: nothing is left to release.
  if (owner.state !== 'released' && owner.state !== 'owned' && volume !== 'new') {
    state.broken = 'S13: Mesos was told before the volume was released';
  }
  state.gone = true;
  return 'verify';
};

const verify: Step = (moment) => {
  const { state, me } = moment;
  if (state.volume !== 'new' || !state.gone) return 'verify';
  if (!holds(moment) || state.owner.incidentId !== incidentIdOf(me.incident)) return 'over';
  state.owner = { ...state.owner, state: 'owned', owner: oldInstance };
  state.mark = Math.max(state.mark, state.owner.epoch + 1);
  state.incident.status = 'recovered';
  return 'over';
};

/** The workflow of one execution, cut wherever it can be frozen or die. */
export const program: Readonly<Record<Exclude<Place, 'over'>, Step>> = {
  bind: under(({ state: { incident }, index }) => {
    if (incident.boundTo !== -1 && incident.boundTo !== index) return 'over';
    incident.boundTo = index;
    return 'read the claim';
  }),
  'read the claim': under(planClaim),
  'intend the mark': under(() => 'mark the epoch'),
  'mark the epoch': call(({ state, me }) => {
    state.mark = me.epoch ?? state.mark;
    return 'claim';
  }),
  claim,
  'load the fence': under(loadFence),
  look,
  'intend the stop': under(saveRung(false, 'stop')),
  stop: call(stop),
  'save the stop': under(saveRung(true, 'look')),
  'look again': lookAgain,
  'save the proof': under(saveProof),
  'load the release': under(loadRelease),
  'look at the volume': lookAtVolume,
  'intend the detach': under(intendDetach),
  detach: call(detach),
  'conclude the detach': concludeDetach,
  'look at the free volume': (moment) =>
    readVolume(moment).state === 'available' ? 'record the release' : 'look at the volume',
  'record the release': recordRelease,
  'void the proof': under(voidProof),
  'load the hand-off': under(loadHandOff),
  'intend the hand-off': under(() => 'mark gone'),
  'mark gone': call(markGone),
  verify,
};

/** What an execution may forget at a place, because it is set again before it is next used. */
export const forget = (me: Execution): Execution => {
  const { token, incident, at, late, truly } = me;
  const base = { token, incident, at, truly: unknown, late };
  switch (at) {
    case 'claim':
    case 'intend the mark':
    case 'mark the epoch':
      return me;
    case 'look':
    case 'look at the volume':
    case 'void the proof':
    case 'record the release':
    case 'look at the free volume':
      return { ...base, ...(me.fence && { fence: me.fence }) };
    case 'intend the stop':
    case 'stop':
    case 'save the stop':
    case 'look again':
    case 'save the proof':
    case 'intend the detach':
    case 'detach':
    case 'conclude the detach':
      return { ...me, truly };
    default:
      return base;
  }
};

const unknown = { first: false, second: false, down: false, ill: false };

/** Steps that read EC2, and may be answered from the past or a wrong replica. */
export const reads: readonly Place[] = [
  'look',
  'look again',
  'look at the volume',
  'look at the free volume',
];
