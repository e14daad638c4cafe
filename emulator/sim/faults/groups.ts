import { type FaultKind, fault } from '../fault.ts';
import type { Site } from '../site.ts';
import { GROUP } from '../stage.ts';

/** What an Auto Scaling group does to its members by itself, or because a person tells it to. */

const TERMINATING = 'autoscaling:EC2_INSTANCE_TERMINATING';
const HOOK_EVENT = 'EC2 Instance-terminate Lifecycle Action';
const TERMINATED_EVENT = 'EC2 Instance Terminate Successful';

const ask = (site: Site, operation: string, body: Record<string, unknown>): void =>
  void site.operator('autoscaling', {
    operation,
    body: { AutoScalingGroupName: GROUP, ...body },
  });

/** From now on the group waits with each termination, if nobody completes the hook for so long. */
const hookFor = (site: Site, name: string, timeoutS: number): void =>
  ask(site, 'PutLifecycleHook', {
    LifecycleHookName: name,
    LifecycleTransition: TERMINATING,
    HeartbeatTimeout: timeoutS,
  });

/** The group's word about a member gets to the service. */
const hitWhenTold = (site: Site, id: string, told: string): void =>
  site.on('deliver', (event) => {
    if (event['detail-type'] === told) site.hit(id);
    return undefined;
  });

export const groupFaults: readonly FaultKind[] = [
  fault('AS-03', {
    scenes: ['hung', 'stopped', 'quiet'],
    traits: { group: true },
    draw: (rng) => ({
      atS: rng.int(0, 200),
      timeoutS: rng.pick([30, 120, 600, 3_600]),
      // Somebody else's hook, which nobody completes.
      otherS: rng.pick([0, 0, 60, 600]),
    }),
    arm: (site, { atS, timeoutS, otherS }) => {
      hookFor(site, 'evacuate', timeoutS);
      if (otherS > 0) hookFor(site, 'upload-logs', otherS);
      hitWhenTold(site, 'AS-03', HOOK_EVENT);
      site.later(atS * 1000, () =>
        ask(site, 'TerminateInstanceInAutoScalingGroup', {
          InstanceId: site.stage.failing.instanceId,
          ShouldDecrementDesiredCapacity: false,
        }),
      );
    },
  }),
  fault('AS-05', {
    scenes: ['hung', 'quiet'],
    traits: { group: true, crowdInGroup: true, crowd: 2, agents: 4 },
    draw: (rng) => ({
      atS: rng.int(0, 60),
      healthyPercent: rng.pick([0, 50, 50, 90]),
      warmupS: rng.pick([0, 300]),
      hookS: rng.pick([0, 0, 120, 1_800]),
    }),
    arm: (site, { atS, healthyPercent, warmupS, hookS }) => {
      if (hookS > 0) hookFor(site, 'evacuate', hookS);
      hitWhenTold(site, 'AS-05', hookS > 0 ? HOOK_EVENT : TERMINATED_EVENT);
      site.later(atS * 1000, () =>
        ask(site, 'StartInstanceRefresh', {
          'Preferences.MinHealthyPercentage': healthyPercent,
          'Preferences.InstanceWarmup': warmupS,
        }),
      );
      site.heal(() => ask(site, 'CancelInstanceRefresh', {}));
    },
  }),
];
