import { actOn } from '../domain/act-on.ts';
import { type Announced, withAnnounced } from '../domain/announced.ts';
import type { ApprovalPolicy } from '../domain/approval.ts';
import { isCommitted, isProof, mayBeUnderWay, nextFenceStep, rungsOn } from '../domain/fence.ts';
import { type EpochMs, instanceOf } from '../domain/ids.ts';
import type { Facts, Fence, Incident, ProofRead } from '../domain/incident.ts';
import { nextLookMs, waitAfter } from '../domain/looks.ts';
import type { Instance } from '../domain/machine.ts';
import { isTurnKept } from '../domain/pace.ts';
import { limits } from '../domain/policy.ts';
import { isRecent } from '../domain/recent.ts';
import type { Inventory } from '../domain/service.ts';
import {
  type Evidence,
  isAnnounced,
  isDown,
  judge,
  mayFence,
  mayFencePartitioned,
  orderIn,
  sayHeld,
} from '../domain/verdict.ts';
import { policyFor } from '../domain/wish.ts';
import type { ComputeReads, PowerControl } from '../ports/compute.ts';
import type { PhaseEvents } from '../ports/events.ts';
import type { ClusterLedger, IncidentLedger } from '../ports/ledger.ts';
import type { Orchestrator } from '../ports/orchestrator.ts';
import type { Pace } from '../ports/pace.ts';
import type { Log } from '../ports/system.ts';

import { type AfterProofDeps, afterProof, type FenceDecision, proven } from './after-proof.ts';
import { type RecallDeps, recallAnnounced } from './announced.ts';
import { afterNewsMs, awaitNews, isGoingDown, newsEveryMs } from './await-news.ts';
import { answerOf, intentLastsMs, settle } from './calls.ts';
import { inCrowd } from './crowd.ts';
import { lookAheadMeanwhile } from './look-ahead.ts';
import { climb, type Work } from './power.ts';
import { drawDetaches, turnFor, untilTurn, waitOutside } from './power-turns.ts';
import { hold, loadStepInCrowd, type StepInput } from './step.ts';
import { heldByOperator, switchedSince } from './switches.ts';
import { whyNotApproved, whyNotNow } from './why-not-now.ts';
import { countMissing, gatherEvidence, knownSince } from './witnesses.ts';

export interface FenceAgentDeps extends AfterProofDeps, RecallDeps {
  readonly ledger: AfterProofDeps['ledger'] &
    Pick<IncidentLedger, 'incident' | 'openIncidents'> &
    Pick<ClusterLedger, 'inventory' | 'watched'>;
  readonly compute: AfterProofDeps['compute'] &
    RecallDeps['compute'] &
    Pick<
      ComputeReads,
      | 'instance'
      | 'statusChecks'
      | 'statusChecksOf'
      | 'instancesOfCluster'
      | 'volumeConditions'
      | 'volumesNamed'
    > &
    PowerControl;
  readonly orchestrator: Pick<Orchestrator, 'agents' | 'probe' | 'apps'>;
  readonly pace: Pace;
  readonly log: Log;
  readonly events: PhaseEvents;
  readonly approvals: ApprovalPolicy;
}

/** One invocation looks for this long before it hands the wait to the workflow. */
const invocationMs = 40_000;

/**
 * A returned host needs no other fault than that it runs, as the very start that was assessed: nobody
 * is let un-fence it while its incident is at work.
 */
const isStillBack = ({ facts, verdict }: Incident, { ec2, mesos }: Evidence): boolean =>
  verdict?.kind === 'Returned' &&
  ec2.kind === 'seen' &&
  ec2.instance.launchTime === facts?.launchTime &&
  mesos.kind !== 'masters-unreachable';

/**
 * Is it still right to fence? Asked until EC2 has accepted a command, by fresh reads of every
 * witness. Coming back is a reason to cancel, anything short of the verdict a reason to wait;
 * undefined: go on.
 */
const revalidate = async (
  deps: FenceAgentDeps,
  incident: Incident,
  evidence: Evidence & { readonly announced: Announced | undefined },
): Promise<FenceDecision | undefined> => {
  const { clock, ledger, policy } = deps;
  const judged = judge(evidence, policy, orderIn(incident.signals), incident.verdict);
  const verdict = withAnnounced(judged, evidence.announced, policy.drainReserveMs);
  const partitioned = mayFencePartitioned(policy, incident.acknowledged);
  if (isStillBack(incident, evidence)) return undefined;
  const now = clock.now();
  if (mayFence(verdict, partitioned)) {
    // Nobody may have been asked about what it is fenced for by now: it was down, and runs again.
    const { ec2 } = evidence;
    const stop =
      ec2.kind === 'seen'
        ? whyNotApproved(deps, { ...incident, verdict }, ec2.instance)
        : undefined;
    return stop && hold(ledger, incident, stop, now);
  }
  const seen = await ledger.save(incident.id, incident.token, { verdict }, now);
  const action = actOn(verdict, 0, partitioned);
  if (action.kind === 'hold') {
    return hold(ledger, seen, { reason: action.reason, says: sayHeld(verdict) }, now);
  }
  if (isAnnounced(verdict)) {
    const says = `${verdict.why.join('; ')}: it is not fenced before that is near`;
    return hold(ledger, seen, { reason: 'not-due', says }, now);
  }
  const watchedMs = now - (incident.facts?.at ?? incident.openedAt);
  const isOver = verdict.kind === 'Recovered' || watchedMs >= limits.watchMs;
  return isOver && !mayBeUnderWay(incident.fence, now)
    ? { kind: 'cancelled' }
    : { kind: 'waiting', waitSeconds: 5 };
};

