import { actOn } from '../domain/act-on.ts';
import { type Announced, modeOf, withAnnounced } from '../domain/announced.ts';
import { type ApprovalPolicy, isApproved } from '../domain/approval.ts';
import { TokenLostError } from '../domain/errors.ts';
import { isCommitted, mayBeUnderWay } from '../domain/fence.ts';
import { type EpochMs, instanceOf } from '../domain/ids.ts';
import type { Facts, HoldReason, Incident, Verdict } from '../domain/incident.ts';
import type { Instance } from '../domain/machine.ts';
import type { Policy } from '../domain/policy.ts';
import { type Quarantine, type ReturnedAgent, withReturn } from '../domain/quarantine.ts';
import { type ScopedVolumes, scopeVolumes, withEstranged } from '../domain/scope.ts';
import type { Inventory } from '../domain/service.ts';
import { isDown, judge, mayFencePartitioned, orderIn, sayHeld } from '../domain/verdict.ts';
import { onlyWanted, wishIn } from '../domain/wish.ts';
import type { PhaseEvents } from '../ports/events.ts';
import type {
  ClusterLedger,
  Control,
  IncidentLedger,
  QuarantineLedger,
  StormLedger,
} from '../ports/ledger.ts';
import type { Pace } from '../ports/pace.ts';
import { type RecallDeps, recallAnnounced } from './announced.ts';
import { askFirst } from './ask-first.ts';
import { hurryOf } from './await-news.ts';
import {
  agreementTo,
  applicantOf,
  causeOf,
  isBraked,
  joinQueue,
  passBrake,
  shiftedZonesFor,
} from './brake.ts';
import { inCrowd } from './crowd.ts';
import { flaps, guard } from './guards.ts';
import { lookAround, type Memory, memoryOf, type Picture, type PictureDeps } from './picture.ts';
import { asItIsNow, isToBeFenced } from './returned-agent.ts';
import { hold, type StepInput } from './step.ts';
import { heldByOperator } from './switches.ts';

/** What the assessment of a failure and that of a planned move have in common. */
export interface AssessDeps extends PictureDeps {
  readonly ledger: PictureDeps['ledger'] &
    Pick<IncidentLedger, 'bindExecution' | 'save'> &
    Pick<ClusterLedger, 'control' | 'inventory'>;
  readonly events: PhaseEvents;
  readonly policy: Policy;
}

export interface AssessAgentDeps extends AssessDeps, RecallDeps {
  readonly ledger: AssessDeps['ledger'] &
    Pick<IncidentLedger, 'openIncidents'> &
    Pick<QuarantineLedger, 'quarantine'> &
    StormLedger;
  readonly pace: Pace;
  readonly compute: AssessDeps['compute'] & RecallDeps['compute'];
  readonly returnedAgent: ReturnedAgent;
  readonly approvals: ApprovalPolicy;
}

export interface AssessInput extends StepInput {
  readonly executionArn: string;
}

export type AssessDecision =
  | { readonly kind: 'proceed' }
  | { readonly kind: 'watch'; readonly waitSeconds: number }
  /** It works, and AWS has announced something for it: the other workflow's. */
  | { readonly kind: 'planned' }
  | { readonly kind: 'needsApproval'; readonly waitSeconds: number }
  | { readonly kind: 'cancelled' }
  /** It was fenced before, runs again, and has nothing of ours: no work for it. */
  | { readonly kind: 'returned' }
  | { readonly kind: 'hold'; readonly reason: HoldReason };

const factsOf = (
  picture: Picture,
  instance: Instance,
  memory: Memory | undefined,
  scoped: ScopedVolumes,
  at: EpochMs,
): Facts => {
  const same = memory?.launchTime === instance.launchTime ? memory : undefined;
  const privateIp = instance.privateIp ?? same?.privateIp;
  const here = picture.tasks.filter(
    (task) =>
      task.host === privateIp &&
      (task.agentId === undefined ||
        same === undefined ||
        same.agentIds.length === 0 ||
        same.agentIds.includes(task.agentId)),
  );
  const tasks = here.length > 0 ? here : (same?.tasks ?? []);
  const appIds = new Set([
    ...tasks.map((task) => task.appId),
    ...scoped.inScope.flatMap((volume) => volume.appIds),
  ]);
  const { mesos } = picture.evidence;
  const agentIds = new Set(same?.agentIds ?? []);
  // The address of a terminated instance may be another's by now, and the agent there with it.
  const isVacated = instance.state === 'terminated';
  if ('agentId' in mesos && !isVacated) agentIds.add(mesos.agentId);
  for (const task of here) if (task.agentId !== undefined) agentIds.add(task.agentId);
  return {
    at,
    launchTime: instance.launchTime,
    state: instance.state,
    availabilityZone: instance.availabilityZone,
    ...(privateIp === undefined ? {} : { privateIp }),
    // Where this start has not been seen in Mesos yet, its tasks are still with the agent of the last.
    agentIds: agentIds.size > 0 ? [...agentIds] : (memory?.agentIds ?? []),
    volumes: scoped.inScope,
    leftAlone: scoped.leftAlone,
    apps: picture.apps.filter((app) => appIds.has(app.id)),
    tasks: tasks.map(({ id, appId }) => ({ id, appId })),
  };
};

