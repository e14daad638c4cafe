import type { Time } from '../core/time.ts';
import type { WireRequest, WireResponse } from '../core/wire.ts';
import { type App, InvalidAppError } from './app-definition.ts';
import type { Deployment } from './deployments.ts';
import { json, text } from './http.ts';
import type { Instance } from './instance.ts';
import type { Marathon } from './marathon.ts';
import { appView, deploymentView, queueView, type Scene, tasksOf } from './marathon-views.ts';
import type { Master } from './master.ts';
import { frameworkIdOf } from './master-views.ts';

const LEADER = '10.0.1.1:8080';
const EMBEDDED_IN_ONE_APP = new Set(['tasks', 'lastTaskFailure']);

interface Call {
  method: string;
  path: string;
  query: URLSearchParams;
  body: string;
}

type Handler = (call: Call, match: string[]) => WireResponse;

/** A refusal with Marathon's own words. */
class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly response: WireResponse;
  constructor(response: WireResponse, options?: ErrorOptions) {
    super(response.body, options);
    this.response = response;
  }
}

const message = (status: number, words: string, more: object = {}): WireResponse =>
  json(status, { message: words, ...more });

const flag = (query: URLSearchParams, name: string, byDefault = false): boolean => {
  const value = query.get(name);
  return value === null ? byDefault : value === 'true';
};

/** A task id in any of the forms Marathon has used: app, then instance, then incarnation. */
const TASK_ID =
  /^[^.]+(\.[^.]+)*\.(instance-|marathon-)?[0-9a-f]{8}-[0-9a-f-]{27}(\._app(\.\d+)?)?$/;

/** Marathon's REST surface, as a leader that is not being elected. */
export class MarathonApi {
  readonly #marathon: Marathon;
  readonly #master: Master;
  readonly #time: Time;
  /** While a leader is elected, requests end in 502. */
  electing = false;
  readonly #routes: [method: string, path: RegExp, Handler][];

