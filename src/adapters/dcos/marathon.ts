import * as z from 'zod';
import type { AgentId, EpochMs } from '../../domain/ids.ts';
import type { App, Task } from '../../domain/service.ts';
import type { HttpResponse } from '../../ports/http.ts';
import type { QueuedApp } from '../../ports/orchestrator.ts';
import { type AdminRouter, expectJson, failureOf, messageOf } from './admin-router.ts';

const AppId = z.string().startsWith('/');

const External = z.looseObject({
  name: z.string().min(1).optional(),
  provider: z.string().optional(),
  options: z.record(z.string(), z.unknown()).nullish(),
});
const Volume = z
  .looseObject({ external: External.nullish(), persistent: z.looseObject({}).nullish() })
  .refine(({ external }) => !isRexray(external) || external?.name !== undefined, {
    message: 'a rexray volume without a name',
  });

// Marathon 1.4 writes null where later ones leave out.
const MarathonApp = z.looseObject({
  id: AppId,
  cpus: z.number(),
  mem: z.number(),
  container: z.looseObject({ volumes: z.array(Volume).nullish() }).nullish(),
  residency: z.looseObject({}).nullish(),
  healthChecks: z.array(z.unknown()).nullish(),
  constraints: z.array(z.array(z.string())).nullish(),
  acceptedResourceRoles: z.array(z.string()).nullish(),
  labels: z.record(z.string(), z.unknown()).nullish(),
});

const time = z
  .string()
  .refine((text) => !Number.isNaN(Date.parse(text)), { message: 'not a time' })
  .nullish();

const MarathonTask = z.looseObject({
  id: z.string().min(1),
  appId: AppId,
  host: z.string(),
  slaveId: z.string().min(1).nullish(),
  state: z.string().min(1),
  startedAt: time,
  stagedAt: time,
  // An entry is null until its check has answered for the first time.
  healthCheckResults: z.array(z.looseObject({ alive: z.boolean() }).nullable()).nullish(),
});

const Apps = z.looseObject({ apps: z.array(MarathonApp) });
const Tasks = z.looseObject({ tasks: z.array(MarathonTask) });
const Queue = z.looseObject({
  queue: z.array(
    z.looseObject({
      // Pods queue here too and have no `app`.
      app: z.looseObject({ id: AppId }).optional(),
      delay: z.looseObject({ timeLeftSeconds: z.number(), overdue: z.boolean() }),
    }),
  ),
});

function isRexray(external: z.infer<typeof External> | null | undefined): boolean {
  const driver = external?.options?.['dvdi/driver'];
  return (
    external?.provider === 'dvdi' &&
    typeof driver === 'string' &&
    (driver === 'rexray' || driver.startsWith('rexray/ebs'))
  );
}

/** Who writes it is no operator of ours: what is no whole number is no priority, and no error. */
const priorityLabel = 'EBS_FAILOVER_PRIORITY';
const priorityOf = (labels: Readonly<Record<string, unknown>>): { priority?: number } => {
  const text = labels[priorityLabel];
  return typeof text === 'string' && /^-?\d{1,9}$/.test(text) ? { priority: Number(text) } : {};
};

const toApp = (app: z.infer<typeof MarathonApp>): App => {
  const volumes = app.container?.volumes ?? [];
  const roles = app.acceptedResourceRoles ?? [];
  return {
    id: app.id,
    externalVolumes: volumes
      .filter(({ external }) => isRexray(external))
      .flatMap(({ external }) => (external?.name ? [{ name: external.name }] : [])),
    hasLocalVolumes: Boolean(app.residency) || volumes.some(({ persistent }) => persistent),
    hasHealthChecks: (app.healthChecks ?? []).length > 0,
    cpus: app.cpus,
    mem: app.mem,
    constraints: app.constraints ?? [],
    // DC/OS starts Marathon with `*` as the default.
    acceptedRoles: roles.length > 0 ? roles : ['*'],
    ...priorityOf(app.labels ?? {}),
  };
};

/** One failed check is enough for no; a yes needs the word of every check. */
const aliveOf = (task: z.infer<typeof MarathonTask>): boolean | undefined => {
  const results = task.healthCheckResults ?? [];
  if (results.some((result) => result?.alive === false)) return false;
  return results.length > 0 && !results.includes(null) ? true : undefined;
};

