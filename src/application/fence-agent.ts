import {
  isCommitted,
  isProof,
  methodOf,
  nextFenceStep,
  rungsOn,
  strengthOf,
} from '../domain/fence.ts';
import { type EpochMs, instanceOf, type VolumeId } from '../domain/ids.ts';
import type { Facts, Fence, HoldReason, Incident, ProofRead, Rung } from '../domain/incident.ts';
import type { Instance } from '../domain/machine.ts';
import { limits, nextLookMs, type Policy } from '../domain/policy.ts';
import { type Scope, whyNotOurs } from '../domain/scope.ts';
import type { Inventory } from '../domain/service.ts';
import { type Evidence, isDown, judge, mayFence, orderIn } from '../domain/verdict.ts';
import type { ComputeReads, PowerAnswer, PowerControl } from '../ports/compute.ts';
import type { PhaseEvents } from '../ports/events.ts';
import type { ClusterLedger, IncidentLedger } from '../ports/ledger.ts';
import type { Orchestrator } from '../ports/orchestrator.ts';
import type { Clock } from '../ports/system.ts';
import { type CallResult, makeCalls, type PlannedCall } from './calls.ts';
import { heldByOperator, hold, loadStep, type StepInput } from './step.ts';
import { gatherEvidence } from './witnesses.ts';

export interface FenceAgentDeps {
  readonly ledger: Pick<IncidentLedger, 'incident' | 'save' | 'intend' | 'conclude'> &
    Pick<ClusterLedger, 'control' | 'inventory'>;
  readonly compute: Pick<ComputeReads, 'instance' | 'statusChecks'> & PowerControl;
  readonly orchestrator: Pick<Orchestrator, 'agents' | 'probe'>;
  readonly events: PhaseEvents;
  readonly scope: Scope;
  readonly policy: Policy;
  readonly clock: Clock;
}

export type FenceDecision =
  | { readonly kind: 'fenced'; readonly volumeIds: readonly VolumeId[] }
  | { readonly kind: 'waiting'; readonly waitSeconds: number }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'hold'; readonly reason: HoldReason };

/** One invocation looks for this long before it hands the wait to the workflow. */
const invocationMs = 40_000;

/** What changes while one invocation works. */
interface Work {
  incident: Incident;
  fence: Fence;
  /** The last read with all witnesses found it down, or on the way there. */
  down: boolean;
}

const powerCall = (
  deps: FenceAgentDeps,
  incident: Incident,
  rung: Rung,
): PlannedCall<PowerAnswer> => {
  const { instanceId } = incident;
  const { method } = rung;
  const terminates = method === 'terminate' || method === 'terminate-force';
  return {
    intent: {
      call: terminates ? 'TerminateInstances' : 'StopInstances',
      target: instanceId,
      parameters: { method, launchTime: rung.launchTime },
    },
    make: () =>
      terminates
        ? deps.compute.terminate(instanceId, method)
        : deps.compute.stop(instanceId, method),
    outcome: (answer) =>
      answer.kind === 'accepted' ? answer.receipt : { refused: `${answer.why} (${answer.code})` },
  };
};

const notDoneNames = ['CloudThrottledError', 'NotAuthorizedError', 'CloudRefusedError'];

/** The rung with what became of it; undefined if certainly nothing was done and it may be retried. */
const completed = (rung: Rung, result: CallResult<PowerAnswer>, now: EpochMs): Rung | undefined => {
  if (result.kind === 'answered') {
    return result.answer.kind === 'accepted'
      ? { ...rung, acceptedAt: now }
      : { ...rung, refused: result.answer.why };
  }
  const { error } = result;
  return error instanceof Error && notDoneNames.includes(error.name) ? undefined : rung;
};

const withRung = (fence: Fence, rung: Rung): Fence => ({
  ...fence,
  rungs: [
    ...fence.rungs.filter((r) => r.method !== rung.method || r.launchTime !== rung.launchTime),
    rung,
  ],
});

/** Makes one rung's call: written down before, completed after, under the token. */
const climb = async (
  deps: FenceAgentDeps,
  work: Work,
  step: { readonly method: Rung['method']; readonly launchTime: Rung['launchTime'] },
): Promise<void> => {
  const { clock, ledger } = deps;
  const before = work.fence;
  const rung: Rung = { ...step, requestedAt: clock.now() };
  work.fence = withRung(before, rung);
  const call = powerCall(deps, work.incident, rung);
  const [result] = await makeCalls(deps, work.incident, 'FenceAgent', [call], {
    fence: work.fence,
  });
  if (result === undefined) throw new RangeError('one call has one result');
  const done = completed(rung, result, clock.now());
  work.fence = done === undefined ? before : withRung(before, done);
  const { id, token } = work.incident;
  work.incident = await ledger.save(id, token, { fence: work.fence }, clock.now());
  if (result.kind === 'failed') throw result.error;
};

