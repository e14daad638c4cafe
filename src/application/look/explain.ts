import { actOn } from '../../domain/act-on.ts';
import type { Announced } from '../../domain/announced.ts';
import { isCommitted } from '../../domain/fence.ts';
import { type EpochMs, type InstanceId, incidentIdOf } from '../../domain/ids.ts';
import type { Facts, HoldReason, Incident, Verdict } from '../../domain/incident.ts';
import type { Instance } from '../../domain/machine.ts';
import { stageOf } from '../../domain/message.ts';
import type { Quarantine } from '../../domain/quarantine.ts';
import { type Scope, whyNotOurs } from '../../domain/scope.ts';
import type { Inventory } from '../../domain/service.ts';
import { brake } from '../../domain/storm.ts';
import { type Evidence, mayFencePartitioned, sayHeld, sayMesos } from '../../domain/verdict.ts';
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
import { heldByOperator } from '../step.ts';
import { lineOf } from './incidents.ts';
import { refused } from './refused.ts';

export interface ExplainDeps extends PictureDeps {
  readonly ledger: PictureDeps['ledger'] &
    Pick<IncidentLedger, 'lastIncidentOf'> &
    Pick<ClusterLedger, 'control' | 'inventory'> &
    Pick<QuarantineLedger, 'quarantine'>;
  readonly compute: PictureDeps['compute'] &
    RecallDeps['compute'] &
    Pick<ComputeReads, 'instancesOfCluster' | 'volumeConditions' | 'volumesNamed'>;
  readonly policy: AssessDeps['policy'];
  readonly scope: Scope;
}

interface Objection {
  readonly reason: HoldReason;
  readonly says: string;
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

const sayEc2 = ({ ec2 }: Evidence): string => {
  switch (ec2.kind) {
    case 'seen': {
      const { launchTime, state, stateReasonCode } = ec2.instance;
      const reason = stateReasonCode === undefined ? '' : ` (${stateReasonCode})`;
      return `${state}${reason}, started ${launchTime}`;
    }
    case 'unknown-instance':
      return 'EC2 does not know it, which proves nothing';
    case 'unreadable':
      return `EC2 cannot be read: ${ec2.why}`;
  }
};

const sayChecks = ({ at, checks }: Evidence): string => {
  if (checks.kind === 'none') return 'EC2 reports none';
  if (checks.kind === 'unreadable') return `cannot be read: ${checks.why}`;
  const { attachedEbs, impairedSince, instance, system } = checks.checks;
  const since =
    impairedSince === undefined
      ? ''
      : `, impaired for ${Math.round((at - impairedSince) / 1000)} s`;
  return `system ${system}, instance ${instance}, attached EBS ${attachedEbs}${since}`;
};

const sayMasters = ({ masters }: Evidence): string | undefined => {
  if (masters === undefined) return undefined;
  return masters.kind === 'counted'
    ? `${masters.missing} of ${masters.known} agents are missing that EC2 finds well`
    : `many of ${masters.known} agents are missing, and EC2 cannot say whether they are well`;
};

const witnessesOf = (evidence: Evidence) => {
  const masters = sayMasters(evidence);
  return {
    ec2: sayEc2(evidence),
    checks: sayChecks(evidence),
    mesos: sayMesos(evidence.mesos),
    ...(masters === undefined ? {} : { masters }),
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

/** Everything that would hold it, in the order in which the assessment asks. */
const objectionsTo = (
  deps: ExplainDeps,
  incident: Incident,
  picture: Picture,
  verdict: Verdict,
  { control, found }: { readonly control: Control; readonly found: Found | undefined },
): readonly Objection[] => {
  const switched = heldByOperator(incident, control, deps.clock.now());
  const isFlap = verdict.kind !== 'Down' && verdict.kind !== 'Returned';
  const { instance } = picture;
  const isKnown = found !== undefined && instance !== undefined;
  const all = [
    switched,
    ...(isKnown ? guards(incident, instance, found.facts, found.scoped, picture, deps) : []),
    isKnown && isFlap && found.facts.volumes.length > 0
      ? flaps(deps, incident, picture)
      : undefined,
    isKnown
      ? whyBraked(deps, incident, instance, found.facts, verdict, picture, control)
      : undefined,
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

type Action = 'act' | 'watch' | 'cancel' | 'hold' | 'plan' | 'none';

/** What the conclusion is drawn from. */
interface Conclusion {
  readonly verdict: Verdict;
  readonly objections: readonly Objection[];
  readonly incident: Incident;
  readonly isOpen: boolean;
  readonly hasVolumes: boolean;
  readonly stranger: string | undefined;
  readonly partitioned: boolean;
  readonly now: EpochMs;
}

type Concluded = { readonly action: Action; readonly says: string };

const holdFor = ({ reason, says }: Objection): Concluded => ({
  action: 'hold',
  says: `held (${reason}): ${says}`,
});

/** What the verdict leads to where no operator's switch is in the way. */
const concludeFreely = (view: Conclusion): Concluded => {
  const { hasVolumes, incident, isOpen, objections, verdict } = view;
  const why = `${verdict.kind}: ${verdict.why.join('; ')}`;
  const decided = actOn(verdict, view.now - incident.openedAt, view.partitioned);
  switch (decided.kind) {
    case 'hold':
      return holdFor({ reason: decided.reason, says: sayHeld(verdict) });
    case 'act': {
      const [first] = objections;
      if (first !== undefined) return holdFor(first);
      return hasVolumes || verdict.kind === 'Returned'
        ? { action: 'act', says: `to be acted upon: ${why}` }
        : { action: 'cancel', says: `nothing of the cluster is on it to move: ${why}` };
    }
    case 'watch':
      return { action: 'watch', says: `to be looked at again: ${why}` };
    case 'cancel':
      return { action: isOpen ? 'cancel' : 'none', says: `nothing to do: ${why}` };
    case 'plan':
      return { action: 'plan', says: `to be emptied while it works: ${why}` };
  }
};

/** What it comes to, and that in one sentence. Pure. */
const concludeOn = (view: Conclusion): Concluded => {
  const { incident, isOpen, objections, stranger } = view;
  if (!isOpen && stranger !== undefined) {
    return { action: 'none', says: `it is none of the cluster's agents: it ${stranger}` };
  }
  const isFenced = isCommitted(incident.fence) || incident.fence?.proof !== undefined;
  const free: Concluded =
    isOpen && isFenced
      ? {
          action: 'act',
          says: `its fence has begun, and there is no way back: ${stageOf(incident)}`,
        }
      : concludeFreely(view);
  const switched = objections.find(({ reason }) => reason === 'paused' || reason === 'maintenance');
  // A switch holds what is open, and what would be opened; it is no reason to open anything.
  return switched !== undefined && (isOpen || free.action !== 'none') ? holdFor(switched) : free;
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
