import { withAnnounced } from '../domain/announced.ts';
import { TokenLostError } from '../domain/errors.ts';
import { isCommitted, mayBeUnderWay } from '../domain/fence.ts';
import { type EpochMs, instanceOf, type VolumeId } from '../domain/ids.ts';
import type { Facts, HoldReason, Incident, Verdict } from '../domain/incident.ts';
import { type Instance, tagValues, type Volume } from '../domain/machine.ts';
import type { Policy } from '../domain/policy.ts';
import {
  appsByVolumeName,
  type Scope,
  type ScopedVolumes,
  scopeVolumes,
  whyNotMovable,
  whyNotOurs,
  withEstranged,
} from '../domain/scope.ts';
import type { App, Inventory, Task } from '../domain/service.ts';
import { actOn, type Evidence, judge, orderIn } from '../domain/verdict.ts';
import type { ComputeReads } from '../ports/compute.ts';
import type { PhaseEvents } from '../ports/events.ts';
import type { ClusterLedger, IncidentLedger, OwnershipLedger } from '../ports/ledger.ts';
import type { Orchestrator } from '../ports/orchestrator.ts';
import type { Clock } from '../ports/system.ts';
import { type RecallDeps, recallAnnounced } from './announced.ts';
import { heldByOperator, hold, type StepInput } from './step.ts';
import { gatherEvidence, knownSince } from './witnesses.ts';

export interface AssessAgentDeps extends RecallDeps {
  readonly ledger: Pick<IncidentLedger, 'bindExecution' | 'save'> &
    Pick<ClusterLedger, 'control' | 'inventory'> &
    Pick<OwnershipLedger, 'ownership'>;
  readonly compute: RecallDeps['compute'] &
    Pick<ComputeReads, 'instance' | 'statusChecks' | 'volumesOf' | 'volumes'>;
  readonly orchestrator: Pick<Orchestrator, 'agents' | 'probe' | 'apps' | 'tasks'>;
  readonly events: PhaseEvents;
  readonly scope: Scope;
  readonly policy: Policy;
  readonly clock: Clock;
}

export interface AssessInput extends StepInput {
  readonly executionArn: string;
}

export type AssessDecision =
  | { readonly kind: 'proceed' }
  | { readonly kind: 'watch'; readonly waitSeconds: number }
  | { readonly kind: 'planned' }
  | { readonly kind: 'cancelled' }
  | { readonly kind: 'hold'; readonly reason: HoldReason };

/** Everything the assessment read, side by side. */
export interface Picture {
  readonly evidence: Evidence;
  readonly instance: Instance | undefined;
  readonly volumes: readonly Volume[];
  /** Names the ledger has for volumes that carry none. */
  readonly known: ReadonlyMap<VolumeId, string>;
  /** Deleted, and an app waits for it. */
  readonly lost: readonly { readonly volumeId: VolumeId; readonly name: string }[];
  readonly apps: readonly App[];
  readonly tasks: readonly Task[];
}

/** Marathon may be down: then what was known has to do, and says so by its age. */
const readServices = async (
  orchestrator: AssessAgentDeps['orchestrator'],
  memory: Memory | undefined,
): Promise<{ apps: readonly App[]; tasks: readonly Task[] }> => {
  try {
    const [apps, tasks] = await Promise.all([orchestrator.apps(), orchestrator.tasks()]);
    return { apps, tasks };
  } catch (error) {
    if (memory === undefined) throw error;
    return { apps: memory.apps, tasks: [] };
  }
};

/** What a dead agent can no longer tell, and somebody wrote down while it could. */
type Memory = Pick<
  Inventory,
  'launchTime' | 'privateIp' | 'agentIds' | 'apps' | 'tasks' | 'volumes'
>;

/** The incident's own first look knows what the inventory knew, unless that is of a later start. */
const memoryOf = (
  facts: Facts | undefined,
  inventory: Inventory | undefined,
): Memory | undefined =>
  facts !== undefined && facts.launchTime >= (inventory?.launchTime ?? '') ? facts : inventory;