/** What is on the machine, and what of it is ours to move. */
export const factsAndScope = (
  deps: Pick<AssessDeps, 'scope'>,
  incident: Incident,
  picture: Picture,
  inventory: Inventory | undefined,
  instance: Instance,
  now: EpochMs,
): { readonly facts: Facts; readonly scoped: ScopedVolumes } => {
  const { apps, known, volumes } = picture;
  const sorted = scopeVolumes(instance, volumes, apps, deps.scope.cluster);
  const scoped = withEstranged(sorted, volumes, known, apps);
  const memory = memoryOf(incident.facts, inventory);
  const { volumes: wanted } = wishIn(incident.signals);
  const moved = modeOf(incident) === 'drain' ? onlyWanted(scoped, wanted) : scoped;
  return { facts: factsOf(picture, instance, memory, moved, now), scoped };
};

/** How soon to look again for a command whose answer was lost. */
const underWayLookMs = 5_000;

const isDecided = (incident: Incident): boolean =>
  incident.facts !== undefined &&
  (isCommitted(incident.fence) || incident.fence?.proof !== undefined);

/** Read together with the incident. */
interface Known {
  readonly control: Control;
  readonly inventory: Inventory | undefined;
  readonly quarantine: Quarantine | undefined;
  readonly announced: Announced | undefined;
}

/** The verdict leads to action: are there guards, and is there anything to move? */
const conclude = async (
  deps: AssessAgentDeps,
  incident: Incident,
  picture: Picture,
  verdict: Verdict,
  { control, inventory }: Known,
): Promise<AssessDecision> => {
  const { instance } = picture;
  const now = deps.clock.now();
  if (instance === undefined) {
    const says = 'EC2 does not know the instance, and unknown is not dead';
    return hold(deps.ledger, incident, { reason: 'unknown-incarnation', says }, now);
  }
  const { facts, scoped } = factsAndScope(deps, incident, picture, inventory, instance, now);
  const patch = { verdict, facts, status: 'open' } as const;
  const isReturned = verdict.kind === 'Returned';
  if (isReturned && !isToBeFenced(deps, incident, picture, instance)) {
    await deps.ledger.save(incident.id, incident.token, patch, now);
    return { kind: 'returned' };
  }
  // Down is never held for what else fails, nor for failing again: nothing healthy can be hurt.
  const stop =
    guard(incident, instance, facts, scoped, picture, deps) ??
    (verdict.kind === 'Down' || isReturned || facts.volumes.length === 0
      ? undefined
      : flaps(deps, incident, picture));
  const asks =
    stop === undefined && facts.volumes.length > 0 && isBraked(verdict, incident, control, now);
  const { agents, storm } = picture.past;
  const cause = causeOf(verdict, picture.evidence);
  const shiftedZones = shiftedZonesFor(instance, control, now);
  const account = { agents, shiftedZones, ...agreementTo(incident) };
  const [seen, waits] = await Promise.all([
    deps.ledger.save(incident.id, incident.token, patch, now),
    asks
      ? passBrake(deps, applicantOf(incident, instance, facts.apps, cause), storm, account)
      : undefined,
  ]);
  const held = stop ?? waits;
  if (held !== undefined) return hold(deps.ledger, seen, held, now);
  if (facts.volumes.length === 0 && !isReturned) return { kind: 'cancelled' };
  return askFirst(deps, seen, verdict, facts);
};

/** Not one machine but Mesos is in doubt: one message tells of all whom that holds. */
const holdBlind = async (
  deps: AssessAgentDeps,
  incident: Incident,
  { evidence, instance, past }: Picture,
  { inventory }: Known,
): Promise<void> => {
  if (evidence.masters === undefined || instance === undefined) return;
  const apps = inventory?.apps ?? [];
  const applicant = applicantOf(incident, instance, apps, 'Blind, Mesos has lost too many');
  await joinQueue(deps, applicant, 'blind', past.storm);
};

/** The whole verdict: the evidence, a fence of the past, what is announced. */
export const verdictOn = (
  { policy }: Pick<AssessDeps, 'policy'>,
  incident: Pick<Incident, 'signals' | 'verdict'>,
  { evidence }: Pick<Picture, 'evidence'>,
  { announced, quarantine }: Pick<Known, 'announced' | 'quarantine'>,
): Verdict => {
  const judged = judge(evidence, policy, orderIn(incident.signals), incident.verdict);
  const seenBack = withReturn(judged, evidence, quarantine);
  return withAnnounced(seenBack, announced, policy.drainReserveMs);
};

