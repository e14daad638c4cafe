import type { EpochMs, IncidentId, InstanceId } from '../domain/ids.ts';
import { type Instance, tagValue } from '../domain/machine.ts';
import { appsByVolumeName, doomedWith, isRoot, mayAdopt, whyNotOurs } from '../domain/scope.ts';
import type { App, Inventory, MesosAgent, Task } from '../domain/service.ts';
import { isDown, isImpaired } from '../domain/verdict.ts';
import type { ComputeReads } from '../ports/compute.ts';
import type { ClusterLedger, QuarantineLedger } from '../ports/ledger.ts';
import type { Orchestrator } from '../ports/orchestrator.ts';
import type { Adoption } from '../ports/workflow.ts';
import { admitLost } from './lost-agents.ts';
import { admitMissed, type LostEventsDeps, type Machines } from './lost-events.ts';
import { type OdditiesDeps, reportOddities } from './oddities.ts';
import { type ResumeDeps, resume } from './resume.ts';
import { admitReturned, type ReturnedHostsDeps, returnedIn } from './returned-hosts.ts';
import { probeTimeoutMs, silentProbes } from './witnesses.ts';

export interface SweepDeps extends LostEventsDeps, ResumeDeps {
  readonly policy: LostEventsDeps['policy'] & ResumeDeps['policy'];
  readonly ledger: LostEventsDeps['ledger'] &
    ResumeDeps['ledger'] &
    ReturnedHostsDeps['ledger'] &
    OdditiesDeps['ledger'] &
    Pick<ClusterLedger, 'recordInventory' | 'unwatch' | 'watch' | 'watched'> &
    Pick<QuarantineLedger, 'quarantines'>;
  readonly compute: LostEventsDeps['compute'] &
    Pick<ComputeReads, 'instancesOfCluster' | 'volumesOfInstances' | 'statusChecksOf'>;
  readonly orchestrator: Pick<Orchestrator, 'agents' | 'apps' | 'tasks' | 'probe'>;
  readonly workflow: ResumeDeps['workflow'];
  readonly adoption: Adoption;
}

export interface Swept {
  readonly kind: 'swept';
  readonly agents: number;
  readonly resumed: readonly IncidentId[];
  /** Failures that no event had told of. */
  readonly found: readonly InstanceId[];
  /** Fenced hosts that run again. */
  readonly returned: readonly InstanceId[];
  /** What is not as it should be, in sentences. */
  readonly odd: readonly string[];
  /** EC2, Mesos or Marathon did not answer: the inventory was left as it was. */
  readonly blind: boolean;
}

/** Lambda keeps an idle environment for longer than this, and intake warms too. Minutes. */
const warmEvery = 5;
const isWarmingDue = (now: EpochMs): boolean => Math.floor(now / 60_000) % warmEvery === 0;

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

const runningIn = ({ instances }: Pick<Machines, 'instances'>): readonly Instance[] =>
  instances.filter(({ state }) => state === 'running');

/** Without the hosts in quarantine: nothing of them is kept, adopted or missed. */
const without = <Seen extends Machines>(machines: Seen, hosts: ReadonlySet<InstanceId>): Seen => ({
  ...machines,
  instances: machines.instances.filter(({ instanceId }) => !hosts.has(instanceId)),
});

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

/** What cannot be compared now is compared by the next sweep; this one has done its work. */
const compared = (deps: SweepDeps, picture: Picture): Promise<string[]> =>
  reportOddities(deps, picture).catch((error: unknown) => {
    deps.log.error('nothing compared', {
      problem: error instanceof Error ? error.message : 'unknown',
    });
    deps.metrics.count('OdditiesNotLookedFor');
    return [];
  });

/**
 * Every minute: takes up incidents whose execution died, keeps what a dead agent can no longer
 * tell, opens incidents for failures whose events were lost, asks for adoption where a volume lacks
 * its tag or would be deleted with its machine, and every five minutes warms the step functions.
 * Batch reads only, as long as nothing has failed. Blind for Mesos it still resumes, and still finds
 * what EC2 calls down, and fenced hosts that run again.
 */
export const createSweep = (deps: SweepDeps) => async (): Promise<Swept> => {
  const { clock, functions, ledger, scope } = deps;
  const warming = isWarmingDue(clock.now()) ? functions.warm() : undefined;
  const [watched, quarantines] = await Promise.all([
    ledger.watched(scope.cluster),
    ledger.quarantines(scope.cluster),
  ]);
  const resumed = await resume(deps, watched.length);
  const [machines, services] = await Promise.all([
    seen(deps, lookAtMachines(deps, watched)),
    seen(deps, lookAtServices(deps)),
  ]);
  const back = returnedIn(quarantines, machines?.instances ?? []);
  const working = machines && without(machines, back);
  if (working && services) await keep(deps, { ...working, ...services }, watched);
  const missed = working === undefined ? [] : await admitMissed(deps, working, quarantines);
  const lost = working && services ? await admitLost(deps, working, services.agents) : [];
  const returned =
    machines === undefined
      ? []
      : await admitReturned(deps, quarantines, { agents: [], ...services, ...machines });
  // Last: what went wrong is taken up first.
  const odd = working && services ? await compared(deps, { ...working, ...services }) : [];
  await warming;
  return {
    kind: 'swept',
    agents: machines === undefined ? 0 : runningIn(machines).length,
    resumed,
    found: [...missed, ...lost],
    returned,
    odd,
    blind: machines === undefined || services === undefined,
  };
};
