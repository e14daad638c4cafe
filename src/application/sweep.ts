import type { IncidentId, InstanceId } from '../domain/ids.ts';
import type { Incident } from '../domain/incident.ts';
import type { Instance, StatusChecks, Volume } from '../domain/machine.ts';
import { tagValue } from '../domain/machine.ts';
import { appsByVolumeName, isRoot, mayAdopt, type Scope, whyNotOurs } from '../domain/scope.ts';
import type { App, Inventory, MesosAgent, Task } from '../domain/service.ts';
import type { ComputeReads } from '../ports/compute.ts';
import type { ClusterLedger, IncidentLedger } from '../ports/ledger.ts';
import type { Orchestrator } from '../ports/orchestrator.ts';
import type { Clock, Log, Metrics } from '../ports/system.ts';
import type { Adoption, Functions, Workflow } from '../ports/workflow.ts';
import { startExecution } from './intake.ts';
import { probeTimeoutMs, silentProbes } from './witnesses.ts';

export interface SweepDeps {
  readonly ledger: Pick<IncidentLedger, 'close' | 'incident' | 'openIncidents' | 'takeOver'> &
    Pick<ClusterLedger, 'inventory' | 'recordInventory'>;
  readonly compute: Pick<
    ComputeReads,
    'instancesOfCluster' | 'volumesOfInstances' | 'statusChecksOf'
  >;
  readonly orchestrator: Pick<Orchestrator, 'agents' | 'apps' | 'tasks' | 'probe'>;
  readonly workflow: Pick<Workflow, 'start' | 'status' | 'arnOf'>;
  readonly functions: Functions;
  readonly adoption: Adoption;
  readonly scope: Scope;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface Swept {
  readonly kind: 'swept';
  readonly agents: number;
  readonly resumed: readonly IncidentId[];
  /** Mesos or Marathon did not answer: the inventory was left as it was. */
  readonly blind: boolean;
}

/** An execution that ended is believed gone only when the incident was quiet for this long too. */
const quietMs = 60_000;

interface Picture {
  readonly instances: readonly Instance[];
  readonly volumes: readonly Volume[];
  readonly checks: ReadonlyMap<InstanceId, StatusChecks>;
  readonly agents: readonly MesosAgent[];
  readonly apps: readonly App[];
  readonly tasks: readonly Task[];
}

const lookAround = async ({ compute, orchestrator, scope }: SweepDeps): Promise<Picture> => {
  const [all, agents, apps, tasks] = await Promise.all([
    compute.instancesOfCluster(),
    orchestrator.agents(),
    orchestrator.apps(),
    orchestrator.tasks(),
  ]);
  const instances = all.filter(
    (instance) => instance.state === 'running' && whyNotOurs(instance.tags, scope) === undefined,
  );
  const ids = instances.map((instance) => instance.instanceId);
  const [volumes, checks] = await Promise.all([
    compute.volumesOfInstances(ids),
    compute.statusChecksOf(ids),
  ]);
  return { instances, volumes, checks, agents, apps, tasks };
};

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

const isImpaired = (checks: StatusChecks | undefined): boolean =>
  checks !== undefined && [checks.system, checks.instance, checks.attachedEbs].includes('impaired');

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

const keepInventory = async (deps: SweepDeps, picture: Picture): Promise<void> => {
  const { clock, ledger } = deps;
  await Promise.all(
    picture.instances.map(async (instance) => {
      const agent = picture.agents.find((a) => a.hostname === instance.privateIp && !a.recovered);
      if (agent === undefined) return;
      if (isImpaired(picture.checks.get(instance.instanceId))) {
        await probeImpaired(deps, instance, agent, picture);
      } else if (agent.active) {
        const inventory = inventoryOf(instance, agent, picture, clock.now());
        await ledger.recordInventory(instance.instanceId, inventory);
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
  const arn = incident.executionArn ?? workflow.arnOf(incident.executionName);
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

/**
 * Every minute: takes up incidents whose execution died, keeps what a dead agent can no longer
 * tell, asks for adoption where a volume lacks its tag, keeps the step functions warm. Batch reads
 * only; a blind sweep still resumes.
 */
export const createSweep = (deps: SweepDeps) => async (): Promise<Swept> => {
  const { adoption, functions, log, metrics } = deps;
  const warming = functions.warm();
  const resumed = await resume(deps);
  const picture = await lookAround(deps).catch((error: unknown) => {
    log.error('sweep is blind', { problem: error instanceof Error ? error.message : 'unknown' });
    metrics.count('SweepBlind');
    return undefined;
  });
  if (picture !== undefined) {
    await keepInventory(deps, picture);
    const orphan = picture.instances.some((instance) =>
      picture.volumes.some((volume) => mayAdopt(volume, instance, picture.apps)),
    );
    if (orphan) await adoption.request();
  }
  await warming;
  return {
    kind: 'swept',
    agents: picture?.instances.length ?? 0,
    resumed,
    blind: picture === undefined,
  };
};