const toTask = (task: z.infer<typeof MarathonTask>): Task => {
  const alive = aliveOf(task);
  return {
    id: task.id,
    appId: task.appId,
    host: task.host,
    ...(task.slaveId ? { agentId: task.slaveId as AgentId } : {}),
    state: task.state,
    ...(task.startedAt ? { startedAt: Date.parse(task.startedAt) as EpochMs } : {}),
    ...(task.stagedAt ? { stagedAt: Date.parse(task.stagedAt) as EpochMs } : {}),
    ...(alive === undefined ? {} : { alive }),
  };
};

/** App ids keep their slashes in Marathon's paths. */
const pathOf = (appId: string): string => appId.split('/').map(encodeURIComponent).join('/');

/** Marathon itself says that there is no such thing; other 404s are Admin Router's. */
const isMissing = (response: HttpResponse): boolean =>
  response.status === 404 && messageOf(response.body) !== undefined;

/** The part of a task id that survives rescheduling since 1.8: `x._app.1` becomes `x._app.2`. */
const instanceOf = (taskId: string): string => taskId.replace(/(\._app)\.\d+$/, '$1');

export interface Marathon {
  apps(): Promise<App[]>;
  tasks(): Promise<Task[]>;
  tasksOf(appId: string): Promise<Task[]>;
  queue(): Promise<QueuedApp[]>;
  clearLaunchDelay(appId: string): Promise<void>;
  replaceUnreachableTask(task: Task): Promise<void>;
  killTask(task: Task): Promise<boolean>;
}

/** Marathon 1.3 to 1.11 (mesosphere/marathon api/v2); every answer checked, nothing guessed. */
export const createMarathon = (ask: AdminRouter): Marathon => {
  const operationOf = (method: string, path: string): string => `marathon ${method} ${path}`;
  const call = (method: 'GET' | 'DELETE', path: string): Promise<HttpResponse> =>
    ask({ operation: operationOf(method, path), method, path: `/service/marathon${path}` });
  const read = async <T>(path: string, schema: z.ZodType<T>): Promise<T> =>
    expectJson(operationOf('GET', path), await call('GET', path), schema);

  const remove = async (path: string): Promise<void> => {
    const response = await call('DELETE', path);
    if (response.status === 200 || response.status === 204 || isMissing(response)) return;
    throw failureOf(operationOf('DELETE', path), response);
  };

  const tasksOf = async (appId: string): Promise<Task[]> => {
    const path = `/v2/apps${pathOf(appId)}/tasks`;
    const response = await call('GET', path);
    if (isMissing(response)) return [];
    return expectJson(operationOf('GET', path), response, Tasks).tasks.map(toTask);
  };

  /**
   * Marathon reduces the id to its instance, and an instance outlives its task: a late delete would
   * kill the replacement. So only a task seen right now, the only one of its instance.
   */
  const seenNow = async (task: Task): Promise<Task | undefined> => {
    const [seen, ...others] = (await tasksOf(task.appId)).filter(
      ({ id }) => instanceOf(id) === instanceOf(task.id),
    );
    const isTheSame = seen?.id === task.id && seen.agentId === task.agentId;
    return isTheSame && others.length === 0 && task.agentId !== undefined ? seen : undefined;
  };
  const taskPath = ({ appId, id }: Task): string =>
    `/v2/apps${pathOf(appId)}/tasks/${encodeURIComponent(id)}`;

  return {
    apps: async () => (await read('/v2/apps', Apps)).apps.map(toApp),
    tasks: async () => (await read('/v2/tasks', Tasks)).tasks.map(toTask),
    tasksOf,
    queue: async () =>
      (await read('/v2/queue', Queue)).queue.flatMap(({ app, delay }) =>
        app ? [{ appId: app.id, delayMs: delay.overdue ? 0 : delay.timeLeftSeconds * 1000 }] : [],
      ),
    clearLaunchDelay: (appId) => remove(`/v2/queue${pathOf(appId)}/delay`),

    replaceUnreachableTask: async (task) => {
      if ((await seenNow(task))?.state !== 'TASK_UNREACHABLE') return;
      await remove(taskPath(task));
    },

    killTask: async (task) => {
      const seen = await seenNow(task);
      // Of what Mesos has lost nothing can be ended, and Marathon would forget it.
      if (seen === undefined || seen.state === 'TASK_UNREACHABLE') return false;
      await remove(taskPath(task));
      return true;
    },
  };
};
