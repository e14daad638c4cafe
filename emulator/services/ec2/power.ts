import type { StopMethod } from '../../core/durations.ts';
import { Ec2Refusal } from '../../core/machines.ts';
import type { Cancel } from '../../core/time.ts';
import { isoTime } from '../../core/time.ts';
import type { Disks } from './disks.ts';
import type { Instance, InstanceState, StateReason } from './model.ts';
import { hypervisorOf, wholeSecond } from './model.ts';
import type { World } from './world.ts';

/** How long EC2 waits for a guest that does not go down by itself ("a few minutes"). */
export const GRACEFUL_LIMIT_MS = 180_000;
/** `pending` to `running`. */
export const START_MS = 8_000;
/** Terminating a machine whose power is off already: only bookkeeping is left. */
const TERMINATE_STOPPED_MS = 1_500;
/** A reboot's way down, and again its way up. */
const REBOOT_HALF_MS = 10_000;
/** Terminated instances lose their tags, then vanish (about an hour in all). */
const TAGS_KEPT_MS = 30 * 60_000;
const VISIBLE_MS = 60 * 60_000;

const USER_INITIATED: StateReason = {
  code: 'Client.UserInitiatedShutdown',
  message: 'Client.UserInitiatedShutdown: User initiated shutdown',
};

export interface StateChange {
  instanceId: string;
  previous: InstanceState;
  current: InstanceState;
}

export interface StopFlags {
  force: boolean;
  skipOsShutdown: boolean;
}

type Goal = 'stopped' | 'terminated';

/** A stop or terminate underway. */
interface Descent {
  goal: Goal;
  method: StopMethod;
  startedAt: number;
  /** Epoch ms; `Infinity` while stuck. */
  due: number;
  cancel: Cancel;
}

const methodOf = ({ force, skipOsShutdown }: StopFlags): StopMethod => {
  if (skipOsShutdown) return force ? 'force-skip' : 'skip';
  return force ? 'force' : 'graceful';
};

/** Force, too, asks the guest first (API reference, StopInstances). */
const asksGuest = (method: StopMethod): boolean => method === 'graceful' || method === 'force';

const refuse = (code: string, message: string): never => {
  throw new Ec2Refusal(code, message);
};

const refuseState = (instanceId: string, verb: string): never =>
  refuse(
    'IncorrectInstanceState',
    `The instance '${instanceId}' is not in a state from which it can be ${verb}.`,
  );

const refuseProtected = (instanceId: string, verb: string, attribute: string): never =>
  refuse(
    'OperationNotPermitted',
    `The instance '${instanceId}' may not be ${verb}. Modify its '${attribute}' instance ` +
      'attribute and try again.',
  );

const refuseXenSkip = (instance: Instance, { skipOsShutdown }: StopFlags): void => {
  if (skipOsShutdown && hypervisorOf(instance.instanceType) === 'xen') {
    refuse('OperationNotPermitted', 'SkipOsShutdown is not supported on Xen instance types');
  }
};

/** Throws the refusal a StartInstances of this instance gets for reasons beside its state. */
export const checkStart = ({ instanceId, spot }: Instance): void => {
  if (spot?.state !== 'cancelled') return;
  const message = `You can't start the Spot Instance '${instanceId}' because the associated Spot`;
  refuse(
    'IncorrectSpotRequestState',
    `${message} Instance request is not in an appropriate state to support start.`,
  );
};

/** Throws the refusal a StopInstances of this instance gets, before anything is changed. */
export const checkStop = (instance: Instance, flags: StopFlags): void => {
  const { instanceId, state } = instance;
  if (instance.rootDeviceType === 'instance-store') {
    const message = `The instance '${instanceId}' does not have an 'ebs' root device type and`;
    refuse('UnsupportedOperation', `${message} cannot be stopped.`);
  }
  if (instance.spot?.type === 'one-time') {
    const message = `You can't stop the Spot Instance '${instanceId}' because it is associated`;
    refuse('UnsupportedOperation', `${message} with a one-time Spot Instance request.`);
  }
  if (instance.spot?.inFleet || instance.spot?.state === 'cancelled') {
    const message = `You can't stop the Spot Instance '${instanceId}' because the associated Spot`;
    const why = instance.spot.inFleet ? 'belongs to a fleet' : 'was cancelled';
    refuse('UnsupportedOperation', `${message} Instance request ${why}.`);
  }
  const tooEarly = state === 'pending' && !flags.force;
  if (tooEarly || state === 'shutting-down' || state === 'terminated') {
    refuseState(instanceId, 'stopped');
  }
  if (instance.disableApiStop) refuseProtected(instanceId, 'stopped', 'disableApiStop');
  refuseXenSkip(instance, flags);
};

/** The same for TerminateInstances, which is idempotent on a terminated instance. */
export const checkTerminate = (instance: Instance, flags: StopFlags): void => {
  if (instance.state === 'terminated') return;
  if (instance.disableApiTermination) {
    refuseProtected(instance.instanceId, 'terminated', 'disableApiTermination');
  }
  refuseXenSkip(instance, flags);
};

