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
const REBOOT_MS = 20_000;
/** Terminated instances lose their tags, then vanish (about an hour in all). */
const TAGS_KEPT_MS = 30 * 60_000;
const VISIBLE_MS = 60 * 60_000;

export const USER_INITIATED: StateReason = {
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

export interface Power {
  start(instance: Instance): StateChange;
  /** Throws the refusal a StopInstances of this instance gets, before anything is changed. */
  checkStop(instance: Instance, flags: StopFlags): void;
  checkTerminate(instance: Instance, flags: StopFlags): void;
  stop(instance: Instance, flags: StopFlags, reason?: StateReason): StateChange;
  terminate(instance: Instance, flags: StopFlags, reason?: StateReason): StateChange;
  /** The state never leaves `running`: no event, same launch time. */
  reboot(instance: Instance): void;
  hang(instance: Instance): void;
  thaw(instance: Instance): void;
  /** A new instance: `pending`, then `running`. */
  boot(instance: Instance): void;
}

interface Descent {
  goal: 'stopped' | 'terminated';
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

const refuse = (code: string, message: string): never => {
  throw new Ec2Refusal(code, message);
};

const nothing: Cancel = () => undefined;

export const createPower = (world: World, disks: Disks): Power => {
  const { time, durations } = world;
  const descents = new Map<string, Descent>();
  const boots = new Map<string, Cancel>();
  /** Machines told to stop with Force in this incarnation: the only ones that may write on. */
  const forced = new Set<string>();

  const cutPower = (instance: Instance): void => {
    if (!instance.powered) return;
    instance.powered = false;
    instance.kernel = 'ok';
    instance.shuttingDown = false;
    world.notify({ kind: 'powered-off', instanceId: instance.instanceId });
    disks.powerLost(instance);
  };

  const forget = (instance: Instance): void => {
    time.after(TAGS_KEPT_MS, () => {
      instance.tags = {};
    });
    time.after(VISIBLE_MS, () => {
      instance.visible = false;
    });
  };

  const finish = (instance: Instance, goal: Descent['goal']): void => {
    descents.delete(instance.instanceId);
    const lateMs = forced.has(instance.instanceId)
      ? (world.faults.postStopWrites?.(instance.instanceId) ?? 0)
      : 0;
    instance.impairedSince = undefined;
    if (lateMs > 0) time.after(lateMs, () => cutPower(instance));
    else cutPower(instance);
    world.enterState(instance, goal);
    if (goal === 'terminated') {
      disks.releaseAll(instance);
      forget(instance);
    }
  };

  const schedule = (instance: Instance, descent: Descent): void => {
    descents.get(instance.instanceId)?.cancel();
    const delayMs = Math.max(0, descent.due - time.now());
    descent.cancel = Number.isFinite(delayMs)
      ? time.after(delayMs, () => finish(instance, descent.goal))
      : nothing;
    descents.set(instance.instanceId, descent);
  };

  const neededMs = (instance: Instance, method: StopMethod): number => {
    const { instanceId } = instance;
    const extraMs = world.faults.stuckStop?.(instanceId, method) ?? 0;
    const asksGuest = method === 'graceful' || method === 'force';
    if (asksGuest && instance.kernel === 'hung') return GRACEFUL_LIMIT_MS + extraMs;
    return durations.stopMs(instanceId, method) + extraMs;
  };

  const askGuest = (instance: Instance): void => {
    if (!instance.powered || instance.shuttingDown) return;
    instance.shuttingDown = true;
    world.notify({ kind: 'shutting-down', instanceId: instance.instanceId });
  };

  /** Stop and Terminate alike. A repeated or stronger command never lengthens what is underway. */
  const descend = (instance: Instance, goal: Descent['goal'], flags: StopFlags): void => {
    const { instanceId } = instance;
    const method = methodOf(flags);
    const now = time.now();
    const current = descents.get(instanceId);
    boots.get(instanceId)?.();
    boots.delete(instanceId);
    const needed = instance.state === 'stopped' ? TERMINATE_STOPPED_MS : neededMs(instance, method);
    if (flags.force) forced.add(instanceId);
    const sooner = current === undefined || now + needed < current.due;
    schedule(instance, {
      goal,
      method: sooner ? method : current.method,
      startedAt: current?.startedAt ?? now,
      due: sooner ? now + needed : current.due,
      cancel: nothing,
    });
    const waiting = goal === 'stopped' ? 'stopping' : 'shutting-down';
    if (instance.state !== waiting) world.enterState(instance, waiting);
    if (!flags.skipOsShutdown && instance.kernel === 'ok') askGuest(instance);
  };

  const explain = (instance: Instance, reason: StateReason): void => {
    instance.stateReason = reason;
    const at = isoTime(time.now()).replace('T', ' ').slice(0, 19);
    const who = reason.code.startsWith('Client.User') ? 'User' : 'Service';
    instance.transitionReason = `${who} initiated (${at} GMT)`;
  };

  const boot = (instance: Instance): void => {
    const { instanceId } = instance;
    world.enterState(instance, 'pending');
    boots.set(
      instanceId,
      time.after(START_MS, () => {
        boots.delete(instanceId);
        instance.powered = true;
        world.enterState(instance, 'running');
        world.notify({ kind: 'powered-on', instanceId });
      }),
    );
  };

  return {
    boot,
    start(instance) {
      const { instanceId, state } = instance;
      if (state === 'running' || state === 'pending') {
        return { instanceId, previous: state, current: state };
      }
      if (state !== 'stopped') {
        const message = `The instance '${instanceId}' is not in a state from which it can be`;
        refuse('IncorrectInstanceState', `${message} started.`);
      }
      cutPower(instance);
      forced.delete(instanceId);
      instance.launchTime = Math.max(wholeSecond(time.now()), instance.launchTime + 1000);
      instance.stateReason = undefined;
      instance.transitionReason = '';
      instance.statusChecked = false;
      boot(instance);
      return { instanceId, previous: state, current: 'pending' };
    },

    checkStop(instance, flags) {
      const { instanceId, state } = instance;
      if (instance.rootDeviceType === 'instance-store') {
        const message = `The instance '${instanceId}' does not have an 'ebs' root device type and`;
        refuse('UnsupportedOperation', `${message} cannot be stopped.`);
      }
      if (instance.spot?.type === 'one-time') {
        const message = `You can't stop the Spot Instance '${instanceId}' because it is associated`;
        refuse('UnsupportedOperation', `${message} with a one-time Spot Instance request.`);
      }
      const tooEarly = state === 'pending' && !flags.force;
      if (tooEarly || state === 'shutting-down' || state === 'terminated') {
        const message = `The instance '${instanceId}' is not in a state from which it can be`;
        refuse('IncorrectInstanceState', `${message} stopped.`);
      }
      if (instance.disableApiStop) refuseProtected(instanceId, 'stopped', 'disableApiStop');
      checkSkip(instance, flags);
    },

    checkTerminate(instance, flags) {
      if (instance.state === 'terminated') return;
      if (instance.disableApiTermination) {
        refuseProtected(instance.instanceId, 'terminated', 'disableApiTermination');
      }
      checkSkip(instance, flags);
    },

    stop(instance, flags, reason = USER_INITIATED) {
      const { instanceId, state: previous } = instance;
      if (previous !== 'stopped') {
        if (previous !== 'stopping') explain(instance, reason);
        descend(instance, 'stopped', flags);
      }
      return { instanceId, previous, current: instance.state };
    },

    terminate(instance, flags, reason = USER_INITIATED) {
      const { instanceId, state: previous } = instance;
      if (previous !== 'terminated') {
        if (previous !== 'shutting-down') explain(instance, reason);
        descend(instance, 'terminated', flags);
      }
      return { instanceId, previous, current: instance.state };
    },

    reboot(instance) {
      const { instanceId, state, launchTime } = instance;
      if (state !== 'running') {
        refuse('IncorrectState', `The instance '${instanceId}' is not in the 'running' state.`);
      }
      // A guest that does not react is reset hard after the same few minutes as a Stop.
      const delayMs = instance.kernel === 'hung' ? GRACEFUL_LIMIT_MS : REBOOT_MS / 2;
      if (instance.kernel === 'ok') askGuest(instance);
      time.after(delayMs, () => {
        if (instance.state !== 'running' || instance.launchTime !== launchTime) return;
        cutPower(instance);
        time.after(REBOOT_MS / 2, () => {
          if (instance.state !== 'running' || instance.launchTime !== launchTime) return;
          instance.powered = true;
          world.notify({ kind: 'powered-on', instanceId });
        });
      });
    },

    hang(instance) {
      if (!instance.powered || instance.kernel === 'hung') return;
      instance.kernel = 'hung';
      world.notify({ kind: 'hung', instanceId: instance.instanceId });
      const descent = descents.get(instance.instanceId);
      const waitsForGuest = descent?.method === 'graceful' || descent?.method === 'force';
      if (descent === undefined || !waitsForGuest) return;
      schedule(instance, { ...descent, due: descent.startedAt + GRACEFUL_LIMIT_MS });
    },

    thaw(instance) {
      if (instance.kernel !== 'hung') return;
      instance.kernel = 'ok';
      world.notify({ kind: 'thawed', instanceId: instance.instanceId });
    },
  };
};

const refuseProtected = (instanceId: string, verb: string, attribute: string): never =>
  refuse(
    'OperationNotPermitted',
    `The instance '${instanceId}' may not be ${verb}. Modify its '${attribute}' instance ` +
      'attribute and try again.',
  );

const checkSkip = (instance: Instance, { skipOsShutdown }: StopFlags): void => {
  if (skipOsShutdown && hypervisorOf(instance.instanceType) === 'xen') {
    refuse('OperationNotPermitted', 'SkipOsShutdown is not supported on Xen instance types');
  }
};
