import {
  DescribeAutoScalingGroupsCommand,
  DescribeAutoScalingInstancesCommand,
} from '@aws-sdk/client-auto-scaling';
import { createRng } from '../../../emulator/core/random.ts';
import {
  type AutoScalingDeps,
  createAutoScaling,
  type GroupSpec,
} from '../../../emulator/services/autoscaling/autoscaling.ts';
import { ACCOUNT, autoScalingClient, bench, REGION, ZONE } from '../ec2/kit.ts';

export const GROUP = 'SlaveServerGroup';
export const byName = { AutoScalingGroupName: GROUP };

/** A stock group of two agents (or more): min = max = desired. */
export const stockGroup = (
  { size = 2, ...spec }: Partial<GroupSpec> & { size?: number } = {},
  deps: Partial<AutoScalingDeps> = {},
) => {
  const world = bench();
  const { time, ec2, emit } = world;
  const shared = { time, ec2, emit, rng: createRng(3), account: ACCOUNT, region: REGION };
  const group = createAutoScaling({ ...shared, ...deps });
  const instanceIds = Array.from({ length: size }, () =>
    ec2.seedInstance({ availabilityZone: ZONE }),
  );
  const [a = '', b = ''] = instanceIds;
  const launched: string[] = [];
  group.onLaunched((instanceId) => launched.push(instanceId));
  const tags = { role: 'mesos-slave' };
  group.seedGroup({ name: GROUP, availabilityZones: [ZONE], instanceIds, tags, ...spec });
  const asg = autoScalingClient(group);
  const told = async () => {
    const answer = await asg.send(new DescribeAutoScalingGroupsCommand({}));
    const [first] = answer.AutoScalingGroups ?? [];
    if (first === undefined) throw new Error('the group was not told');
    return first;
  };
  const lifecycle = async (instanceId: string) => {
    const own = new DescribeAutoScalingInstancesCommand({ InstanceIds: [instanceId] });
    return (await asg.send(own)).AutoScalingInstances?.[0]?.LifecycleState;
  };
  return { ...world, group, asg, a, b, instanceIds, launched, told, lifecycle };
};