/** What the verdict leads to, and what is written down of it. */
const decide = async (
  deps: AssessAgentDeps,
  incident: Incident,
  around: Picture,
  known: Known,
): Promise<AssessDecision> => {
  const { clock, ledger, policy } = deps;
  const verdict = verdictOn(deps, incident, around, known);
  const picture = verdict.kind === 'Returned' ? asItIsNow(around, incident) : around;
  const partitioned = mayFencePartitioned(policy, incident.acknowledged);
  const action = actOn(verdict, clock.now() - incident.openedAt, partitioned);
  if (action.kind === 'act') return conclude(deps, incident, picture, verdict, known);
  const at = clock.now();
  const [seen] = await Promise.all([
    ledger.save(incident.id, incident.token, { verdict }, at),
    action.kind === 'hold' && action.reason === 'blind'
      ? holdBlind(deps, incident, picture, known)
      : undefined,
  ]);
  const isFree = !mayBeUnderWay(incident.fence, at);
  if (action.kind === 'plan' && isFree) return { kind: 'planned' };
  if (action.kind === 'cancel' && isFree) return { kind: 'cancelled' };
  if (action.kind !== 'hold') {
    const waitMs = action.kind === 'watch' ? action.waitMs : underWayLookMs;
    return { kind: 'watch', waitSeconds: Math.max(1, Math.ceil(waitMs / 1000)) };
  }
  return hold(ledger, seen, { reason: action.reason, says: sayHeld(verdict) }, at);
};

/** What has begun goes on, but a yes was to one start of the machine: another one is asked about anew. */
const goOn = async (deps: AssessAgentDeps, incident: Incident): Promise<AssessDecision> => {
  const { approvals, clock, compute, ledger } = deps;
  const { facts, fence, id, instanceId, token, verdict } = incident;
  const isAsked = verdict !== undefined && approvals.verdicts.includes(verdict.kind);
  if (isAsked && facts !== undefined && fence?.proof === undefined) {
    const instance = await compute.instance(instanceId);
    const isUp = instance !== undefined && !isDown(instance.state);
    if (isUp && !isApproved(approvals, incident, instance.launchTime)) {
      return askFirst(deps, incident, verdict, { ...facts, launchTime: instance.launchTime });
    }
  }
  await ledger.save(id, token, { status: 'open' }, clock.now());
  return { kind: 'proceed' };
};

/** Binds this execution to its token and loads the incident, in one conditional write. */
export const bind = async (
  { clock, ledger }: Pick<AssessDeps, 'clock' | 'ledger'>,
  { incidentId, token, executionArn }: AssessInput,
): Promise<Incident> => {
  const bound = await ledger.bindExecution(incidentId, token, executionArn, clock.now());
  if (bound === 'lost') throw new TokenLostError(incidentId, token);
  return bound;
};

/**
 * Fresh reads of every witness, the verdict, the facts a dead agent can no longer tell, and the
 * guards. Once a fence command may have reached EC2 there is no way back: then it only lets the
 * work go on.
 */
export const createAssessAgent =
  (deps: AssessAgentDeps) =>
  async (input: AssessInput): Promise<AssessDecision> => {
    const { clock, ledger, scope } = deps;
    const instanceId = instanceOf(input.incidentId);
    const [incident, control, inventory, quarantine, listed] = await Promise.all([
      bind(deps, input),
      ledger.control(scope.cluster),
      ledger.inventory(instanceId),
      ledger.quarantine(scope.cluster, instanceId),
      ledger.openIncidents(scope.cluster),
    ]);

    const switched = heldByOperator(incident, control, clock.now());
    if (switched !== undefined) return hold(ledger, incident, switched, clock.now());
    if (isDecided(incident)) return goOn(deps, incident);
    const started = incident.facts?.launchTime ?? inventory?.launchTime;
    const [picture, announced] = await Promise.all([
      lookAround(
        inCrowd(deps, listed.length, 'begin', hurryOf(deps, incident)),
        incident,
        inventory,
        quarantine,
      ),
      recallAnnounced(deps, incident, started),
    ]);
    const known = { control, inventory, quarantine, announced };
    const decision = await decide(deps, incident, picture, known);
    const waits = decision.kind === 'hold' && ['storm', 'blind'].includes(decision.reason);
    if (!waits && picture.past.storm.waiting[incident.id] !== undefined) {
      await ledger.leaveStorm(scope.cluster, [incident.id], clock.now());
    }
    return decision;
  };
