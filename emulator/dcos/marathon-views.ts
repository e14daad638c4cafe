import { isoTime } from '../core/time.ts';
import type { App } from './app-definition.ts';
import type { Deployment } from './deployments.ts';
import type { Instance } from './instance.ts';
import type { Marathon } from './marathon.ts';
import type { Master } from './master.ts';

/** What a view may look at. */
export interface Scene {
  marathon: Marathon;
  master: Master;
  now: number;
}

const STATES = {
  Scheduled: 'TASK_STAGING',
  Provisioned: 'TASK_STAGING',
  Starting: 'TASK_STARTING',
  Running: 'TASK_RUNNING',
  Killing: 'TASK_KILLING',
  Unreachable: 'TASK_UNREACHABLE',
  UnreachableInactive: 'TASK_UNREACHABLE',
} as const;

const healthOf = (instance: Instance, { master, now }: Scene) => {
  const { app, healthyAt, task } = instance;
  if (app.healthCheck === undefined || task === undefined || healthyAt === undefined) return [];
  const silentSince = master.silentSince(task.agentId);
  const { intervalSeconds, timeoutSeconds } = app.healthCheck;
  const silentMs = silentSince === undefined ? 0 : now - silentSince - timeoutSeconds * 1000;
  const failures = silentMs <= 0 ? 0 : Math.ceil(silentMs / (intervalSeconds * 1000));
  const lastMs = healthyAt + Math.floor((now - healthyAt) / (intervalSeconds * 1000));
  return [
    {
      alive: failures === 0,
      consecutiveFailures: failures,
      firstSuccess: isoTime(healthyAt),
      lastFailure: failures === 0 ? null : isoTime(now - (silentMs % (intervalSeconds * 1000))),
      lastFailureCause: failures === 0 ? null : 'ConnectTimeoutException',
      lastSuccess: isoTime(Math.min(lastMs, silentSince ?? now)),
      instanceId: `${task.id.replace(/\._app\.\d+$/, '')}`,
    },
  ];
};

/** A task object; an inactive one has lost its times, version and ports. */
const taskView = (instance: Instance, scene: Scene) => {
  const { app, condition, task } = instance;
  if (task === undefined) return [];
  const { release } = scene.master;
  const { hostname, region, zone, role } = task.offer;
  const inactive = condition === 'UnreachableInactive';
  const health = healthOf(instance, scene);
  return [
    {
      appId: app.id,
      host: hostname,
      id: task.id,
      ipAddresses: task.startedAt === undefined ? [] : [{ ipAddress: hostname, protocol: 'IPv4' }],
      ports: inactive ? [] : task.ports,
      servicePorts: task.ports.map((_, index) => 10_000 + index),
      slaveId: task.agentId,
      state: STATES[condition],
      ...(inactive
        ? {}
        : {
            stagedAt: isoTime(task.stagedAt),
            ...(task.startedAt === undefined ? {} : { startedAt: isoTime(task.startedAt) }),
            version: app.version,
          }),
      localVolumes: app.localVolumePaths.map((containerPath) => ({
        containerPath,
        persistenceId: `${app.id.slice(1).replaceAll('/', '_')}#${containerPath}#${instance.uuid}`,
      })),
      ...(health.length === 0 ? {} : { healthCheckResults: health }),
      ...(release.taskZone && zone !== undefined ? { region, zone } : {}),
      ...(release.taskRole ? { role } : {}),
    },
  ];
};

export const tasksOf = (instances: readonly Instance[], scene: Scene) =>
  instances.flatMap((instance) => taskView(instance, scene));

export const deploymentView = ({ id, version, appId, action }: Deployment) => ({
  id,
  version,
  affectedApps: [appId],
  affectedPods: [],
  steps: [{ actions: [{ action, app: appId }] }],
  currentActions: [{ action, app: appId, readinessCheckResults: [] }],
  currentStep: 1,
  totalSteps: 1,
});

/** An app; its tasks and last failure only where they are embedded. */
export const appView = (app: App, scene: Scene, embed: Set<string>) => {
  const instances = scene.marathon.instancesOf(app.id);
  const failure = scene.marathon.failures.get(app.id);
  const inState = (...conditions: Instance['condition'][]) =>
    instances.filter(({ condition }) => conditions.includes(condition)).length;
  const alive = instances.flatMap((instance) => healthOf(instance, scene));
  return {
    ...app.definition,
    version: app.version,
    versionInfo: { lastScalingAt: app.version, lastConfigChangeAt: app.version },
    tasksStaged: inState('Scheduled', 'Provisioned', 'Starting'),
    tasksRunning: inState('Running', 'Killing'),
    tasksHealthy: alive.filter((result) => result.alive).length,
    tasksUnhealthy: alive.filter((result) => !result.alive).length,
    deployments: scene.marathon.deployments.of(app.id).map(({ id }) => ({ id })),
    ...(embed.has('tasks') ? { tasks: tasksOf(instances, scene) } : {}),
    ...(embed.has('lastTaskFailure') && failure !== undefined
      ? { lastTaskFailure: { ...failure, at: undefined, timestamp: isoTime(failure.at) } }
      : {}),
  };
};

/** Apps with instances that wait: for their delay to pass (`overdue: false`) or for an offer. */
export const queueView = (scene: Scene) => {
  const { marathon, now } = scene;
  const waiting = marathon.apps.flatMap((app) => {
    const scheduled = marathon
      .instancesOf(app.id)
      .filter(({ condition }) => condition === 'Scheduled');
    const [first] = scheduled;
    if (first === undefined) return [];
    const leftMs = marathon.delayedUntil(app.id) - now;
    const { count, at, reasons } = first.unused;
    return [
      {
        app: { ...app.definition, version: app.version },
        count: scheduled.length,
        role: '*',
        delay: { timeLeftSeconds: Math.max(0, Math.floor(leftMs / 1000)), overdue: leftMs <= 0 },
        since: isoTime(first.since),
        processedOffersSummary: {
          processedOffersCount: count,
          unusedOffersCount: count,
          ...(count === 0 ? {} : { lastUnusedOfferAt: isoTime(at) }),
          rejectSummaryLastOffers: [...reasons].map(([reason, declined]) => ({
            reason,
            declined,
            processed: count,
          })),
          rejectSummaryLaunchAttempt: [],
        },
      },
    ];
  });
  return { queue: waiting };
};
