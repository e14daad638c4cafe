import type { Announced } from '../../domain/announced.ts';
import { type ApprovalPolicy, approvalStep } from '../../domain/approval.ts';
import { type EpochMs, type InstanceId, incidentIdOf } from '../../domain/ids.ts';
import type { Facts, Incident, Verdict } from '../../domain/incident.ts';
import type { Instance } from '../../domain/machine.ts';
import type { Quarantine } from '../../domain/quarantine.ts';
import { type Scope, whyNotOurs } from '../../domain/scope.ts';
import type { Inventory } from '../../domain/service.ts';
import { brake } from '../../domain/storm.ts';
import { mayFencePartitioned } from '../../domain/verdict.ts';
import type { ComputeReads } from '../../ports/compute.ts';
import type {
  ClusterLedger,
  Control,
  IncidentLedger,
  QuarantineLedger,
} from '../../ports/ledger.ts';
import { type RecallDeps, recallAnnounced } from '../announced.ts';
import { type AssessDeps, factsAndScope, verdictOn } from '../assess-agent.ts';
import { applicantOf, causeOf, isBraked, shiftedZonesFor } from '../brake.ts';
import { flaps, guards } from '../guards.ts';
import { lookAround, type Picture, type PictureDeps } from '../picture.ts';
import { checkPlacement } from '../placement.ts';
import { heldByOperator, heldByWord } from '../switches.ts';
import { concludeOn, type Objection } from './conclusion.ts';
import { lineOf } from './incidents.ts';
import { refused } from './refused.ts';
import { witnessesOf } from './witness-words.ts';

export interface ExplainDeps extends PictureDeps {
  readonly ledger: PictureDeps['ledger'] &
    Pick<IncidentLedger, 'lastIncidentOf'> &
    Pick<ClusterLedger, 'control' | 'inventory'> &
    Pick<QuarantineLedger, 'quarantine'>;
  readonly compute: PictureDeps['compute'] &
    RecallDeps['compute'] &
    Pick<ComputeReads, 'instancesOfCluster' | 'volumeConditions' | 'volumesNamed'>;
  readonly policy: AssessDeps['policy'];
  readonly approvals: ApprovalPolicy;
  readonly scope: Scope;
}

/** What the ledger knows of it. */
interface Known {
  readonly control: Control;
  readonly inventory: Inventory | undefined;
  readonly quarantine: Quarantine | undefined;
  readonly last: Incident | undefined;
}

const isOver = ({ status }: Incident): boolean => status === 'recovered' || status === 'cancelled';

/** The open incident; without one, the one that a signal would open now. It is nowhere written. */
const supposed = (
  cluster: string,
  instanceId: InstanceId,
  last: Incident | undefined,
  now: EpochMs,
): Incident => {
  if (last !== undefined && !isOver(last)) return last;
  const n = (last?.n ?? 0) + 1;
  return {
    id: incidentIdOf(cluster, instanceId, n),
    cluster,
    instanceId,
    n,
    status: 'open',
    token: 1,
    seq: 0,
    executionName: '',
    openedAt: now,
    updatedAt: now,
    signals: [],
  };
};

/** Would the storm brake keep it waiting, by the record as it is? */
const whyBraked = (
  { clock, policy }: ExplainDeps,
  incident: Incident,
  instance: Instance,
  facts: Facts,
  verdict: Verdict,
  { evidence, past }: Picture,
  control: Control,
): Objection | undefined => {
  const now = clock.now();
  if (facts.volumes.length === 0 || !isBraked(verdict, incident, control, now)) return undefined;
  const applicant = applicantOf(incident, instance, facts.apps, causeOf(verdict, evidence));
  const shiftedZones = shiftedZonesFor(instance, control, now);
  const view = { policy, agents: past.agents, now, shiftedZones };
  const decision = brake(past.storm, applicant, view);
  return decision.kind === 'wait' ? { reason: 'storm', says: decision.says } : undefined;
};

/** Is there a person to ask, or an answer that is no yes? */
const whyUnapproved = (
  { approvals, clock }: ExplainDeps,
  incident: Incident,
  facts: Facts,
  verdict: Verdict,
): Objection | undefined => {
  const step = approvalStep(approvals, incident, verdict, facts, clock.now());
  if (step.kind === 'go' || facts.volumes.length === 0) return undefined;
  const says =
    step.kind === 'stop' ? step.says : `a person is asked first to ${step.approval.says}`;
  return { reason: 'approval', says };
};

/** What operators have switched or said, each for itself. */
const switchesOn = (
  { instanceId, operatorHold }: Incident,
  { maintenance, paused }: Control,
  now: EpochMs,
): readonly (Objection | undefined)[] => [
  operatorHold && heldByWord(operatorHold),
  paused && heldByOperator({ instanceId }, { maintenance: {}, paused }, now),
  heldByOperator({ instanceId }, { maintenance }, now),
];