/**
 * Is it still right to fence? Asked until EC2 has accepted a command, by fresh reads of every
 * witness. Coming back is a reason to cancel, anything short of the verdict a reason to wait;
 * undefined: go on.
 */
const revalidate = async (
  deps: FenceAgentDeps,
  incident: Incident,
  evidence: Evidence,
): Promise<FenceDecision | undefined> => {
  const { clock, ledger, policy } = deps;
  const verdict = judge(evidence, policy, orderIn(incident.signals));
  if (mayFence(verdict)) return undefined;
  const now = clock.now();
  const seen = await ledger.save(incident.id, incident.token, { verdict }, now);
  if (verdict.kind === 'Blind') {
    return hold(ledger, seen, { reason: 'blind', says: verdict.why.join('; ') }, now);
  }
  const watchedMs = now - (incident.facts?.at ?? incident.openedAt);
  return verdict.kind === 'Recovered' || watchedMs >= limits.watchMs
    ? { kind: 'cancelled' }
    : { kind: 'waiting', waitSeconds: 5 };
};

/** S7: a termination deletes every volume whose flag reads true, by the read just made. */
const wouldDelete = (instance: Instance, facts: Facts): string | undefined =>
  facts.volumes.find((volume) =>
    instance.devices.some((d) => d.volumeId === volume.volumeId && d.deleteOnTermination),
  )?.volumeId;

const whyNotNow = (
  deps: FenceAgentDeps,
  instance: Instance,
  facts: Facts,
  method: Rung['method'],
): { reason: HoldReason; says: string } | undefined => {
  const stranger = whyNotOurs(instance.tags, deps.scope);
  if (stranger !== undefined) {
    return { reason: 'ambiguous-scope', says: `${instance.instanceId} ${stranger}` };
  }
  if (method !== 'terminate' && method !== 'terminate-force') return undefined;
  const doomed = wouldDelete(instance, facts);
  return doomed === undefined
    ? undefined
    : {
        reason: 'terminate-would-delete-data',
        says: `terminating would delete ${doomed}: it reads DeleteOnTermination=true`,
      };
};

/** Writes the proof down and says what is next; a weak one may have to wait or be held. */
const proven = async (
  deps: FenceAgentDeps,
  work: Work,
  proof: readonly [ProofRead, ProofRead],
  volumeIds: readonly VolumeId[],
): Promise<FenceDecision> => {
  const { clock, ledger, policy } = deps;
  const [{ launchTime }] = proof;
  const strength = strengthOf(work.fence, launchTime);
  const fence: Fence = { ...work.fence, proof, strength, method: methodOf(work.fence, launchTime) };
  const { id, token } = work.incident;
  const saved = await ledger.save(id, token, { fence }, clock.now());
  return afterProof(saved, fence, policy, clock.now(), volumeIds, deps);
};

const afterProof = async (
  incident: Incident,
  fence: Fence,
  policy: Policy,
  now: EpochMs,
  volumeIds: readonly VolumeId[],
  { ledger }: FenceAgentDeps,
): Promise<FenceDecision> => {
  if (fence.strength !== 'weak' || fence.proof === undefined) return { kind: 'fenced', volumeIds };
  if (policy.weakFence === 'hold' && !incident.acknowledged?.includes('weak-fence')) {
    const says =
      'It took Force to stop it, and EC2 documents rare writes after that. Check the host, then ' +
      'acknowledge, or set WeakFence=settle.';
    return hold(ledger, incident, { reason: 'weak-fence', says }, now);
  }
  const leftMs = policy.weakFenceSettleMs - (now - fence.proof[1].at);
  return leftMs > 0
    ? { kind: 'waiting', waitSeconds: Math.ceil(leftMs / 1000) }
    : { kind: 'fenced', volumeIds };
};

const begin = (incident: Incident, now: EpochMs): Fence =>
  incident.fence ?? { since: now, rungs: [], voided: [] };

/** Reads the instance; until it is down or a command was accepted, with all other witnesses. */
const read = async (
  deps: FenceAgentDeps,
  work: Work,
  inventory: Inventory | undefined,
): Promise<{ instance: Instance | undefined; evidence?: Evidence }> => {
  const { instanceId } = work.incident;
  if (isCommitted(work.fence) || work.down) {
    const instance = await deps.compute.instance(instanceId);
    if (isCommitted(work.fence) || (instance !== undefined && isDown(instance.state))) {
      return { instance };
    }
  }
  const evidence = await gatherEvidence(deps, instanceId, inventory);
  const { ec2 } = evidence;
  work.down = ec2.kind === 'seen' && isDown(ec2.instance.state);
  // Unreadable is unknown: it goes to revalidate as Blind, and no step is taken on it.
  return { instance: ec2.kind === 'seen' ? ec2.instance : undefined, evidence };
};

