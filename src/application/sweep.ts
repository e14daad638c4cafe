import { modeOf } from '../domain/announced.ts';
import type { EpochMs, IncidentId, InstanceId } from '../domain/ids.ts';
import type { Incident } from '../domain/incident.ts';
import { type Instance, tagValue } from '../domain/machine.ts';
import { appsByVolumeName, doomedWith, isRoot, mayAdopt, whyNotOurs } from '../domain/scope.ts';
import type { App, Inventory, MesosAgent, Task } from '../domain/service.ts';
import { isDown, isImpaired } from '../domain/verdict.ts';
import type { ComputeReads } from '../ports/compute.ts';
import type { ClusterLedger, IncidentLedger } from '../ports/ledger.ts';
import type { Orchestrator } from '../ports/orchestrator.ts';
import type { Adoption, Workflow } from '../ports/workflow.ts';
import { startExecution } from './intake.ts';
import { admitMissed, type LostEventsDeps, type Machines } from './lost-events.ts';
import { probeTimeoutMs, silentProbes } from './witnesses.ts';

export interface SweepDeps extends LostEventsDeps {
  readonly ledger: LostEventsDeps['ledger'] &
    Pick<IncidentLedger, 'close' | 'incident' | 'openIncidents'> &
    Pick<ClusterLedger, 'recordInventory' | 'unwatch' | 'watch' | 'watched'>;
  readonly compute: LostEventsDeps['compute'] &
    Pick<ComputeReads, 'instancesOfCluster' | 'volumesOfInstances' | 'statusChecksOf'>;
  readonly orchestrator: Pick<Orchestrator, 'agents' | 'apps' | 'tasks' | 'probe'>;
  readonly workflow: Pick<Workflow, 'start' | 'status' | 'arnOf'>;
  readonly adoption: Adoption;
}

export interface Swept {
  readonly kind: 'swept';
  readonly agents: number;
  readonly resumed: readonly IncidentId[];
  /** Failures that no event had told of. */
  readonly found: readonly InstanceId[];
  /** EC2, Mesos or Marathon did not answer: the inventory was left as it was. */
  readonly blind: boolean;
}

/** Lambda keeps an idle environment for longer than this, and intake warms too. Minutes. */
const warmEvery = 5;
const isWarmingDue = (now: EpochMs): boolean => Math.floor(now / 60_000) % warmEvery === 0;

/** An execution that ended is believed gone only when the incident was quiet for this long too. */
const quietMs = 60_000;

/** What Mesos and Marathon say. */
interface Services {
  readonly agents: readonly MesosAgent[];
  readonly apps: readonly App[];
  readonly tasks: readonly Task[];
}

type Picture = Machines & Services;

/** So long EC2 shows what was terminated; after that nobody misses it any more. */
const forgottenMs = 3_600_000;

/** Watched agents that no read by tag finds: what is terminated may have lost its tags. */
const lookForMissing = async (
  { clock, compute, ledger, scope }: SweepDeps,
  missing: readonly InstanceId[],
): Promise<Instance[]> => {
  const found = await Promise.all(
    missing.map(async (instanceId) => {
      const instance = await compute.instance(instanceId);
      if (instance !== undefined && isDown(instance.state)) return [instance];
      const seenAt = (await ledger.inventory(instanceId))?.seenAt ?? 0;
      const isOver = instance !== undefined || clock.now() - seenAt >= forgottenMs;
      if (isOver) await ledger.unwatch(scope.cluster, instanceId);
      return [];
    }),
  );
  return found.flat();
};

const lookAtMachines = async (
  deps: SweepDeps,
  watched: readonly InstanceId[],
): Promise<Machines> => {
  const { compute, scope } = deps;
  const tagged = await compute.instancesOfCluster();
  const known = new Set(tagged.map(({ instanceId }) => instanceId));
  const missing = watched.filter((instanceId) => !known.has(instanceId));
  const ours = tagged.filter((instance) => whyNotOurs(instance.tags, scope) === undefined);
  const instances = [...ours, ...(await lookForMissing(deps, missing))];
  const running = instances.filter(({ state }) => state === 'running');
  const [volumes, checks] = await Promise.all([
    compute.volumesOfInstances(instances.map(({ instanceId }) => instanceId)),
    compute.statusChecksOf(running.map(({ instanceId }) => instanceId)),
  ]);
  return { instances, volumes, checks };
};

