import {
  DescribeAutoScalingInstancesCommand,
  DetachInstancesCommand,
  EnterStandbyCommand,
  ExitStandbyCommand,
  ResumeProcessesCommand,
  SetDesiredCapacityCommand,
  SuspendProcessesCommand,
  TerminateInstanceInAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import { describe, expect, it } from 'vitest';
import { Ec2Refusal } from '../../../emulator/core/machines.ts';
import { refusalOf, ZONE } from '../ec2/kit.ts';
import { stockGroup as anyGroup, byName, GROUP } from './kit.ts';

const MINUTE = 60_000;

const stockGroup = (...given: Parameters<typeof anyGroup>) => {
  const world = anyGroup(...given);
  const standby = (InstanceIds: string[], ShouldDecrementDesiredCapacity: boolean) =>
    world.asg.send(
      new EnterStandbyCommand({ ...byName, InstanceIds, ShouldDecrementDesiredCapacity }),
    );
  return { ...world, standby };
};

describe('a stock group', () => {
  it('is told with its sizes and members', async () => {
    const world = stockGroup();
    expect(await world.told()).toMatchObject({
      AutoScalingGroupName: GROUP,
      MinSize: 2,
      MaxSize: 2,
      DesiredCapacity: 2,
      AvailabilityZones: [ZONE],
      Instances: [
        { InstanceId: world.a, LifecycleState: 'InService', HealthStatus: 'Healthy' },
        { InstanceId: world.b, LifecycleState: 'InService', HealthStatus: 'Healthy' },
      ],
    });
    const own = new DescribeAutoScalingInstancesCommand({ InstanceIds: [world.a] });
    const { AutoScalingInstances } = await world.asg.send(own);
    expect(AutoScalingInstances).toMatchObject([
      { InstanceId: world.a, AutoScalingGroupName: GROUP, HealthStatus: 'HEALTHY' },
    ]);
    expect(world.ec2.machine(world.a)?.tags).toMatchObject({ 'aws:autoscaling:groupName': GROUP });
  });

  it('leaves healthy members alone', async () => {
    const world = stockGroup();
    world.time.advance(60 * MINUTE);
    expect(world.events).toEqual([]);
    expect(world.ec2.all()).toHaveLength(2);
  });

  it('terminates a stopped member and launches another with a new address', async () => {
    const world = stockGroup();
    world.ec2.stop(world.a, { skipOsShutdown: true });
    world.time.advance(10 * MINUTE);
    expect(world.ec2.status(world.a).state).toBe('terminated');
    const [replacement = ''] = world.launched;
    expect(world.launched).toHaveLength(1);
    expect(await world.lifecycle(replacement)).toBe('InService');
    expect(await world.lifecycle(world.a)).toBeUndefined();
    const machine = world.ec2.machine(replacement);
    expect(machine).toMatchObject({ powered: true, tags: { role: 'mesos-slave' } });
    expect(machine?.privateIp).not.toBe(world.ec2.machine(world.a)?.privateIp);
    const types = world.events
      .filter(({ source }) => source === 'aws.autoscaling')
      .map((event) => [event['detail-type'], event.detail.EC2InstanceId, event.detail.StatusCode]);
    expect(types).toEqual(
      expect.arrayContaining([
        ['EC2 Instance Launch Successful', replacement, 'InProgress'],
        ['EC2 Instance Terminate Successful', world.a, 'InProgress'],
      ]),
    );
    expect(types).toHaveLength(2);
  });

  it('replaces a member that somebody terminated', async () => {
    const world = stockGroup();
    world.ec2.terminate(world.a, { skipOsShutdown: true });
    world.time.advance(10 * MINUTE);
    expect(world.launched).toHaveLength(1);
    expect((await world.told()).Instances).toHaveLength(2);
  });

  it('replaces an impaired member, but not before its grace is over', async () => {
    const world = stockGroup({ impairedGraceMs: 5 * MINUTE });
    world.ec2.hang(world.a);
    world.time.advance(5 * MINUTE);
    expect(world.ec2.status(world.a).state).toBe('running');
    world.time.advance(10 * MINUTE);
    expect(world.ec2.status(world.a).state).toBe('terminated');
    expect(world.launched).toHaveLength(1);
  });

  it('launches in the zone with the fewest members', async () => {
    const world = stockGroup({ availabilityZones: [ZONE, 'us-east-1b'], desired: 3, maxSize: 3 });
    world.time.advance(MINUTE);
    const [launched = ''] = world.launched;
    expect(world.ec2.machine(launched)?.availabilityZone).toBe('us-east-1b');
  });
});

describe('standby', () => {
  it('keeps a stopped member from being terminated, and lets a replacement launch', async () => {
    const world = stockGroup();
    await world.standby([world.a], false);
    expect(await world.lifecycle(world.a)).toBe('EnteringStandby');
    world.ec2.stop(world.a, { skipOsShutdown: true });
    world.time.advance(30 * MINUTE);
    expect(await world.lifecycle(world.a)).toBe('Standby');
    expect(world.ec2.status(world.a).state).toBe('stopped');
    expect(world.launched).toHaveLength(1);
  });

  it('with decrement is refused below the minimum, and launches nothing above it', async () => {
    const stock = stockGroup();
    await expect(stock.standby([stock.a], true)).rejects.toThrow(/min-size=2, max-size=2/);
    expect(await refusalOf(stock.standby([stock.a], true))).toBe('ValidationError');
    expect(await stock.lifecycle(stock.a)).toBe('InService');
    const roomy = stockGroup({ minSize: 1 });
    await roomy.standby([roomy.a], true);
    roomy.time.advance(10 * MINUTE);
    expect((await roomy.told()).DesiredCapacity).toBe(1);
    expect(roomy.launched).toEqual([]);
  });

  it('is refused for members not in service, strangers and unknown groups', async () => {
    const world = stockGroup();
    await world.standby([world.a], false);
    await expect(world.standby([world.a], false)).rejects.toThrow(/not in InService/);
    const stranger = world.ec2.seedInstance({ availabilityZone: ZONE });
    await expect(world.standby([stranger], false)).rejects.toThrow(/not part of Auto Scaling/);
    const both = world.standby([world.b, stranger], false);
    expect(await refusalOf(both)).toBe('ValidationError');
    expect(await world.lifecycle(world.b)).toBe('InService');
    const unknown = new ExitStandbyCommand({ AutoScalingGroupName: 'other', InstanceIds: [] });
    await expect(world.asg.send(unknown)).rejects.toThrow(/AutoScalingGroup name not found/);
  });

  it('can be left while there is room, and only then', async () => {
    const exit = (world: ReturnType<typeof stockGroup>) =>
      world.asg.send(new ExitStandbyCommand({ ...byName, InstanceIds: [world.a] }));
    const full = stockGroup();
    await full.standby([full.a], false);
    full.time.advance(MINUTE);
    expect(await refusalOf(exit(full))).toBe('ValidationError');
    const roomy = stockGroup({ minSize: 1 });
    await roomy.standby([roomy.a], true);
    roomy.time.advance(MINUTE);
    await exit(roomy);
    roomy.time.advance(MINUTE);
    expect(await roomy.lifecycle(roomy.a)).toBe('InService');
    expect((await roomy.told()).DesiredCapacity).toBe(2);
  });
});

describe('processes and capacity', () => {
  it('replaces nothing while ReplaceUnhealthy is suspended, and does once resumed', async () => {
    const world = stockGroup();
    const ScalingProcesses = ['ReplaceUnhealthy'];
    await world.asg.send(new SuspendProcessesCommand({ ...byName, ScalingProcesses }));
    world.ec2.stop(world.a, { skipOsShutdown: true });
    world.time.advance(30 * MINUTE);
    expect(world.ec2.status(world.a).state).toBe('stopped');
    expect((await world.told()).SuspendedProcesses).toMatchObject([
      { ProcessName: 'ReplaceUnhealthy' },
    ]);
    await world.asg.send(new ResumeProcessesCommand({ ...byName, ScalingProcesses }));
    world.time.advance(5 * MINUTE);
    expect(world.ec2.status(world.a).state).toBe('terminated');
  });

  it('finds nobody unhealthy while HealthCheck is suspended', async () => {
    const world = stockGroup();
    const ScalingProcesses = ['HealthCheck'];
    await world.asg.send(new SuspendProcessesCommand({ ...byName, ScalingProcesses }));
    world.ec2.stop(world.a, { skipOsShutdown: true });
    world.time.advance(30 * MINUTE);
    expect(world.ec2.status(world.a).state).toBe('stopped');
  });

  it('refuses a process it does not know', async () => {
    const world = stockGroup();
    const command = new SuspendProcessesCommand({ ...byName, ScalingProcesses: ['Fencing'] });
    expect(await refusalOf(world.asg.send(command))).toBe('ValidationError');
    expect((await world.told()).SuspendedProcesses ?? []).toEqual([]);
  });

  it('terminates a member on request and replaces it unless the group shrinks', async () => {
    const world = stockGroup({ minSize: 1 });
    const terminate = (InstanceId: string, ShouldDecrementDesiredCapacity: boolean) =>
      world.asg.send(
        new TerminateInstanceInAutoScalingGroupCommand({
          InstanceId,
          ShouldDecrementDesiredCapacity,
        }),
      );
    const { Activity } = await terminate(world.a, true);
    expect(Activity).toMatchObject({ AutoScalingGroupName: GROUP, StatusCode: 'InProgress' });
    world.time.advance(10 * MINUTE);
    expect(world.ec2.status(world.a).state).toBe('terminated');
    expect(world.launched).toEqual([]);
    expect(await refusalOf(terminate(world.b, true))).toBe('ValidationError');
    await terminate(world.b, false);
    world.time.advance(10 * MINUTE);
    expect(world.launched).toHaveLength(1);
  });

  it('grows and shrinks to the capacity asked for, within its bounds', async () => {
    const world = stockGroup({ minSize: 1, maxSize: 3 });
    const set = (DesiredCapacity: number) =>
      world.asg.send(new SetDesiredCapacityCommand({ ...byName, DesiredCapacity }));
    expect(await refusalOf(set(4))).toBe('ValidationError');
    expect(await refusalOf(set(0))).toBe('ValidationError');
    await set(3);
    world.time.advance(5 * MINUTE);
    expect(world.launched).toHaveLength(1);
    await set(1);
    world.time.advance(10 * MINUTE);
    expect((await world.told()).Instances).toHaveLength(1);
  });

  it('lets a detached instance be', async () => {
    const world = stockGroup({ minSize: 1 });
    const ShouldDecrementDesiredCapacity = true;
    const input = { ...byName, InstanceIds: [world.a], ShouldDecrementDesiredCapacity };
    await world.asg.send(new DetachInstancesCommand(input));
    world.ec2.stop(world.a, { skipOsShutdown: true });
    world.time.advance(30 * MINUTE);
    expect(world.ec2.status(world.a).state).toBe('stopped');
    expect(world.launched).toEqual([]);
  });

  it('asks for rights on the group, and calls their lack AccessDenied', async () => {
    const asked: string[] = [];
    const world = stockGroup(
      {},
      {
        authorize: (action, [resource]) => {
          asked.push(`${action} ${resource?.arn.split('/').at(-1)}`);
          throw new Ec2Refusal('UnauthorizedOperation', 'no');
        },
      },
    );
    expect(await refusalOf(world.standby([world.a], false))).toBe('AccessDenied');
    expect(asked).toEqual([`autoscaling:EnterStandby ${GROUP}`]);
    expect(world.ec2.status(world.a).state).toBe('running');
  });
});
