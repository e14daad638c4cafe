import type { Health } from '../health/health.ts';
import type { StatusSample } from './health.ts';
import type { Instance } from './model.ts';
import type { Power } from './power.ts';
import type { World } from './world.ts';

export interface AutoRecovery {
  /** From the first failed system check to the attempt. AWS names no figure. */
  afterMs: number;
  /** False: AWS finds no other host for it. Default: true. */
  succeeds?: boolean;
}

export interface AutoRecoveryHands {
  /**
   * Switches simplified automatic recovery on for all machines, or off. On AWS it is on by default;
   * here it is off, so that a host is lost until somebody finds it.
   */
  autoRecovery(options: AutoRecovery | undefined): void;
}

/**
 * Simplified automatic recovery: a machine whose system check fails comes up on another host with
 * its id, addresses, volumes and launch time, as after an unplanned reboot. It can only operate
 * while the instance is `running` (User Guide, ec2-instance-recover), and AWS Health tells how it
 * ended.
 */
export const createAutoRecovery = (
  world: World,
  deps: {
    power: Power;
    health: Health;
    onCheck: (listener: (minute: number, samples: StatusSample[]) => void) => void;
  },
): AutoRecoveryHands => {
  const { power, health, onCheck } = deps;
  let options: AutoRecovery | undefined;
  const waiting = new Set<string>();

  const mayRecover = (instance: Instance): boolean =>
    instance.state === 'running' &&
    instance.kernel === 'hung' &&
    instance.autoRecovery === 'default' &&
    !world.lostZones.has(instance.availabilityZone);

  const attempt = (instance: Instance, succeeds: boolean): void => {
    const { instanceId } = instance;
    waiting.delete(instanceId);
    if (!mayRecover(instance)) return;
    if (succeeds) power.recover(instance);
    health.announce({
      service: 'EC2',
      eventTypeCode: `AWS_EC2_SIMPLIFIED_AUTO_RECOVERY_${succeeds ? 'SUCCESS' : 'FAILURE'}`,
      category: 'issue',
      statusCode: 'open',
      startTime: world.time.now(),
      entities: [instanceId],
    });
  };

  onCheck((_minute, samples) => {
    if (options === undefined) return;
    const { afterMs, succeeds = true } = options;
    for (const { instanceId, system } of samples) {
      const instance = world.instances.get(instanceId);
      if (system === 0 || instance === undefined || waiting.has(instanceId)) continue;
      if (!mayRecover(instance)) continue;
      waiting.add(instanceId);
      world.time.after(afterMs, () => attempt(instance, succeeds));
    }
  });
  return {
    autoRecovery(next) {
      options = next;
    },
  };
};