const lookAtServices = async ({ orchestrator }: SweepDeps): Promise<Services> => {
  const [agents, apps, tasks] = await Promise.all([
    orchestrator.agents(),
    orchestrator.apps(),
    orchestrator.tasks(),
  ]);
  return { agents, apps, tasks };
};

const runningIn = ({ instances }: Machines): readonly Instance[] =>
  instances.filter(({ state }) => state === 'running');

/** What is worth knowing of an agent once it can no longer tell. */
const inventoryOf = (
  instance: Instance,
  agent: MesosAgent,
  picture: Picture,
  seenAt: Inventory['seenAt'],
): Inventory => {
  const names = appsByVolumeName(picture.apps);
  const tasks = picture.tasks.filter((task) => task.agentId === agent.agentId);
  const running = new Set(tasks.map((task) => task.appId));
  const volumes = picture.volumes.flatMap((volume) => {
    const name = tagValue(volume.tags, 'Name');
    const here = volume.attachments.find((a) => a.instanceId === instance.instanceId);
    const isRootDisk = isRoot(volume, instance);
    return here !== undefined && !isRootDisk && name !== undefined && names.has(name)
      ? [{ volumeId: volume.volumeId, name, device: here.device }]
      : [];
  });
  return {
    launchTime: instance.launchTime,
    ...(instance.privateIp === undefined ? {} : { privateIp: instance.privateIp }),
    availabilityZone: instance.availabilityZone,
    agentIds: [agent.agentId],
    apps: picture.apps.filter((app) => running.has(app.id)),
    tasks: tasks.map(({ id, appId }) => ({ id, appId })),
    volumes,
    seenAt,
  };
};

/**
 * EC2 calls it impaired: ask the agent itself, so that a verdict need not begin from nothing when
 * the alarm comes a minute later. What is known of it stays as it was.
 */
const probeImpaired = async (
  deps: SweepDeps,
  instance: Instance,
  agent: MesosAgent,
  picture: Picture,
): Promise<void> => {
  const { clock, ledger, orchestrator } = deps;
  const known = await ledger.inventory(instance.instanceId);
  if (known === undefined || known.launchTime !== instance.launchTime) return;
  const others = picture.agents.filter((other) => other.active && other !== agent).slice(0, 3);
  const [here, there] = await Promise.all([
    Promise.all([1, 2].map(() => orchestrator.probe(agent.agentId, probeTimeoutMs))),
    Promise.all(others.map((other) => orchestrator.probe(other.agentId, probeTimeoutMs))),
  ]);
  const { silence, ...rest } = known;
  // Others must answer, or a failed probe says nothing about this one.
  const failed = !here.includes(true) && there.filter(Boolean).length >= silentProbes;
  const probes = failed ? (silence?.probes ?? 0) + here.length : 0;
  await ledger.recordInventory(instance.instanceId, {
    ...rest,
    ...(probes === 0 ? {} : { silence: { probes, lastAt: clock.now() } }),
  });
};

const keepInventory = async (
  deps: SweepDeps,
  picture: Picture,
  watched: readonly InstanceId[],
): Promise<void> => {
  const { clock, ledger, scope } = deps;
  await Promise.all(
    runningIn(picture).map(async (instance) => {
      const { instanceId, privateIp } = instance;
      const agent = picture.agents.find((a) => a.hostname === privateIp && !a.recovered);
      if (agent === undefined) return;
      const checks = picture.checks.get(instanceId);
      if (checks !== undefined && isImpaired(checks)) {
        await probeImpaired(deps, instance, agent, picture);
      } else if (agent.active) {
        const inventory = inventoryOf(instance, agent, picture, clock.now());
        await ledger.recordInventory(instanceId, inventory);
        if (!watched.includes(instanceId)) await ledger.watch(scope.cluster, instanceId);
      }
    }),
  );
};

