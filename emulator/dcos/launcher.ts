import type { Rng } from '../core/random.ts';
import type { Cancel } from '../core/time.ts';
import type { Instance } from './instance.ts';
import { LaunchDelays } from './launch-delay.ts';
import type { Master } from './master.ts';
import { choosePorts, type Offer, rejection } from './matching.ts';
import type { Ground, TaskLaunch } from './model.ts';
import { offersOf } from './offers.ts';

/** Mesos hands out free resources once a second. */
export const ALLOCATION_MS = 1000;

/** Marathon's launch queue: scheduled instances, their delays, and the offers they get. */
export class Launcher {
  readonly delays = new LaunchDelays();
  readonly #ground: Ground;
  readonly #master: Master;
  readonly #instancesOf: (appId: string) => Instance[];
  readonly #timers = new Map<Instance, Cancel>();

  constructor(ground: Ground, master: Master, instancesOf: (appId: string) => Instance[]) {
    this.#ground = ground;
    this.#master = master;
    this.#instancesOf = instancesOf;
  }

  /** The instance waits for an offer, which comes no sooner than `offerInMs` from now. */
  schedule(instance: Instance, offerInMs: number): void {
    const now = this.#ground.time.now();
    instance.condition = 'Scheduled';
    instance.task = undefined;
    instance.healthyAt = undefined;
    instance.unreachableSince = undefined;
    instance.since = now;
    instance.offerAt = now + offerInMs;
    instance.unused = { at: 0, count: 0, reasons: new Map() };
    this.#arm(instance);
  }

  forget(instance: Instance): void {
    this.#timers.get(instance)?.();
    this.#timers.delete(instance);
  }

  resetDelay(appId: string): void {
    this.delays.reset(appId);
    for (const instance of this.#instancesOf(appId)) {
      if (instance.condition === 'Scheduled' && this.#timers.has(instance)) this.#arm(instance);
    }
  }

  /** Other resources are on offer: those who found none look again. */
  offersChanged(instances: readonly Instance[]): void {
    for (const instance of instances) {
      if (instance.condition !== 'Scheduled' || this.#timers.has(instance)) continue;
      instance.offerAt = this.#ground.time.now() + ALLOCATION_MS;
      this.#arm(instance);
    }
  }

  /** Gives the instance a task on the offer, without launching it yet. */
  provision(instance: Instance, offer: Offer): TaskLaunch {
    const { app } = instance;
    const draw = this.#draw(instance).fork('ports');
    const ports = choosePorts(app, offer, (min, max) => draw.int(min, max));
    const name = app.id.slice(1).replaceAll('/', '_');
    const id = this.#master.release.incarnations
      ? `${name}.instance-${instance.uuid}._app.${instance.incarnation}`
      : `${name}.${instance.uuid}`;
    const stagedAt = this.#ground.time.now();
    const { agentId } = offer;
    instance.condition = 'Provisioned';
    instance.task = { id, agentId, offer, ports, stagedAt, startedAt: undefined };
    if (app.localVolumePaths.length > 0) instance.reservedOn = agentId;
    const { cpus, mem, volumeNames, volumeSizeGiB } = app;
    return { taskId: id, appId: app.id, cpus, mem, ports, volumeNames, volumeSizeGiB };
  }

  #arm(instance: Instance): void {
    const { time } = this.#ground;
    this.forget(instance);
    const at = Math.max(instance.offerAt, this.delays.until(instance.app.id));
    const attempt = () => {
      this.#timers.delete(instance);
      this.#attempt(instance);
    };
    this.#timers.set(instance, time.after(Math.max(0, at - time.now()), attempt));
  }

  #attempt(instance: Instance): void {
    const { app, reservedOn, unused } = instance;
    const others = this.#instancesOf(app.id).flatMap(({ task }) => (task ? [task.offer] : []));
    const usable: Offer[] = [];
    unused.at = this.#ground.time.now();
    for (const offer of offersOf(this.#master)) {
      const reason = rejection(app, offer, others, reservedOn);
      if (reason === undefined) usable.push(offer);
      else unused.reasons.set(reason, (unused.reasons.get(reason) ?? 0) + 1);
      unused.count += 1;
    }
    if (usable.length === 0) return;
    const offer = this.#draw(instance).pick(usable);
    this.#master.launch(offer.agentId, this.provision(instance, offer));
  }

  #draw({ uuid, incarnation }: Instance): Rng {
    return this.#ground.rng.fork(`offer/${uuid}/${incarnation}`);
  }
}