/** Power and kernels: every way a machine comes up, goes down, hangs and returns. */
export class Power {
  readonly #world: World;
  readonly #disks: Disks;
  readonly #descents = new Map<string, Descent>();
  readonly #boots = new Map<string, Cancel>();
  /** Machines told to go down with Force in this incarnation: only they may write on. */
  readonly #forced = new Set<string>();

  constructor(world: World, disks: Disks) {
    this.#world = world;
    this.#disks = disks;
  }

  /** `pending`, then `running` with power. */
  boot(instance: Instance): void {
    const { instanceId } = instance;
    this.#world.enterState(instance, 'pending');
    const booted = this.#world.time.after(START_MS, () => {
      this.#boots.delete(instanceId);
      instance.powered = true;
      this.#world.enterState(instance, 'running');
      this.#world.notify({ kind: 'powered-on', instanceId });
      if (this.#world.lostZones.has(instance.availabilityZone)) this.loseHost(instance);
    });
    this.#boots.set(instanceId, booted);
  }

  /** Throws `InsufficientInstanceCapacity` where nothing can start. */
  checkCapacity(availabilityZone: string): void {
    if (!this.#world.lostZones.has(availabilityZone)) return;
    const message = 'We currently do not have sufficient capacity in the Availability Zone you';
    refuse('InsufficientInstanceCapacity', `${message} requested (${availabilityZone}).`);
  }

  /** A stopped machine comes up as another incarnation; a running one stays as it is. */
  start(instance: Instance): StateChange {
    const { instanceId, state: previous } = instance;
    if (previous === 'running' || previous === 'pending') {
      return { instanceId, previous, current: previous };
    }
    if (previous !== 'stopped') refuseState(instanceId, 'started');
    this.checkCapacity(instance.availabilityZone);
    this.#cutPower(instance);
    this.#forced.delete(instanceId);
    instance.launchTime = Math.max(wholeSecond(this.#world.time.now()), instance.launchTime + 1000);
    instance.stateReason = undefined;
    instance.transitionReason = '';
    instance.statusChecked = false;
    this.boot(instance);
    return { instanceId, previous, current: instance.state };
  }

  stop(instance: Instance, flags: StopFlags, reason = USER_INITIATED): StateChange {
    const { instanceId, state: previous } = instance;
    if (previous !== 'stopped') {
      if (previous !== 'stopping') this.#explain(instance, reason);
      this.#descend(instance, 'stopped', flags);
    }
    return { instanceId, previous, current: instance.state };
  }

  terminate(instance: Instance, flags: StopFlags, reason = USER_INITIATED): StateChange {
    const { instanceId, state: previous } = instance;
    if (previous !== 'terminated') {
      if (previous !== 'shutting-down') this.#explain(instance, reason);
      this.#descend(instance, 'terminated', flags);
    }
    return { instanceId, previous, current: instance.state };
  }

  /** The state never leaves `running`: no event, same launch time. No fence. */
  reboot(instance: Instance): void {
    const { instanceId, launchTime } = instance;
    const { time } = this.#world;
    const sameRun = () => instance.state === 'running' && instance.launchTime === launchTime;
    if (instance.state !== 'running') {
      refuse('IncorrectState', `The instance '${instanceId}' is not in the 'running' state.`);
    }
    // A guest that does not react is reset hard after the same few minutes as a Stop.
    const delayMs = instance.kernel === 'hung' ? GRACEFUL_LIMIT_MS : REBOOT_HALF_MS;
    this.#askGuest(instance);
    time.after(delayMs, () => {
      if (!sameRun()) return;
      this.#cutPower(instance);
      time.after(REBOOT_HALF_MS, () => {
        if (!sameRun()) return;
        instance.powered = true;
        this.#world.notify({ kind: 'powered-on', instanceId });
      });
    });
  }

  hang(instance: Instance): void {
    if (!instance.powered || instance.kernel === 'hung') return;
    instance.kernel = 'hung';
    this.#world.notify({ kind: 'hung', instanceId: instance.instanceId });
    const descent = this.#descents.get(instance.instanceId);
    if (descent === undefined || !asksGuest(descent.method)) return;
    const due = descent.startedAt + this.#neededMs(instance, descent.method);
    this.#schedule(instance, { ...descent, due });
  }

  /**
   * The kernel answers nothing and no command comes to an end: AWS's advice after ten minutes of
   * `stopping` is to call support (User Guide, TroubleshootingInstancesStopping).
   */
  loseHost(instance: Instance): void {
    instance.hostLost = true;
    this.hang(instance);
    this.#reschedule(instance);
  }

  /** AWS has it back: what was asked for meanwhile takes its usual time from now on. */
  findHost(instance: Instance): void {
    instance.hostLost = false;
    this.#reschedule(instance);
  }

  /** On another host, as after a reboot nobody asked for: same launch time, no event. */
  recover(instance: Instance): void {
    const { instanceId, launchTime } = instance;
    instance.hostLost = false;
    this.#cutPower(instance);
    this.#world.time.after(REBOOT_HALF_MS, () => {
      if (instance.state !== 'running' || instance.launchTime !== launchTime) return;
      if (instance.powered) return;
      instance.powered = true;
      this.#world.notify({ kind: 'powered-on', instanceId });
    });
  }

  #reschedule(instance: Instance): void {
    const descent = this.#descents.get(instance.instanceId);
    if (descent === undefined) return;
    const due = this.#world.time.now() + this.#neededMs(instance, descent.method);
    this.#schedule(instance, { ...descent, due });
  }

  thaw(instance: Instance): void {
    if (instance.kernel !== 'hung') return;
    instance.kernel = 'ok';
    this.#world.notify({ kind: 'thawed', instanceId: instance.instanceId });
  }

  /** A repeated or stronger command never lengthens what is underway. */
  #descend(instance: Instance, goal: Goal, flags: StopFlags): void {
    const { instanceId } = instance;
    const method = methodOf(flags);
    const now = this.#world.time.now();
    this.#boots.get(instanceId)?.();
    this.#boots.delete(instanceId);
    if (flags.force) this.#forced.add(instanceId);
    const current = this.#descents.get(instanceId);
    const due = now + this.#neededMs(instance, method);
    this.#schedule(
      instance,
      current === undefined || due < current.due || current.due === Number.POSITIVE_INFINITY
        ? { goal, method, startedAt: current?.startedAt ?? now, due, cancel: () => undefined }
        : { ...current, goal },
    );
    const waiting = goal === 'stopped' ? 'stopping' : 'shutting-down';
    if (instance.state !== waiting) this.#world.enterState(instance, waiting);
    if (!flags.skipOsShutdown) this.#askGuest(instance);
  }

  #neededMs(instance: Instance, method: StopMethod): number {
    if (instance.state === 'stopped') return TERMINATE_STOPPED_MS;
    const { blocksShutdown, hostLost, instanceId, kernel } = instance;
    if (hostLost || (blocksShutdown && asksGuest(method))) return Number.POSITIVE_INFINITY;
    const extraMs = this.#world.faults.stuckStop?.(instanceId, method) ?? 0;
    const ignored = asksGuest(method) && kernel === 'hung';
    const ms = ignored ? GRACEFUL_LIMIT_MS : this.#world.durations.stopMs(instanceId, method);
    return ms + extraMs;
  }

  #schedule(instance: Instance, descent: Descent): void {
    const { time } = this.#world;
    const { instanceId } = instance;
    this.#descents.get(instanceId)?.cancel();
    const delayMs = Math.max(0, descent.due - time.now());
    const cancel = Number.isFinite(delayMs)
      ? time.after(delayMs, () => this.#finish(instance, descent.goal))
      : () => undefined;
    this.#descents.set(instanceId, { ...descent, cancel });
  }

  #finish(instance: Instance, goal: Goal): void {
    const { instanceId, launchTime } = instance;
    const { time, faults } = this.#world;
    const cut = () => {
      if (instance.launchTime === launchTime) this.#cutPower(instance);
    };
    this.#descents.delete(instanceId);
    instance.impairedSince = undefined;
    // Terminated, it loses its disks at once, and what it writes then lands nowhere.
    const mayWrite = goal === 'stopped' && this.#forced.has(instanceId);
    const lateMs = mayWrite ? (faults.postStopWrites?.(instanceId) ?? 0) : 0;
    if (lateMs > 0) time.after(lateMs, cut);
    else cut();
    this.#world.enterState(instance, goal);
    if (goal === 'stopped') return;
    this.#disks.releaseAll(instance);
    time.after(TAGS_KEPT_MS, () => {
      instance.tags = {};
    });
    time.after(VISIBLE_MS, () => {
      instance.visible = false;
    });
  }

  #cutPower(instance: Instance): void {
    if (!instance.powered) return;
    instance.powered = false;
    instance.kernel = 'ok';
    instance.shuttingDown = false;
    this.#world.notify({ kind: 'powered-off', instanceId: instance.instanceId });
    this.#disks.powerLost(instance);
  }

  #askGuest(instance: Instance): void {
    if (!instance.powered || instance.kernel === 'hung' || instance.shuttingDown) return;
    instance.shuttingDown = true;
    this.#world.notify({ kind: 'shutting-down', instanceId: instance.instanceId });
  }

  #explain(instance: Instance, reason: StateReason): void {
    instance.stateReason = reason;
    const at = isoTime(this.#world.time.now()).replace('T', ' ').slice(0, 19);
    const who = reason.code.startsWith('Client.User') ? 'User' : 'Service';
    instance.transitionReason = `${who} initiated (${at} GMT)`;
  }
}