/** Everything that would hold it, in the order in which the assessment asks. */
const objectionsTo = (
  deps: ExplainDeps,
  incident: Incident,
  picture: Picture,
  verdict: Verdict,
  { control, found }: { readonly control: Control; readonly found: Found | undefined },
): readonly Objection[] => {
  const isFlap = verdict.kind !== 'Down' && verdict.kind !== 'Returned';
  const { instance } = picture;
  const isKnown = found !== undefined && instance !== undefined;
  const all = [
    ...switchesOn(incident, control, deps.clock.now()),
    ...(isKnown ? guards(incident, instance, found.facts, found.scoped, picture, deps) : []),
    isKnown && isFlap && found.facts.volumes.length > 0
      ? flaps(deps, incident, picture)
      : undefined,
    isKnown
      ? whyBraked(deps, incident, instance, found.facts, verdict, picture, control)
      : undefined,
    isKnown ? whyUnapproved(deps, incident, found.facts, verdict) : undefined,
  ];
  return all.filter((objection) => objection !== undefined);
};

type Found = ReturnType<typeof factsAndScope>;

/** Would its apps find a place beside their data? What cannot be read is said too. */
const warningsOn = async (
  { compute, orchestrator }: ExplainDeps,
  incident: Incident,
  found: Found | undefined,
  { apps }: Picture,
): Promise<readonly Objection[]> => {
  if (found === undefined || found.facts.volumes.length === 0) return [];
  const appIds = found.facts.volumes.flatMap((volume) => volume.appIds);
  const moving = { facts: found.facts, acknowledged: incident.acknowledged };
  try {
    const cluster = { agents: await orchestrator.agents(), apps };
    const placement = await checkPlacement(compute, cluster, moving, appIds);
    return placement.kind === 'hold' ? [{ reason: placement.reason, says: placement.says }] : [];
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [{ reason: 'no-placement', says: `whether there is room could not be read: ${why}` }];
  }
};

const judgeNow = async (
  deps: ExplainDeps,
  incident: Incident,
  { inventory, quarantine }: Known,
): Promise<{ picture: Picture; verdict: Verdict; announced: Announced | undefined }> => {
  const started = incident.facts?.launchTime ?? inventory?.launchTime;
  const [picture, announced] = await Promise.all([
    lookAround(deps, incident, inventory, quarantine),
    recallAnnounced(deps, incident, started),
  ]);
  const verdict = verdictOn(deps, incident, picture, { announced, quarantine });
  return { picture, verdict, announced };
};

const readKnown = async (
  { ledger, scope: { cluster } }: ExplainDeps,
  instanceId: InstanceId,
): Promise<Known> => {
  const [control, inventory, quarantine, last] = await Promise.all([
    ledger.control(cluster),
    ledger.inventory(instanceId),
    ledger.quarantine(cluster, instanceId),
    ledger.lastIncidentOf(cluster, instanceId),
  ]);
  return { control, inventory, quarantine, last };
};

/**
 * Why the instance is, or is not, acted upon now: every witness read anew, the same verdict, and every
 * guard that speaks. Nothing is saved, and no place behind the storm brake is taken.
 */
export const explain = async (deps: ExplainDeps, instanceId: InstanceId) => {
  const { clock, policy, scope } = deps;
  const known = await readKnown(deps, instanceId);
  const { control, inventory, last } = known;
  const incident = supposed(scope.cluster, instanceId, last, clock.now());
  const { picture, verdict } = await judgeNow(deps, incident, known);
  const { evidence, instance } = picture;
  if (evidence.ec2.kind === 'unknown-instance' && last === undefined && inventory === undefined) {
    return refused(`neither EC2 nor the ledger knows ${instanceId}`);
  }
  const now = clock.now();
  const found = instance && factsAndScope(deps, incident, picture, inventory, instance, now);
  const objections = objectionsTo(deps, incident, picture, verdict, { control, found });
  const conclusion = concludeOn({
    verdict,
    objections,
    incident,
    isOpen: incident === last,
    hasVolumes: (found?.facts.volumes.length ?? 0) > 0,
    stranger: instance && whyNotOurs(instance.tags, scope),
    partitioned: mayFencePartitioned(policy, incident.acknowledged),
    now,
  });
  return {
    kind: 'explain' as const,
    version: 1 as const,
    at: now,
    cluster: scope.cluster,
    instanceId,
    ...conclusion,
    witnesses: witnessesOf(evidence),
    verdict: { kind: verdict.kind, why: verdict.why, whyNot: verdict.whyNot },
    guards: objections,
    warnings: await warningsOn(deps, incident, found, picture),
    volumes: (found?.facts.volumes ?? []).map((volume) => ({
      volumeId: volume.volumeId,
      name: volume.name,
      appIds: volume.appIds,
      device: volume.device,
      zone: volume.availabilityZone,
    })),
    leftAlone: found?.facts.leftAlone ?? [],
    appIds: found?.facts.apps.map(({ id }) => id) ?? [],
    ...(last === undefined ? {} : { incident: lineOf(last) }),
  };
};
