import {
  CompleteLifecycleActionCommand,
  DeleteLifecycleHookCommand,
  DescribeLifecycleHooksCommand,
  PutLifecycleHookCommand,
  RecordLifecycleActionHeartbeatCommand,
  SetDesiredCapacityCommand,
  TerminateInstanceInAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import { describe, expect, it } from 'vitest';
import type { GroupSpec } from '../../../emulator/services/autoscaling/autoscaling.ts';
import { START_MS } from '../../../emulator/services/ec2/power.ts';
import { refusalOf } from '../ec2/kit.ts';
import { byName, GROUP, stockGroup } from './kit.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const HOOK = 'drain';
const LAUNCHING = 'autoscaling:EC2_INSTANCE_LAUNCHING';

/** A group of two whose members wait on their way out. */
const hooked = (spec: Partial<GroupSpec> = {}) => {
  const world = stockGroup({ minSize: 1, hooks: [{ name: HOOK }], ...spec });
  const { asg } = world;
  const named = { ...byName, LifecycleHookName: HOOK };
  const actions = () =>
    world.events.filter((event) => event['detail-type'].endsWith('Lifecycle Action'));
  return {
    ...world,
    actions,
    /** The machine leaves on request; its place is not filled. */
    leave: (InstanceId: string) =>
      asg.send(
        new TerminateInstanceInAutoScalingGroupCommand({
          InstanceId,
          ShouldDecrementDesiredCapacity: true,
        }),
      ),
    complete: (input: Partial<CompleteLifecycleActionCommand['input']>) =>
      asg.send(
        new CompleteLifecycleActionCommand({
          ...named,
          LifecycleActionResult: 'CONTINUE',
          ...input,
        }),
      ),
    heartbeat: (InstanceId: string) =>
      asg.send(new RecordLifecycleActionHeartbeatCommand({ ...named, InstanceId })),
  };
};

// Amazon EC2 Auto Scaling User Guide, "Amazon EC2 Auto Scaling lifecycle hooks".
describe('a terminating hook', () => {
  it('holds a member while its machine runs, and tells of it with a token', async () => {
    const world = hooked({ hooks: [{ name: HOOK, notificationMetadata: 'data' }] });
    await world.leave(world.a);
    expect(await world.lifecycle(world.a)).toBe('Terminating:Wait');
    world.time.advance(59 * MINUTE);
    expect(await world.lifecycle(world.a)).toBe('Terminating:Wait');
    expect(world.ec2.machine(world.a)?.powered).toBe(true);
    const uuid = expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    expect(world.events).toEqual([
      {
        version: '0',
        id: uuid,
        'detail-type': 'EC2 Instance-terminate Lifecycle Action',
        source: 'aws.autoscaling',
        account: '123456789012',
        time: '2026-11-22T21:00:00Z',
        region: 'us-east-1',
        resources: [expect.stringMatching(/:autoScalingGroupName\/SlaveServerGroup$/)],
        detail: {
          LifecycleActionToken: uuid,
          AutoScalingGroupName: GROUP,
          LifecycleHookName: HOOK,
          EC2InstanceId: world.a,
          LifecycleTransition: 'autoscaling:EC2_INSTANCE_TERMINATING',
          NotificationMetadata: 'data',
          // Newer events have both; unverified.
          Origin: 'AutoScalingGroup',
          Destination: 'EC2',
        },
      },
    ]);
  });

  it.each(['CONTINUE', 'ABANDON'])('lets the member go when it is completed with %s', async (r) => {
    const world = hooked();
    await world.leave(world.a);
    world.time.advance(5 * MINUTE);
    const LifecycleActionToken = String(world.actions()[0]?.detail.LifecycleActionToken);
    await world.complete({ LifecycleActionToken, LifecycleActionResult: r });
    expect(await world.lifecycle(world.a)).toBe('Terminating:Proceed');
    expect(world.ec2.status(world.a).state).toBe('shutting-down');
    world.time.advance(10 * MINUTE);
    expect(await world.lifecycle(world.a)).toBeUndefined();
    expect(world.launched).toEqual([]);
    const types = world.events.map((event) => event['detail-type']);
    expect(types).toContain('EC2 Instance Terminate Successful');
  });

  it('is over after an hour of silence: the default result terminates too', async () => {
    const world = hooked();
    await world.leave(world.a);
    world.time.advance(HOUR - 1);
    expect(world.ec2.status(world.a).state).toBe('running');
    world.time.advance(1);
    expect(world.ec2.status(world.a).state).toBe('shutting-down');
    expect(await refusalOf(world.complete({ InstanceId: world.a }))).toBe('ValidationError');
  });

  it('waits for another timeout from each heartbeat, and 100 timeouts at most', async () => {
    const world = hooked({ hooks: [{ name: HOOK, heartbeatTimeoutS: 60 }] });
    await world.leave(world.a);
    for (let beats = 0; beats < 101; beats++) {
      world.time.advance(59_000);
      await world.heartbeat(world.a);
    }
    world.time.advance(100 * MINUTE - 101 * 59_000 - 1);
    expect(world.ec2.status(world.a).state).toBe('running');
    world.time.advance(1);
    expect(world.ec2.status(world.a).state).toBe('shutting-down');
  });

  it('refuses heartbeats and completions of an action that does not wait', async () => {
    const world = hooked();
    await expect(world.heartbeat(world.a)).rejects.toThrow(/No active Lifecycle Action found/);
    await world.leave(world.a);
    const strange = world.complete({ LifecycleActionToken: 'x' });
    await expect(strange).rejects.toThrow('No active Lifecycle Action found with token x');
    expect(await refusalOf(world.complete({}))).toBe('ValidationError');
    const other = { InstanceId: world.a, LifecycleHookName: 'other' };
    expect(await refusalOf(world.complete(other))).toBe('ValidationError');
    const wrong = { InstanceId: world.a, LifecycleActionResult: 'YES' };
    expect(await refusalOf(world.complete(wrong))).toBe('ValidationError');
    expect(await world.lifecycle(world.a)).toBe('Terminating:Wait');
  });

  it('holds what a shrinking group lets go', async () => {
    const world = hooked();
    await world.asg.send(new SetDesiredCapacityCommand({ ...byName, DesiredCapacity: 1 }));
    expect(await world.lifecycle(world.b)).toBe('Terminating:Wait');
    expect(world.actions()).toHaveLength(1);
    await world.complete({ InstanceId: world.b });
    world.time.advance(10 * MINUTE);
    expect((await world.told()).Instances).toHaveLength(1);
  });

  it('holds an unhealthy member before it is replaced, once, and the replacement does not wait', async () => {
    const world = hooked();
    world.ec2.stop(world.a, { skipOsShutdown: true });
    world.time.advance(10 * MINUTE);
    expect(await world.lifecycle(world.a)).toBe('Terminating:Wait');
    expect(world.ec2.status(world.a).state).toBe('stopped');
    expect(world.launched).toHaveLength(1);
    expect(world.actions()).toHaveLength(1);
    world.time.advance(HOUR);
    expect(world.ec2.status(world.a).state).toBe('terminated');
    expect(world.launched).toHaveLength(1);
  });

  it('goes on waiting for a machine somebody terminates meanwhile', async () => {
    const world = hooked();
    await world.leave(world.a);
    world.ec2.terminate(world.a, { skipOsShutdown: true });
    world.time.advance(10 * MINUTE);
    expect(await world.lifecycle(world.a)).toBe('Terminating:Wait');
    await world.complete({ InstanceId: world.a });
    expect(await world.lifecycle(world.a)).toBeUndefined();
  });

  it('is not told twice of a member that is asked to leave twice', async () => {
    const world = hooked({ minSize: 0 });
    const first = await world.leave(world.a);
    const second = await world.leave(world.a);
    expect(second.Activity?.ActivityId).toBe(first.Activity?.ActivityId);
    expect(world.actions()).toHaveLength(1);
  });

  it('is one of several: all must continue, one may abandon', async () => {
    const hooks = [{ name: HOOK }, { name: 'log' }];
    const world = hooked({ hooks, minSize: 0 });
    await world.leave(world.a);
    await world.leave(world.b);
    expect(world.actions()).toHaveLength(4);
    await world.complete({ InstanceId: world.a });
    expect(await world.lifecycle(world.a)).toBe('Terminating:Wait');
    await world.complete({ InstanceId: world.a, LifecycleHookName: 'log' });
    expect(await world.lifecycle(world.a)).toBe('Terminating:Proceed');
    await world.complete({ InstanceId: world.b, LifecycleActionResult: 'ABANDON' });
    expect(await world.lifecycle(world.b)).toBe('Terminating:Proceed');
  });
});

describe('a launching hook', () => {
  const launching = () => hooked({ hooks: [{ name: HOOK, transition: LAUNCHING }] });

  it('holds a new machine that runs already until it is completed', async () => {
    const world = launching();
    world.ec2.terminate(world.a, { skipOsShutdown: true });
    world.time.advance(5 * MINUTE);
    const [replacement = ''] = world.launched;
    expect(await world.lifecycle(replacement)).toBe('Pending:Wait');
    expect(world.ec2.status(replacement).state).toBe('running');
    expect(world.actions().map((event) => event['detail-type'])).toEqual([
      'EC2 Instance-launch Lifecycle Action',
    ]);
    await world.complete({ InstanceId: replacement });
    expect(await world.lifecycle(replacement)).toBe('InService');
  });

  it('that is abandoned has the machine terminated and another launched', async () => {
    const world = launching();
    world.ec2.terminate(world.a, { skipOsShutdown: true });
    world.time.advance(5 * MINUTE);
    const [replacement = ''] = world.launched;
    await world.complete({ InstanceId: replacement, LifecycleActionResult: 'ABANDON' });
    world.time.advance(START_MS + 5_000);
    expect(world.ec2.status(replacement).state).not.toBe('running');
    expect(world.launched).toHaveLength(2);
  });
});

describe('the hooks of a group', () => {
  const put = (world: ReturnType<typeof hooked>, input: object) =>
    world.asg.send(new PutLifecycleHookCommand({ ...byName, LifecycleHookName: 'late', ...input }));

  it('are put, changed, told and deleted by name', async () => {
    const world = hooked();
    const LifecycleTransition = 'autoscaling:EC2_INSTANCE_TERMINATING';
    await put(world, { LifecycleTransition });
    await put(world, { HeartbeatTimeout: 300, DefaultResult: 'CONTINUE' });
    const describe = new DescribeLifecycleHooksCommand(byName);
    const own = { AutoScalingGroupName: GROUP, LifecycleTransition };
    expect((await world.asg.send(describe)).LifecycleHooks).toEqual([
      {
        ...own,
        LifecycleHookName: HOOK,
        HeartbeatTimeout: 3600,
        GlobalTimeout: 172_800,
        DefaultResult: 'ABANDON',
      },
      {
        ...own,
        LifecycleHookName: 'late',
        HeartbeatTimeout: 300,
        GlobalTimeout: 30_000,
        DefaultResult: 'CONTINUE',
      },
    ]);
    await world.asg.send(new DeleteLifecycleHookCommand({ ...byName, LifecycleHookName: 'late' }));
    const [only, ...others] = (await world.asg.send(describe)).LifecycleHooks ?? [];
    expect(only?.LifecycleHookName).toBe(HOOK);
    expect(others).toEqual([]);
  });

  it('need a transition and a timeout of 30 seconds to two hours', async () => {
    const world = hooked();
    const LifecycleTransition = 'autoscaling:EC2_INSTANCE_TERMINATING';
    expect(await refusalOf(put(world, {}))).toBe('ValidationError');
    expect(await refusalOf(put(world, { LifecycleTransition, HeartbeatTimeout: 29 }))).toBe(
      'ValidationError',
    );
    const long = put(world, { LifecycleTransition, HeartbeatTimeout: 7201 });
    expect(await refusalOf(long)).toBe('ValidationError');
  });

  it('let their members go when they are deleted', async () => {
    const world = hooked();
    await world.leave(world.a);
    await world.asg.send(new DeleteLifecycleHookCommand({ ...byName, LifecycleHookName: HOOK }));
    expect(await world.lifecycle(world.a)).toBe('Terminating:Proceed');
  });
});