/** Names of the volumes that were on it, by id: what is deleted can only be remembered. */
const rememberedOf = (
  memory: Memory | undefined,
  inventory: Inventory | undefined,
): ReadonlyMap<VolumeId, string> => {
  const same = inventory?.launchTime === memory?.launchTime ? inventory : undefined;
  const volumes = [...(memory?.volumes ?? []), ...(same?.volumes ?? [])];
  return new Map(volumes.map(({ volumeId, name }) => [volumeId as VolumeId, name]));
};

/**
 * The volumes EC2 reports on the instance, and those remembered: a terminated instance forgets its
 * mappings. Of what EC2 does not know any more only the id is left.
 */
const readVolumes = async (
  { compute }: AssessAgentDeps,
  { instanceId }: Incident,
  remembered: readonly VolumeId[],
): Promise<{ volumes: readonly Volume[]; gone: readonly VolumeId[] }> => {
  const attached = await compute.volumesOf(instanceId);
  const seen = new Set(attached.map((volume) => volume.volumeId));
  const elsewhere = remembered.filter((volumeId) => !seen.has(volumeId));
  if (elsewhere.length === 0) return { volumes: attached, gone: [] };
  const more = await compute.volumes(elsewhere);
  for (const { volumeId } of more) seen.add(volumeId);
  const free = more.filter(({ attachments }) =>
    attachments.every((attachment) => attachment.instanceId === instanceId),
  );
  return {
    volumes: [...attached, ...free],
    gone: elsewhere.filter((volumeId) => !seen.has(volumeId)),
  };
};

/** Deleted while it was this agent's: an app still names it, and no failover had moved it away. */
const readLost = async (
  { ledger }: AssessAgentDeps,
  { instanceId }: Incident,
  gone: readonly VolumeId[],
): Promise<VolumeId[]> => {
  const records = await Promise.all(gone.map((volumeId) => ledger.ownership(volumeId)));
  return gone.filter((_, i) => records[i]?.state !== 'owned' || records[i]?.from !== instanceId);
};

const readNames = async (
  { ledger }: AssessAgentDeps,
  volumes: readonly Volume[],
): Promise<ReadonlyMap<VolumeId, string>> => {
  const nameless = volumes.filter(({ tags }) => tagValues(tags, 'Name').length === 0);
  const records = await Promise.all(nameless.map(({ volumeId }) => ledger.ownership(volumeId)));
  return new Map(
    records.flatMap((record) => (record ? [[record.volumeId, record.name] as const] : [])),
  );
};

export const lookAround = async (
  deps: AssessAgentDeps,
  incident: Incident,
  inventory: Inventory | undefined,
): Promise<Picture> => {
  const memory = memoryOf(incident.facts, inventory);
  const remembered = rememberedOf(memory, inventory);
  const reading = readVolumes(deps, incident, [...remembered.keys()]);
  const [evidence, { volumes }, known, gone, services] = await Promise.all([
    gatherEvidence(deps, incident.instanceId, knownSince(inventory, incident.verdict)),
    reading,
    reading.then((read) => readNames(deps, read.volumes)),
    reading.then((read) => readLost(deps, incident, read.gone)),
    readServices(deps.orchestrator, memory),
  ]);
  const instance = evidence.ec2.kind === 'seen' ? evidence.ec2.instance : undefined;
  // What was known of an earlier start says nothing about this one.
  const isSame = memory?.launchTime === instance?.launchTime;
  const named = appsByVolumeName(services.apps);
  const lost = gone
    .map((volumeId) => ({ volumeId, name: remembered.get(volumeId) ?? '' }))
    .filter(({ name }) => isSame && named.has(name));
  return { evidence, instance, volumes, known, lost, ...services };
};

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