/**
 * One look, with whatever goes on `beside` it, and what follows; undefined: nothing was decided,
 * look again.
 */
const lookOnce = async (
  deps: FenceAgentDeps,
  work: Work,
  facts: Facts,
  inventory: Inventory | undefined,
  beside: Promise<unknown> = Promise.resolve(),
): Promise<FenceDecision | undefined> => {
  const { clock, ledger, policy } = deps;
  const readAt = clock.now();
  const [{ evidence, instance }] = await Promise.all([read(deps, work, inventory), beside]);
  const doubt = evidence && (await revalidate(deps, work.incident, evidence));
  if (doubt !== undefined) return doubt;
  if (instance === undefined) {
    const says = 'EC2 does not know the instance any more, and unknown is not dead';
    return hold(ledger, work.incident, { reason: 'unknown-incarnation', says }, clock.now());
  }
  const step = nextFenceStep({ now: clock.now(), readAt, instance, fence: work.fence, policy });
  switch (step.kind) {
    case 'look':
      return undefined;
    case 'hold':
      return hold(ledger, work.incident, step, clock.now());
    case 'command': {
      const stop = whyNotNow(deps, instance, facts, step.method);
      if (stop !== undefined) return hold(ledger, work.incident, stop, clock.now());
      await climb(deps, work, step);
      return undefined;
    }
    case 'down':
      return confirm(deps, work, step.read, facts);
  }
};

/** The second read must agree with the first; otherwise the first said nothing. */
const confirm = async (
  deps: FenceAgentDeps,
  work: Work,
  first: ProofRead,
  facts: Facts,
): Promise<FenceDecision | undefined> => {
  const at = deps.clock.now();
  const instance = await deps.compute.instance(work.incident.instanceId);
  if (instance?.state !== 'stopped' && instance?.state !== 'terminated') return undefined;
  const second: ProofRead = { at, state: instance.state, launchTime: instance.launchTime };
  if (!isProof(work.fence, first, second)) return undefined;
  const volumeIds = facts.volumes.map((volume) => volume.volumeId);
  return proven(deps, work, [first, second], volumeIds);
};

const keepLooking = async (
  deps: FenceAgentDeps,
  work: Work,
  facts: Facts,
  inventory: Inventory | undefined,
  started: EpochMs,
): Promise<FenceDecision> => {
  const { clock } = deps;
  for (;;) {
    const now = clock.now();
    const last = rungsOn(work.fence, facts.launchTime).at(-1);
    const waitMs = nextLookMs(now - (last?.requestedAt ?? work.fence.since));
    if (now + waitMs - started > invocationMs) {
      return { kind: 'waiting', waitSeconds: Math.max(1, Math.ceil(waitMs / 1000)) };
    }
    await clock.sleep(waitMs);
    const decision = await lookOnce(deps, work, facts, inventory);
    if (decision !== undefined) return decision;
  }
};

/**
 * One rung of the ladder, or looks at what the last one did, until the power is proven off. What
 * EC2 says is believed only when two reads issued after the last command agree.
 */
export const createFenceAgent =
  (deps: FenceAgentDeps) =>
  async (input: StepInput): Promise<FenceDecision> => {
    const { clock, ledger, policy, scope } = deps;
    const [{ incident, control }, inventory] = await Promise.all([
      loadStep(ledger, input, scope.cluster),
      ledger.inventory(instanceOf(input.incidentId)),
    ]);
    const switched = heldByOperator(incident, control, clock.now());
    if (switched !== undefined) return hold(ledger, incident, switched, clock.now());
    const { facts } = incident;
    if (facts === undefined) throw new RangeError('FenceAgent before AssessAgent');
    const started = clock.now();
    const volumeIds = facts.volumes.map((volume) => volume.volumeId);
    if (incident.fence?.proof !== undefined) {
      return afterProof(incident, incident.fence, policy, started, volumeIds, deps);
    }
    const work: Work = { incident, fence: begin(incident, started), down: false };
    // Told and written while the first look is under way. Its start is the budget of a stop that
    // somebody else began, across invocations.
    const noted = Promise.all([
      deps.events.publish('protected', incident, started),
      incident.fence ?? ledger.save(incident.id, incident.token, { fence: work.fence }, started),
    ]);
    const decision = await lookOnce(deps, work, facts, inventory, noted);
    if (decision !== undefined) return decision;
    return keepLooking(deps, work, facts, inventory, started);
  };