const begin = (incident: Incident, now: EpochMs): Fence =>
  incident.fence ?? { since: now, rungs: [], voided: [] };

/**
 * A first command must follow its evidence at once: EC2 has no compare-and-set, so what was answered
 * longer ago than this is asked again. Two seconds less the time to write the intent down.
 */
const evidenceLastsMs = 2_000 - intentLastsMs;

/** What a read answered, and when it was issued. */
interface Read {
  readonly at: EpochMs;
  readonly instance: Instance | undefined;
  /** When the first answer came of the evidence it belongs to. */
  readonly oldestAt?: EpochMs;
}

const readInstance = async (deps: FenceAgentDeps, { incident }: Work): Promise<Read> => {
  const at = deps.clock.now();
  return { at, instance: await deps.compute.instance(incident.instanceId) };
};

const asProofRead = ({ at, instance }: Read): ProofRead | undefined =>
  instance?.state === 'stopped' || instance?.state === 'terminated'
    ? { at, state: instance.state, launchTime: instance.launchTime }
    : undefined;

/** The next rung, a hold, or nothing but another look: what one read leads to. */
const step = async (
  deps: FenceAgentDeps,
  work: Work,
  facts: Facts,
  { at: readAt, instance, oldestAt }: Read,
): Promise<FenceDecision | undefined> => {
  const { clock, ledger, policy } = deps;
  if (instance === undefined) {
    const says = 'EC2 does not know the instance any more, and unknown is not dead';
    return hold(ledger, work.incident, { reason: 'unknown-incarnation', says }, clock.now());
  }
  const next = nextFenceStep({ now: clock.now(), readAt, instance, fence: work.fence, policy });
  switch (next.kind) {
    case 'down':
    case 'look':
      return undefined;
    case 'hold':
      return hold(ledger, work.incident, next, clock.now());
    case 'command': {
      // Nothing written before may arrive after what this writes.
      await work.noted;
      if ((await turnFor(deps, work, next.method)) > clock.now()) return undefined;
      const stop =
        whyNotNow(deps, work.incident, instance, facts, next.method) ??
        (await switchedSince(deps, work.incident));
      if (stop !== undefined) return hold(ledger, work.incident, stop, clock.now());
      const isOld = oldestAt !== undefined && !isRecent(oldestAt, clock.now(), evidenceLastsMs);
      if (isOld && !work.down) return undefined;
      await climb(deps, work, next);
      return undefined;
    }
  }
};

/** Until EC2 has accepted a command or says down: all witnesses, and whether to go on at all. */
const lookAround = async (
  deps: FenceAgentDeps,
  work: Work,
  facts: Facts,
  inventory: Inventory | undefined,
): Promise<FenceDecision | undefined> => {
  const at = deps.clock.now();
  const { instanceId, verdict } = work.incident;
  const known = knownSince(inventory, verdict);
  const watching = deps.ledger.watched(deps.scope.cluster);
  const [witnesses, announced] = await Promise.all([
    gatherEvidence(deps, instanceId, known, async (agents) =>
      countMissing(deps, agents, await watching),
    ),
    recallAnnounced(deps, work.incident, facts.launchTime),
    watching,
    // In a crowd nobody takes a turn that it may not need.
    work.crowd === undefined ? turnFor(deps, work, 'skip') : undefined,
  ]);
  const evidence = { ...witnesses, announced };
  const { ec2 } = evidence;
  const instance = ec2.kind === 'seen' ? ec2.instance : undefined;
  work.down = instance !== undefined && isDown(instance.state);
  const doubt = await revalidate(deps, work.incident, evidence);
  return doubt ?? step(deps, work, facts, { at, instance, oldestAt: evidence.oldestAt });
};