  constructor(marathon: Marathon, master: Master, time: Time) {
    this.#marathon = marathon;
    this.#master = master;
    this.#time = time;
    this.#routes = [
      ['GET', /^\/ping$/, () => text(200, 'pong')],
      ['GET', /^\/v2\/info$/, () => this.#info()],
      ['GET', /^\/v2\/leader$/, () => json(200, { leader: LEADER })],
      ['GET', /^\/v2\/queue$/, () => json(200, queueView(this.#scene))],
      ['DELETE', /^\/v2\/queue\/(.+)\/delay$/, (_, [id = '']) => this.#resetDelay(id)],
      ['GET', /^\/v2\/tasks$/, (call) => this.#tasks(call)],
      ['POST', /^\/v2\/tasks\/delete$/, (call) => this.#deleteTasks(call)],
      ['GET', /^\/v2\/deployments$/, () => this.#deployments()],
      ['DELETE', /^\/v2\/deployments\/([^/]+)$/, (call, [id = '']) => this.#cancel(call, id)],
      ['GET', /^\/v2\/apps$/, (call) => this.#apps(call)],
      ['POST', /^\/v2\/apps$/, (call) => this.#create(call)],
      ['GET', /^\/v2\/apps\/(.+)\/tasks$/, (_, [id = '']) => this.#tasksOfApp(id)],
      ['DELETE', /^\/v2\/apps\/(.+)\/tasks$/, (call, [id = '']) => this.#killApp(call, id)],
      [
        'DELETE',
        /^\/v2\/apps\/(.+)\/tasks\/([^/]+)$/,
        (call, [app = '', task = '']) => this.#killOne(call, app, task),
      ],
      ['POST', /^\/v2\/apps\/(.+)\/restart$/, (call, [id = '']) => this.#restart(call, id)],
      ['GET', /^\/v2\/apps\/(.+)$/, (_, [id = '']) => this.#oneApp(id)],
      ['PUT', /^\/v2\/apps\/(.+)$/, (call, [id = '']) => this.#put(call, id)],
      ['PATCH', /^\/v2\/apps\/(.+)$/, (call, [id = '']) => this.#put(call, id)],
      ['DELETE', /^\/v2\/apps\/(.+)$/, (call, [id = '']) => this.#destroy(call, id)],
    ];
  }

  /** `path` is relative to Marathon, with its query. */
  handle(path: string, request: WireRequest): WireResponse {
    if (this.electing) return message(502, 'Could not determine the current leader');
    const url = new URL(path, 'http://marathon');
    const { method, body } = request;
    const call: Call = { method, path: url.pathname, query: url.searchParams, body };
    try {
      const answered = this.#route(call);
      return {
        ...answered,
        headers: { ...answered.headers, 'x-marathon-leader': `http://${LEADER}` },
      };
    } catch (error) {
      if (error instanceof Refusal) return error.response;
      if (error instanceof InvalidAppError) return json(error.status, error.body);
      throw error;
    }
  }

  get #scene(): Scene {
    return { marathon: this.#marathon, master: this.#master, now: this.#time.now() };
  }

  #route(call: Call): WireResponse {
    const path = decodeURIComponent(call.path);
    for (const [method, pattern, handler] of this.#routes) {
      const match = method === call.method ? pattern.exec(path) : null;
      if (match !== null) return handler(call, match.slice(1));
    }
    // Marathon's own status for it.
    return message(500, 'URI not found');
  }

  #info(): WireResponse {
    const { release } = this.#master;
    return json(200, {
      name: 'marathon',
      version: release.marathon,
      elected: true,
      leader: LEADER,
      frameworkId: frameworkIdOf(this.#master),
      marathon_config: {
        mesos_role: 'slave_public',
        task_launch_timeout: 86_400_000,
        task_launch_confirm_timeout: 1_800_000,
        decline_offer_duration: 300_000,
        reconciliation_initial_delay: 15_000,
        reconciliation_interval: 600_000,
        features: ['vips', 'task_killing', 'external_volumes', 'gpu_resources'],
      },
    });
  }

  #app(rawId: string): App {
    const id = `/${rawId.replace(/^\/+/, '')}`;
    const app = this.#marathon.app(id);
    if (app === undefined) throw new Refusal(message(404, `App '${id}' does not exist`));
    return app;
  }

  #json(body: string): unknown {
    try {
      return JSON.parse(body);
    } catch (error) {
      const details = error instanceof Error ? error.message : String(error);
      throw new Refusal(json(400, { message: 'Invalid JSON', details }), { cause: error });
    }
  }

  #resetDelay(rawId: string): WireResponse {
    const id = `/${rawId.replace(/^\/+/, '')}`;
    const waits = this.#marathon.instancesOf(id).some((i) => i.condition === 'Scheduled');
    if (!waits) return message(404, `Application ${id} not found in tasks queue.`);
    this.#marathon.resetDelay(id);
    return { status: 204, headers: {}, body: '' };
  }

  #tasks({ query }: Call): WireResponse {
    const wanted = [...query.getAll('status'), ...query.getAll('status[]')];
    const instances = this.#marathon.instances.filter(({ condition }) => {
      if (wanted.length === 0) return true;
      const state = ['Provisioned', 'Starting'].includes(condition) ? 'staging' : 'running';
      return wanted.includes(state) && (state === 'staging' || condition === 'Running');
    });
    return json(200, { tasks: tasksOf(instances, this.#scene) });
  }

  #tasksOfApp(rawId: string): WireResponse {
    const { id } = this.#app(rawId);
    return json(200, { tasks: tasksOf(this.#marathon.instancesOf(id), this.#scene) });
  }

  #oneApp(rawId: string): WireResponse {
    if (rawId.endsWith('/*') || rawId === '*') {
      const prefix = `/${rawId.replace(/^\/+/, '').slice(0, -1)}`;
      const apps = this.#marathon.apps.filter(({ id }) => id.startsWith(prefix));
      return json(200, { '*': apps.map((a) => appView(a, this.#scene, EMBEDDED_IN_ONE_APP)) });
    }
    return json(200, { app: appView(this.#app(rawId), this.#scene, EMBEDDED_IN_ONE_APP) });
  }

  #apps({ query }: Call): WireResponse {
    const embed = new Set(
      query.getAll('embed').map((name) => {
        const part = name.replace(/^apps?\./, '');
        return part === 'failures' ? 'lastTaskFailure' : part;
      }),
    );
    const id = query.get('id') ?? '';
    const labels = (query.get('label') ?? '').split(',').filter((label) => label !== '');
    const apps = this.#marathon.apps.filter((app) => {
      const own = (app.definition.labels ?? {}) as Record<string, unknown>;
      return (
        app.id.includes(id) &&
        labels.every((label) => {
          const [key = '', value] = label.split('==');
          return key in own && (value === undefined || own[key] === value);
        })
      );
    });
    return json(200, { apps: apps.map((app) => appView(app, this.#scene, embed)) });
  }

  #created(status: number, deployment: Deployment): WireResponse {
    const { id, version } = deployment;
    return json(status, { version, deploymentId: id }, { 'marathon-deployment-id': id });
  }

  #unlocked(appId: string, force: boolean): void {
    const locks = this.#marathon.deployments.of(appId);
    const [first] = locks;
    if (first === undefined || force) return;
    const words =
      'App is locked by one or more deployments. Override with the option ' +
      `'?force=true'. View details at '/v2/deployments/${first.id}'.`;
    const deployments = locks.map(({ id }) => ({ id }));
    throw new Refusal(message(409, words, { deployments }));
  }

  #create({ body }: Call): WireResponse {
    const app = this.#marathon.read(this.#json(body));
    if (this.#marathon.app(app.id) !== undefined) {
      return message(409, `An app with id [${app.id}] already exists.`);
    }
    const { id } = this.#marathon.create(app);
    const headers = { 'marathon-deployment-id': id };
    return json(201, appView(app, this.#scene, new Set(['tasks'])), headers);
  }

  #put({ body, query }: Call, rawId: string): WireResponse {
    const id = `/${rawId.replace(/^\/+/, '')}`;
    const sent = this.#json(body);
    const before = this.#marathon.app(id);
    const partial = before !== undefined && flag(query, 'partialUpdate', true);
    const merged = { ...(partial ? before.definition : {}), ...Object(sent), id };
    const app = this.#marathon.read(merged);
    if (before === undefined) return this.#created(201, this.#marathon.create(app));
    this.#unlocked(id, flag(query, 'force'));
    if (before.volumeNames.join() !== app.volumeNames.join()) {
      const errors = ["Persistent or external volumes can't be changed"];
      throw new InvalidAppError(422, [{ path: '/container/volumes', errors }]);
    }
    return this.#created(200, this.#marathon.update(app));
  }

  #restart({ query }: Call, rawId: string): WireResponse {
    const app = this.#app(rawId);
    this.#unlocked(app.id, flag(query, 'force'));
    const again = this.#marathon.read(app.definition);
    return this.#created(200, this.#marathon.restart(again));
  }

  #destroy({ query }: Call, rawId: string): WireResponse {
    const app = this.#app(rawId);
    this.#unlocked(app.id, flag(query, 'force', true));
    return this.#created(200, this.#marathon.destroy(app));
  }

  #deployments(): WireResponse {
    return json(200, this.#marathon.deployments.running.map(deploymentView));
  }

  #cancel({ query }: Call, id: string): WireResponse {
    const deployment = this.#marathon.deployments.running.find((d) => d.id === id);
    if (deployment === undefined) return message(404, `DeploymentPlan ${id} does not exist`);
    this.#marathon.deployments.cancel(id);
    if (flag(query, 'force')) return { status: 202, headers: {}, body: '' };
    return this.#created(200, deployment);
  }

  #killApp({ query }: Call, rawId: string): WireResponse {
    const { id } = this.#app(rawId);
    const host = query.get('host') ?? '*';
    const instances = this.#marathon
      .instancesOf(id)
      .filter(({ task }) => task !== undefined && (host === '*' || task.offer.hostname === host));
    return this.#kill(instances, query);
  }

  #killOne({ query }: Call, rawId: string, taskId: string): WireResponse {
    const { id } = this.#app(rawId);
    const instance = this.#instanceOf(taskId, this.#marathon.instancesOf(id));
    if (instance === undefined) return message(404, `Task '${taskId}' does not exist`);
    const [task] = tasksOf([instance], this.#scene);
    const answered = this.#kill([instance], query);
    return answered.status === 200 && !flag(query, 'scale') ? json(200, { task }) : answered;
  }

  #deleteTasks({ body, query }: Call): WireResponse {
    const sent = Object(this.#json(body)) as { ids?: unknown };
    if (!Array.isArray(sent.ids)) {
      const details = [{ path: '/ids', errors: ['error.path.missing'] }];
      return message(400, 'Invalid JSON', { details });
    }
    const ids = sent.ids.map(String);
    const invalid = ids.find((id) => !TASK_ID.test(id));
    if (invalid !== undefined) {
      const form = '<run-spec-id>.<instance-id>.<container-name>';
      return message(400, `Invalid task id '${invalid}'. [${form}]`);
    }
    const found = ids.map((id) => this.#instanceOf(id, this.#marathon.instances));
    return this.#kill([...new Set(found.filter((i) => i !== undefined))], query);
  }

  /**
   * Marathon reduces a task id to its instance id: the incarnation at its end is ignored, so a
   * late kill of an old task hits the one that replaced it.
   */
  #instanceOf(taskId: string, instances: readonly Instance[]): Instance | undefined {
    const instanceId = (id: string) => id.replace(/\._app(\.\d+)?$/, '');
    return instances.find(
      ({ task }) => task !== undefined && instanceId(task.id) === instanceId(taskId),
    );
  }

  #kill(instances: Instance[], query: URLSearchParams): WireResponse {
    const scale = flag(query, 'scale');
    const wipe = flag(query, 'wipe');
    if (scale && wipe) return message(400, 'You cannot use scale and wipe at the same time.');
    if (scale) return this.#killAndScale(instances, flag(query, 'force'));
    const tasks = tasksOf(instances, this.#scene);
    for (const instance of instances) this.#marathon.kill(instance, { wipe });
    return json(200, { tasks });
  }

  #killAndScale(instances: Instance[], force: boolean): WireResponse {
    const [first] = instances;
    if (first === undefined) return json(200, { tasks: [] });
    for (const { app } of instances) this.#unlocked(app.id, force);
    const { app } = first;
    const fewer = Math.max(0, app.instances - instances.length);
    const scaled = this.#marathon.read({ ...app.definition, instances: fewer });
    for (const instance of instances) this.#marathon.stop(instance);
    return this.#created(200, this.#marathon.update(scaled));
  }
}
