import type { AgentId, EpochMs, VolumeId } from './ids.ts';
import type { Recovery } from './incident.ts';
import type { Instance, Volume } from './machine.ts';
import { limits } from './policy.ts';
import type { Task } from './service.ts';

interface TaskView {
  readonly appId: string;
  readonly hasHealthChecks: boolean;
  readonly failedAgentIds: readonly AgentId[];
  readonly tasks: readonly Task[];
}

export interface AppView extends TaskView {
  readonly volumeIds: readonly VolumeId[];
  readonly volumes: readonly Volume[];
  readonly instances: readonly Instance[];
}

export type AppRecovery =
  | { readonly kind: 'recovered'; readonly app: Recovery['apps'][number] }
  | { readonly kind: 'missing'; readonly says: string };

/** An app without health checks counts as healthy when it has been RUNNING for a while. */
const isHealthy = (task: Task, hasHealthChecks: boolean, now: EpochMs): boolean =>
  hasHealthChecks
    ? task.alive === true
    : task.startedAt !== undefined && now - task.startedAt >= limits.runningIsHealthyMs;

const attachedOnlyTo = (volume: Volume | undefined, instance: Instance): boolean =>
  volume?.attachments.length === 1 &&
  volume.attachments[0]?.instanceId === instance.instanceId &&
  volume.attachments[0].state === 'attached';

const newTasks = (view: TaskView): readonly Task[] =>
  view.tasks.filter(
    (task) =>
      task.appId === view.appId &&
      task.agentId !== undefined &&
      !view.failedAgentIds.includes(task.agentId),
  );

const runningOf = (tasks: readonly Task[]): Task | undefined =>
  tasks.find((task) => task.state === 'TASK_RUNNING');

/** Does it run elsewhere, by Marathon alone? Until then nothing else needs to be asked. Pure. */
export const isServing = (view: TaskView, now: EpochMs): boolean => {
  const task = runningOf(newTasks(view));
  return task !== undefined && isHealthy(task, view.hasHealthChecks, now);
};

/** Is the app back, by reads just made: elsewhere, healthy, its volumes there and only there? Pure. */
export const appRecovery = (view: AppView, fromHost: string, now: EpochMs): AppRecovery => {
  const missing = (says: string): AppRecovery => ({
    kind: 'missing',
    says: `${view.appId}: ${says}`,
  });
  const elsewhere = newTasks(view);
  const task = runningOf(elsewhere);
  if (task === undefined) {
    const [staging] = elsewhere;
    return missing(staging === undefined ? 'no new task yet' : `${staging.id} is ${staging.state}`);
  }
  const instance = view.instances.find((i) => i.privateIp === task.host && i.state === 'running');
  if (instance === undefined) return missing(`EC2 shows no running instance at ${task.host}`);
  const loose = view.volumeIds.find(
    (id) =>
      !attachedOnlyTo(
        view.volumes.find((v) => v.volumeId === id),
        instance,
      ),
  );
  if (loose !== undefined)
    return missing(`${loose} is not attached to ${instance.instanceId} alone`);
  if (!isHealthy(task, view.hasHealthChecks, now)) return missing(`${task.id} is not healthy yet`);
  return {
    kind: 'recovered',
    app: {
      id: view.appId,
      fromHost,
      toHost: task.host,
      toInstanceId: instance.instanceId,
      taskId: task.id,
      healthy: true,
    },
  };
};