/** One look and what follows from it; undefined: nothing was decided, look again. */
const lookOnce = async (
  deps: FenceAgentDeps,
  work: Work,
  facts: Facts,
  inventory: Inventory | undefined,
): Promise<FenceDecision | undefined> => {
  const committed = isCommitted(work.fence);
  if (!committed && !work.down) return lookAround(deps, work, facts, inventory);
  const first = await readInstance(deps, work);
  work.down = first.instance !== undefined && isDown(first.instance.state);
  if (!committed && !work.down) return undefined;
  const early = asProofRead(first);
  if (early === undefined) return step(deps, work, facts, first);
  // One read may be stale: only a second one that agrees makes it a proof. The detaches, which follow
  // from it, take their place in the queue meanwhile; in a crowd before, to look only when it matters.
  const drawing = settle(drawDetaches(deps, work, facts, early));
  const waits =
    work.crowd === undefined ? undefined : await untilTurn(deps, work, answerOf(await drawing));
  if (waits !== undefined) return waits;
  const second = await readInstance(deps, work);
  const detachFrom = answerOf(await drawing);
  if (detachFrom !== undefined) work.fence = { ...work.fence, detachFrom };
  const late = asProofRead(second);
  if (late === undefined) {
    work.down = second.instance !== undefined && isDown(second.instance.state);
    // The first was wrong, and nothing has been accepted yet: all witnesses are asked before a command.
    return committed || work.down ? step(deps, work, facts, second) : undefined;
  }
  if (!isProof(work.fence, early, late)) return undefined;
  return proven(deps, work, [early, late], async () => second.instance);
};

const keepLooking = async (
  deps: FenceAgentDeps,
  work: Work,
  facts: Facts,
  inventory: Inventory | undefined,
): Promise<FenceDecision> => {
  const { clock } = deps;
  const { crowd, startedAt: started } = work;
  let woken = false;
  for (;;) {
    const now = clock.now();
    const last = rungsOn(work.fence, facts.launchTime).at(-1);
    const waitedMs = now - (last?.requestedAt ?? work.fence.since);
    const seldomMs = nextLookMs(waitAfter(last?.method), waitedMs, crowd);
    const turnMs = (work.turn?.at ?? 0) - now;
    const isQueued = turnMs > 0;
    // Whose turn has come looks again soon, too: it is lost if it is not used.
    const isDue = crowd !== undefined && work.turn !== undefined;
    const nextMs = woken || isDue ? afterNewsMs : seldomMs;
    const waitMs = isQueued ? turnMs : nextMs;
    const leftMs = started + invocationMs - now;
    if (waitMs > leftMs && (isQueued || crowd === undefined)) {
      return waitOutside(deps, work, waitMs);
    }
    // The next invocation looks at once, and then waits for news again.
    if (crowd !== undefined && newsEveryMs > leftMs) return waitOutside(deps, work, 0);
    if (crowd === undefined || isQueued) await clock.sleep(waitMs);
    else woken = await awaitNews(deps, work, Math.min(waitMs, leftMs), woken);
    const decision = await lookOnce(deps, work, facts, inventory);
    if (decision !== undefined) return decision;
  }
};

/**
 * One rung of the ladder, or looks at what the last one did, until the power is proven off. What
 * EC2 says is believed only when two reads issued after the last command agree.
 */
export const createFenceAgent =
  (all: FenceAgentDeps) =>
  async (input: StepInput): Promise<FenceDecision> => {
    const { clock, ledger, scope } = all;
    const switches = { readAt: clock.now() };
    const [{ incident, control, crowd }, inventory] = await Promise.all([
      loadStepInCrowd(ledger, input, scope.cluster),
      ledger.inventory(instanceOf(input.incidentId)),
    ]);
    const switched = heldByOperator(incident, control, clock.now());
    if (switched !== undefined) return hold(ledger, incident, switched, clock.now());
    const { facts } = incident;
    if (facts === undefined) throw new RangeError('FenceAgent before AssessAgent');
    const policy = policyFor(all.policy, incident.signals);
    const deps = inCrowd({ ...all, policy, switches }, crowd, 'finish');
    const started = clock.now();
    if (incident.fence?.proof !== undefined) {
      return afterProof(deps, { incident, startedAt: started }, incident.fence, () =>
        deps.compute.instance(incident.instanceId),
      );
    }
    const fence = begin(incident, started);
    // Told and written while the first look is under way. Its start is the budget of a stop that
    // somebody else began, across invocations.
    const noted = Promise.all([
      deps.events.publish('protected', incident, started),
      incident.fence ?? ledger.save(incident.id, incident.token, { fence }, started),
    ]);
    const down = crowd !== undefined && incident.verdict?.kind === 'Down';
    const { turn } = fence;
    const work: Work = {
      incident,
      fence,
      down,
      startedAt: started,
      noted,
      crowd,
      ...(turn !== undefined && isTurnKept(turn.at, started) && { turn }),
    };
    const isEarly = crowd !== undefined && isGoingDown(incident, facts);
    const [decision] = await Promise.all([
      isEarly ? undefined : lookOnce(deps, work, facts, inventory),
      noted,
    ]);
    if (decision !== undefined) return decision;
    const [after] = await Promise.all([
      keepLooking(deps, work, facts, inventory),
      // In a crowd it would not hold: agents come and go before HandOff has its turn.
      crowd === undefined ? lookAheadMeanwhile(deps, incident, facts) : undefined,
    ]);
    return after;
  };