/** The execution that holds the incident has ended, or never began, without ending it. */
const needsExecution = async (deps: SweepDeps, incident: Incident): Promise<boolean> => {
  const { clock, workflow } = deps;
  const now = clock.now();
  const due =
    incident.status === 'held' ? (incident.hold?.retryAt ?? 0) : incident.updatedAt + quietMs;
  if (now < due) return false;
  const arn = incident.executionArn ?? workflow.arnOf(modeOf(incident), incident.executionName);
  return (await workflow.status(arn)) !== 'RUNNING';
};

/** Takes the incident over if nobody works on it. A quiet ledger alone proves nothing. */
const resumeOne = async (deps: SweepDeps, id: IncidentId): Promise<boolean> => {
  const { clock, ledger, log, metrics, workflow } = deps;
  const incident = await ledger.incident(id);
  if (incident === undefined) return false;
  if (incident.status === 'recovered' || incident.status === 'cancelled') {
    // Over but still listed: its closing was cut short, and is completed under its own token.
    await ledger.close(id, incident.token, { status: incident.status }, clock.now());
    return false;
  }
  if (!(await needsExecution(deps, incident))) return false;
  const taken = await ledger.takeOver(id, incident.token, clock.now());
  if (taken === 'lost') return false;
  await startExecution(workflow, taken);
  log.warn('incident resumed', { incidentId: id, token: taken.token });
  metrics.count('IncidentResumed');
  return true;
};

/** One incident that cannot be read must not keep the others from being taken up. */
const resume = async (deps: SweepDeps): Promise<IncidentId[]> => {
  const { ledger, log, metrics, scope } = deps;
  const resumed: IncidentId[] = [];
  for (const id of await ledger.openIncidents(scope.cluster)) {
    try {
      if (await resumeOne(deps, id)) resumed.push(id);
    } catch (error) {
      const problem = error instanceof Error ? error.message : 'unknown';
      log.error('incident not resumed', { incidentId: id, problem });
      metrics.count('IncidentNotResumed');
    }
  }
  return resumed;
};

/** What could not be seen is counted, and the rest of the sweep goes on without it. */
const seen = async <T>({ log, metrics }: SweepDeps, looking: Promise<T>): Promise<T | undefined> =>
  looking.catch((error: unknown) => {
    log.error('sweep is blind', { problem: error instanceof Error ? error.message : 'unknown' });
    metrics.count('SweepBlind');
    return undefined;
  });

const keep = async (
  deps: SweepDeps,
  picture: Picture,
  watched: readonly InstanceId[],
): Promise<void> => {
  await keepInventory(deps, picture, watched);
  const { apps, volumes } = picture;
  const isDue = runningIn(picture).some(
    (instance) =>
      volumes.some((volume) => mayAdopt(volume, instance, apps)) ||
      doomedWith(instance, volumes, apps, deps.scope.cluster).length > 0,
  );
  if (isDue) await deps.adoption.request();
};

/**
 * Every minute: takes up incidents whose execution died, keeps what a dead agent can no longer
 * tell, opens incidents for failures whose events were lost, asks for adoption where a volume lacks
 * its tag or would be deleted with its machine, and every five minutes warms the step functions.
 * Batch reads only, as long as nothing has failed. Blind for Mesos it still resumes, and still finds
 * what EC2 calls down.
 */
export const createSweep = (deps: SweepDeps) => async (): Promise<Swept> => {
  const { clock, functions, ledger, scope } = deps;
  const warming = isWarmingDue(clock.now()) ? functions.warm() : undefined;
  const resumed = await resume(deps);
  const watched = await ledger.watched(scope.cluster);
  const [machines, services] = await Promise.all([
    seen(deps, lookAtMachines(deps, watched)),
    seen(deps, lookAtServices(deps)),
  ]);
  if (machines && services) await keep(deps, { ...machines, ...services }, watched);
  const found = machines === undefined ? [] : await admitMissed(deps, machines);
  await warming;
  return {
    kind: 'swept',
    agents: machines === undefined ? 0 : runningIn(machines).length,
    resumed,
    found,
    blind: machines === undefined || services === undefined,
  };
};
