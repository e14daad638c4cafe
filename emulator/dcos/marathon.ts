import { isDeepStrictEqual } from 'node:util';
import { isoTime } from '../core/time.ts';
import { type App, readApp } from './app-definition.ts';
import { type Deployment, Deployments } from './deployments.ts';
import { type Instance, newInstance, type RunningTask } from './instance.ts';
import { ALLOCATION_MS, Launcher } from './launcher.ts';
import type { Framework, Master } from './master.ts';
import { type Ground, isTerminal, type StatusUpdate, type TaskLaunch, uuidOf } from './model.ts';
import { offersOf } from './offers.ts';
import { Reconciliation } from './reconciliation.ts';

export interface TaskFailure {
  appId: string;
  host: string;
  message: string;
  state: string;
  taskId: string;
  at: number;
  version: string;
  slaveId: string;
}

/** From TASK_UNREACHABLE to the relaunch when nothing is to be waited for. */
const UNREACHABLE_RELAUNCH_MS = 3000;

const LOST_TO_FAILURES = [
  'TASK_FAILED',
  'TASK_FINISHED',
  'TASK_LOST',
  'TASK_GONE',
  'TASK_GONE_BY_OPERATOR',
];

/** Marathon's scheduler: which instances are wanted, launched, lost and replaced. */
export class Marathon implements Framework {
  readonly deployments: Deployments;
  readonly failures = new Map<string, TaskFailure>();
  readonly #ground: Ground;
  readonly #master: Master;
  readonly #reconciliation: Reconciliation;
  readonly #apps = new Map<string, App>();
  readonly #launcher: Launcher;
  #instances: Instance[] = [];
  #created = 0;