/** Reasons not to act although the verdict says so; a person can wave some of them through. */
export const guard = (
  incident: Incident,
  instance: Instance,
  facts: Facts,
  scoped: ScopedVolumes,
  { lost }: Picture,
  deps: AssessAgentDeps,
): { reason: HoldReason; says: string } | undefined => {
  const acknowledged = incident.acknowledged ?? [];
  const stranger = whyNotOurs(instance.tags, deps.scope);
  if (stranger !== undefined && instance.state !== 'terminated') {
    return { reason: 'ambiguous-scope', says: `${instance.instanceId} ${stranger}` };
  }
  const unmovable = whyNotMovable(scoped);
  if (unmovable !== undefined) return unmovable;
  if (lost.length > 0) {
    const names = lost.map(({ volumeId, name }) => `${volumeId} (${name})`).join(', ');
    return { reason: 'volume-lost', says: `${names}: gone; restore the latest snapshot` };
  }
  const local = facts.apps.filter((app) => app.hasLocalVolumes);
  if (local.length > 0 && !acknowledged.includes('local-persistent-volumes')) {
    const says =
      `${local.map((app) => app.id).join(', ')} keep local persistent volumes on this agent, which ` +
      'marking it gone destroys. Acknowledge to go on.';
    return { reason: 'local-persistent-volumes', says };
  }
  return undefined;
};

/** What is on the machine, and what of it is ours to move. */
export const factsAndScope = (
  deps: Pick<AssessAgentDeps, 'scope'>,
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
  return { facts: factsOf(picture, instance, memory, scoped, now), scoped };
};

/** How soon to look again for a command whose answer was lost. */
const underWayLookMs = 5_000;

const isDecided = (incident: Incident): boolean =>
  incident.facts !== undefined &&
  (isCommitted(incident.fence) || incident.fence?.proof !== undefined);

/** The verdict leads to action: are there guards, and is there anything to move? */
const conclude = async (
  deps: AssessAgentDeps,
  incident: Incident,
  picture: Picture,
  verdict: Verdict,
  inventory: Inventory | undefined,
): Promise<AssessDecision> => {
  const { instance } = picture;
  const now = deps.clock.now();
  if (instance === undefined) {
    const says = 'EC2 does not know the instance, and unknown is not dead';
    return hold(deps.ledger, incident, { reason: 'unknown-incarnation', says }, now);
  }
  const { facts, scoped } = factsAndScope(deps, incident, picture, inventory, instance, now);
  const patch = { verdict, facts, status: 'open' } as const;
  const seen = await deps.ledger.save(incident.id, incident.token, patch, now);
  const stop = guard(incident, instance, facts, scoped, picture, deps);
  if (stop !== undefined) return hold(deps.ledger, seen, stop, now);
  if (facts.volumes.length === 0) return { kind: 'cancelled' };
  return { kind: 'proceed' };
};

/** Binds this execution to its token and loads the incident, in one conditional write. */
export const bind = async (
  { clock, ledger }: Pick<AssessAgentDeps, 'clock' | 'ledger'>,
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
    const { clock, ledger, policy, scope } = deps;
    const [incident, control, inventory] = await Promise.all([
      bind(deps, input),
      ledger.control(scope.cluster),
      ledger.inventory(instanceOf(input.incidentId)),
    ]);
    const switched = heldByOperator(incident, control, clock.now());
    if (switched !== undefined) return hold(ledger, incident, switched, clock.now());
    if (isDecided(incident)) {
      await ledger.save(incident.id, incident.token, { status: 'open' }, clock.now());
      return { kind: 'proceed' };
    }
    const started = incident.facts?.launchTime ?? inventory?.launchTime;
    const [picture, announced] = await Promise.all([
      lookAround(deps, incident, inventory),
      recallAnnounced(deps, incident, started),
    ]);
    const base = judge(picture.evidence, policy, orderIn(incident.signals));
    const verdict = withAnnounced(base, announced, policy.drainReserveMs);
    const action = actOn(verdict, clock.now() - incident.openedAt);
    if (action.kind === 'act') return conclude(deps, incident, picture, verdict, inventory);
    const at = clock.now();
    const seen = await ledger.save(incident.id, incident.token, { verdict }, at);
    if (action.kind === 'plan' && !mayBeUnderWay(incident.fence, at)) return { kind: 'planned' };
    if (action.kind === 'cancel' && !mayBeUnderWay(incident.fence, at))
      return { kind: 'cancelled' };
    if (action.kind !== 'hold') {
      const waitMs = action.kind === 'watch' ? action.waitMs : underWayLookMs;
      return { kind: 'watch', waitSeconds: Math.max(1, Math.ceil(waitMs / 1000)) };
    }
    return hold(ledger, seen, { reason: 'blind', says: verdict.why.join('; ') }, at);
  };
