import type { Time } from '../../core/time.ts';
import type { Instance } from './model.ts';
import type { World } from './world.ts';

const MINUTE_MS = 60_000;

/** The failed-check metrics of one minute; instances that do not run publish none. */
export interface StatusSample {
  instanceId: string;
  /** Start of the minute the sample stands for, epoch ms. */
  minute: number;
  system: 0 | 1;
  instance: 0 | 1;
  /** Whether all volumes complete their I/O (`StatusCheckFailed_AttachedEBS`). */
  attachedEbs: 0 | 1;
}

export interface Health {
  onCheck(listener: (minute: number, samples: StatusSample[]) => void): void;
}

/** Calls `effect` at every full minute, first at the next one, for ever. */
const everyMinute = (time: Time, effect: (minute: number) => void): void => {
  const wait = MINUTE_MS - (time.now() % MINUTE_MS);
  time.after(wait, () => {
    everyMinute(time, effect);
    effect(time.now());
  });
};

/**
 * EC2's status checks, every minute on the minute. A failed system check also fails the instance
 * check (User Guide, monitoring-system-instance-status-check); during a reboot, and while the guest
 * has trouble of its own, only the latter fails.
 */
export const createHealth = (world: World): Health => {
  const listeners: ((minute: number, samples: StatusSample[]) => void)[] = [];
  const check = (instance: Instance, minute: number): StatusSample => {
    const system = instance.kernel === 'hung' ? 1 : 0;
    const failed = system === 1 || !instance.powered || instance.instanceCheckFails;
    const { instanceId } = instance;
    const attachedEbs = world.volumesOf(instanceId).some(({ ioPaused }) => ioPaused) ? 1 : 0;
    if (attachedEbs === 0) instance.ebsImpairedSince = undefined;
    else instance.ebsImpairedSince ??= minute;
    instance.statusChecked = true;
    instance.systemImpaired = system === 1;
    if (!failed) instance.impairedSince = undefined;
    else instance.impairedSince ??= minute;
    return { instanceId, minute, system, instance: failed ? 1 : 0, attachedEbs };
  };
  everyMinute(world.time, (minute) => {
    const running = [...world.instances.values()].filter(({ state }) => state === 'running');
    const samples = running.map((instance) => check(instance, minute));
    for (const listener of listeners) listener(minute, samples);
  });
  return { onCheck: (listener) => listeners.push(listener) };
};