  constructor(ground: Ground, master: Master) {
    this.#ground = ground;
    this.#master = master;
    this.#reconciliation = new Reconciliation(ground.time, master, this);
    this.#launcher = new Launcher(ground, master, (appId) => this.instancesOf(appId));
    this.deployments = new Deployments(ground, (appId) => this.#isSettled(appId));
    master.subscribe(this);
  }

  get apps(): App[] {
    return [...this.#apps.values()];
  }

  get instances(): readonly Instance[] {
    return this.#instances;
  }

  app(appId: string): App | undefined {
    return this.#apps.get(appId);
  }

  instancesOf(appId: string): Instance[] {
    return this.#instances.filter(({ app }) => app.id === appId);
  }

  /** @throws InvalidAppError */
  read(json: unknown): App {
    return readApp(json, {
      release: this.#master.release,
      version: isoTime(this.#ground.time.now()),
      takenNames: (appId) => {
        const others = this.apps.filter(({ id }) => id !== appId);
        return new Set(others.flatMap(({ volumeNames }) => volumeNames));
      },
    });
  }

  create(app: App): Deployment {
    this.#apps.set(app.id, app);
    const deployment = this.deployments.start('StartApplication', app);
    this.scale(app.id, ALLOCATION_MS);
    return deployment;
  }

  /** A new version: anything but another number of instances replaces the running ones. */
  update(app: App): Deployment {
    const before = { ...this.#apps.get(app.id)?.definition, instances: app.instances };
    const scalesOnly = isDeepStrictEqual(before, app.definition);
    if (!scalesOnly) return this.restart(app);
    this.#apps.set(app.id, app);
    const deployment = this.deployments.start('ScaleApplication', app);
    this.scale(app.id, ALLOCATION_MS);
    this.deployments.settle();
    return deployment;
  }

  restart(app: App): Deployment {
    this.#apps.set(app.id, app);
    const deployment = this.deployments.start('RestartApplication', app);
    for (const instance of this.instancesOf(app.id)) this.kill(instance, { wipe: false });
    this.scale(app.id, ALLOCATION_MS);
    return deployment;
  }

  destroy(app: App): Deployment {
    this.#apps.set(app.id, { ...app, instances: 0 });
    const deployment = this.deployments.start('StopApplication', app);
    this.#launcher.delays.reset(app.id);
    for (const instance of this.instancesOf(app.id)) this.stop(instance);
    if (this.instancesOf(app.id).length === 0) this.#apps.delete(app.id);
    this.deployments.settle();
    return deployment;
  }

  /** Puts a running instance where an operator's world has it before the story begins. */
  place(app: App, agentId: string): { launch: TaskLaunch; instance: Instance } {
    const offer = offersOf(this.#master).find((o) => o.agentId === agentId);
    if (offer === undefined) throw new RangeError(`agent ${agentId} makes no offers`);
    this.#apps.set(app.id, app);
    const instance = this.#newInstance(app);
    const launch = this.#launcher.provision(instance, offer);
    this.#master.addTask(agentId, launch);
    return { launch, instance };
  }

  /** Ends the instance for good. */
  stop(instance: Instance): void {
    instance.stopping = true;
    if (instance.condition === 'Scheduled') this.#remove(instance);
    else this.kill(instance, { wipe: false });
  }

  /**
   * What DELETE of a task does. A task Mesos cannot reach is expunged and replaced at once; any
   * other kill only asks Mesos, and a dead agent that is still registered never answers.
   */
  kill(instance: Instance, { wipe }: { wipe: boolean }): void {
    const { condition, task } = instance;
    if (task === undefined) return;
    const lost = condition === 'Unreachable' || condition === 'UnreachableInactive';
    const isKept = instance.reservedOn !== undefined || condition === 'UnreachableInactive';
    if (lost && isKept && !wipe && !instance.stopping) return;
    if (!lost) {
      instance.condition = 'Killing';
      this.#master.kill(task.id);
    }
    if (lost || wipe) this.#expunge(instance, this.#freedToOfferMs(instance));
  }

  /** Brings the number of instances to what is wanted. */
  scale(appId: string, offerInMs: number): void {
    const app = this.#apps.get(appId);
    if (app === undefined) return;
    const active = this.instancesOf(appId).filter(
      ({ condition, stopping }) => condition !== 'UnreachableInactive' && !stopping,
    );
    for (let n = active.length; n < app.instances; n++) {
      this.#launcher.schedule(this.#newInstance(app), offerInMs);
    }
    // The youngest go first.
    for (const instance of active.slice(app.instances)) this.stop(instance);
  }

  /** Epoch ms before which the app is not launched; 0 when nothing delays it. */
  delayedUntil(appId: string): number {
    return this.#launcher.delays.until(appId);
  }

  resetDelay(appId: string): void {
    this.#launcher.resetDelay(appId);
  }

  offersChanged(): void {
    this.#launcher.offersChanged(this.#instances);
  }

  missedUpdate(): void {
    this.#reconciliation.wanted();
  }

  statusUpdate(update: StatusUpdate): void {
    const instance = this.#instances.find(({ task }) => task?.id === update.taskId);
    if (instance === undefined) {
      // "Kill unknown": a task Marathon has given up must not keep running.
      if (['TASK_STARTING', 'TASK_RUNNING'].includes(update.state))
        this.#master.kill(update.taskId);
      return;
    }
    if (update.state === 'TASK_UNREACHABLE') this.#unreachable(instance);
    else if (update.state === 'TASK_LOST' && this.#mightComeBack(update)) {
      this.#unreachable(instance);
    } else if (isTerminal(update.state)) this.#ended(instance, update);
    else if (instance.condition === 'Killing') {
      if (update.state === 'TASK_RUNNING') this.#master.kill(update.taskId);
    } else if (update.state === 'TASK_RUNNING') this.#running(instance, update.at);
    else instance.condition = update.state === 'TASK_KILLING' ? 'Killing' : 'Starting';
    this.deployments.settle();
  }

  #mightComeBack({ reason }: StatusUpdate): boolean {
    return (
      this.#master.release.partitionAware &&
      ['REASON_AGENT_REMOVED', 'REASON_AGENT_DISCONNECTED', 'REASON_RECONCILIATION'].includes(
        reason ?? '',
      )
    );
  }

  #running(instance: Instance, at: number): void {
    const { app, task } = instance;
    // Reconciliation says again what is known.
    if (task === undefined || instance.condition === 'Running') return;
    const adopted = instance.unreachableSince !== undefined;
    instance.condition = 'Running';
    instance.unreachableSince = undefined;
    task.startedAt ??= at;
    this.#launcher.delays.running(app.id, at);
    if (adopted) this.scale(app.id, ALLOCATION_MS);
    if (app.healthCheck !== undefined && instance.healthyAt === undefined) {
      this.#probe(instance, task, app.healthCheck.intervalSeconds * 1000);
    }
  }

  /** Until the first passed health check; an agent that does not answer lets no check pass. */
  #probe(instance: Instance, task: RunningTask, againMs: number, probes = 0): void {
    const { time, durations, emit } = this.#ground;
    const { id: appId } = instance.app;
    time.after(probes === 0 ? durations.attachedToHealthyMs(appId) : againMs, () => {
      if (instance.task !== task || instance.condition !== 'Running') return;
      if (this.#master.agent(task.agentId)?.node.answers !== 'yes') {
        this.#probe(instance, task, againMs, probes + 1);
        return;
      }
      instance.healthyAt = time.now();
      const { hostname } = task.offer;
      emit({ at: time.now(), kind: 'healthy', appId, taskId: task.id, host: hostname });
      this.deployments.settle();
    });
  }

  #unreachable(instance: Instance): void {
    const { time } = this.#ground;
    const { unreachable } = instance.app;
    // A kill in flight is waited for, reachable or not.
    if (instance.condition === 'Killing' && !instance.stopping) return;
    if (instance.unreachableSince !== undefined) return;
    instance.condition = 'Unreachable';
    instance.unreachableSince = time.now();
    if (instance.stopping) this.#remove(instance);
    else if (unreachable === 'disabled') return;
    else if (unreachable.expungeAfterSeconds === 0) {
      this.#expunge(instance, UNREACHABLE_RELAUNCH_MS);
    } else this.#awaitReturn(instance, instance.unreachableSince, unreachable);
  }

  #awaitReturn(
    instance: Instance,
    since: number,
    unreachable: Exclude<App['unreachable'], 'disabled'>,
  ): void {
    const { time } = this.#ground;
    const still = () => instance.unreachableSince === since;
    time.after(this.#reconciliation.toNextMs(unreachable.inactiveAfterSeconds * 1000), () => {
      if (!still()) return;
      instance.condition = 'UnreachableInactive';
      this.scale(instance.app.id, UNREACHABLE_RELAUNCH_MS);
    });
    time.after(this.#reconciliation.toNextMs(unreachable.expungeAfterSeconds * 1000), () => {
      if (still()) this.#expunge(instance, UNREACHABLE_RELAUNCH_MS);
    });
  }

  #ended(instance: Instance, update: StatusUpdate): void {
    const { app } = instance;
    const drained = update.reason === 'REASON_AGENT_DRAINING';
    if (LOST_TO_FAILURES.includes(update.state) && !drained) {
      this.#launcher.delays.failed(app, this.#ground.time.now());
      const host = instance.task?.offer.hostname ?? '';
      const { taskId, agentId, state, message, at } = update;
      const { version } = app;
      const failure = { appId: app.id, host, message, state, taskId, at, version };
      this.failures.set(app.id, { ...failure, slaveId: agentId });
    }
    if (update.state === 'TASK_GONE_BY_OPERATOR' && this.#master.release.incarnations) {
      instance.reservedOn = undefined;
    }
    const failedItself = update.state === 'TASK_FAILED' || update.state === 'TASK_FINISHED';
    const offerInMs = failedItself ? ALLOCATION_MS : this.#freedToOfferMs(instance);
    const wanted = this.#apps.get(app.id)?.instances ?? 0;
    const others = this.instancesOf(app.id).filter((i) => i !== instance && !i.stopping);
    const superfluous =
      others.filter((i) => i.condition !== 'UnreachableInactive').length >= wanted;
    const pinned = instance.reservedOn !== undefined;
    if (instance.stopping || superfluous) this.#remove(instance);
    else if (!this.#master.release.incarnations && !pinned) this.#expunge(instance, offerInMs);
    else {
      instance.incarnation += 1;
      instance.app = this.#apps.get(app.id) ?? app;
      this.#launcher.schedule(instance, offerInMs);
    }
  }

  /** Forgets the instance and wants another one in its place. */
  #expunge(instance: Instance, offerInMs: number): void {
    this.#remove(instance);
    this.scale(instance.app.id, offerInMs);
  }

  #remove(instance: Instance): void {
    this.#launcher.forget(instance);
    instance.unreachableSince = undefined;
    this.#instances = this.#instances.filter((other) => other !== instance);
    const appId = instance.app.id;
    if (this.deployments.isStopping(appId) && this.instancesOf(appId).length === 0) {
      this.#apps.delete(appId);
    }
    this.deployments.settle();
  }

  #newInstance(app: App): Instance {
    const uuid = uuidOf(this.#ground.rng.fork(`instance/${app.id}/${this.#created++}`).hex(32));
    const instance = newInstance(app, uuid);
    this.#instances.push(instance);
    return instance;
  }

  #freedToOfferMs({ app }: Instance): number {
    return this.#ground.durations.goneToOfferMs(app.id);
  }

  #isSettled(appId: string): boolean {
    const app = this.#apps.get(appId);
    const instances = this.instancesOf(appId);
    if (app === undefined) return true;
    return (
      instances.length === app.instances &&
      instances.every(
        ({ condition, healthyAt, app: running }) =>
          condition === 'Running' &&
          running.version === app.version &&
          (running.healthCheck === undefined || healthyAt !== undefined),
      )
    );
  }
}
