import { isCommitted } from '../../../src/domain/fence.ts';
import type { EpochMs } from '../../../src/domain/ids.ts';
import type { Fence, ProofRead } from '../../../src/domain/incident.ts';
import type { Instance } from '../../../src/domain/machine.ts';
import { holds, isOff, policy, readInstance, type Step } from './moment.ts';
import { type Execution, incidentIdOf, launchTimeOf, type Place } from './state.ts';

const proofReadOf = (instance: Instance, at: EpochMs): ProofRead | undefined =>
  instance.state === 'stopped' || instance.state === 'terminated'
    ? { at, state: instance.state, launchTime: instance.launchTime }
    : undefined;

export const planClaim: Step = (moment) => {
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

export const claim: Step = ({ state, me, rules }) => {
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

export const loadFence: Step = ({ state: { incident }, me, now, rules }) => {
  incident.fence ??= { since: now, rungs: [], voided: [] };
  me.fence = incident.fence;
  return incident.fence.proof === undefined && rules.needsProof ? 'look' : 'load the release';
};

export const look: Step = (moment) => {
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

export const saveRung =
  (accepted: boolean, then: Place): Step =>
  ({ state, me, now }) => {
    if (me.fence === undefined) throw new RangeError('stops without a fence');
    me.fence = withRung(me.fence, me, now, accepted);
    state.incident.fence = me.fence;
    return then;
  };

export const stop: Step = ({ state, me }) => {
  const { machine } = state;
  const committed = isCommitted(me.fence);
  if (!committed && !me.truly.ill) state.broken = 'S8: a Stop without a reason to';
  if (machine.power === 'running') machine.power = 'stopping';
  return 'save the stop';
};

export const lookAgain: Step = (moment) => {
  const { state, me, now, rules } = moment;
  const { fence, first } = me;
  if (fence === undefined || first === undefined) throw new RangeError('no first read');
  const second = rules.readsTwice ? proofReadOf(readInstance(moment), now) : first;
  me.truly.second = rules.readsTwice && isOff(state);
  if (second === undefined || !rules.isProof(fence, first, second)) return 'look';
  me.second = second;
  return 'save the proof';
};

export const saveProof: Step = ({ state, me }) => {
  const { fence, first, second, truly } = me;
  if (fence === undefined || !first || !second) throw new RangeError('nothing to prove with');
  if (!truly.first && !truly.second) state.broken = 'S2: proven down by stale reads alone';
  state.incident.fence = { ...fence, proof: [first, second] };
  return 'load the release';
};
