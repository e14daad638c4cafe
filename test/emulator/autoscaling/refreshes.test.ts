import {
  CancelInstanceRefreshCommand,
  CompleteLifecycleActionCommand,
  DescribeInstanceRefreshesCommand,
  StartInstanceRefreshCommand,
} from '@aws-sdk/client-auto-scaling';
import { describe, expect, it } from 'vitest';
import { refusalOf } from '../ec2/kit.ts';
import { byName, stockGroup } from './kit.ts';

const MINUTE = 60_000;

type World = ReturnType<typeof stockGroup>;

const latest = async ({ asg }: World) =>
  (await asg.send(new DescribeInstanceRefreshesCommand(byName))).InstanceRefreshes?.[0];

/** How many of the first members are on their way out at this moment. */
const leaving = ({ ec2, instanceIds }: World): number =>
  instanceIds.filter((id) => ec2.status(id).state === 'shutting-down').length;

// API reference, StartInstanceRefresh; User Guide, "How an instance refresh works".
describe('an instance refresh', () => {
  it('replaces one member after the other, each when the one before is replaced', async () => {
    const world = stockGroup({ size: 4 });
    await world.asg.send(new StartInstanceRefreshCommand(byName));
    let most = 0;
    for (let seconds = 0; seconds < 3600; seconds += 5) {
      most = Math.max(most, leaving(world));
      world.time.advance(5_000);
    }
    expect(most).toBe(1);
    expect(world.launched).toHaveLength(4);
    for (const id of world.instanceIds) expect(world.ec2.status(id).state).toBe('terminated');
    expect(await latest(world)).toMatchObject({ Status: 'Successful', PercentageComplete: 100 });
  });

  it('takes as many at a time as the healthy percentage leaves', () => {
    const world = stockGroup({ size: 10 });
    world.group.refresh('SlaveServerGroup', { minHealthyPercentage: 50 });
    expect(leaving(world)).toBe(5);
    world.time.advance(60 * MINUTE);
    expect(world.launched).toHaveLength(10);
  });

  it('waits for what warms up', () => {
    const world = stockGroup();
    world.group.refresh('SlaveServerGroup', { instanceWarmupS: 1800 });
    world.time.advance(25 * MINUTE);
    expect(world.launched).toHaveLength(1);
    world.time.advance(30 * MINUTE);
    expect(world.launched).toHaveLength(2);
  });

  it('goes through the hooks of its group', async () => {
    const world = stockGroup({ hooks: [{ name: 'drain' }] });
    await world.asg.send(new StartInstanceRefreshCommand(byName));
    const LifecycleActionResult = 'CONTINUE';
    const action = { ...byName, LifecycleHookName: 'drain', LifecycleActionResult };
    for (const InstanceId of [world.a, world.b]) {
      world.time.advance(30 * MINUTE);
      expect(await world.lifecycle(InstanceId)).toBe('Terminating:Wait');
      await world.asg.send(new CompleteLifecycleActionCommand({ ...action, InstanceId }));
    }
    world.time.advance(30 * MINUTE);
    expect(await latest(world)).toMatchObject({ Status: 'Successful' });
  });

  it('is the only one of its group, and can be cancelled', async () => {
    const world = stockGroup({ size: 4 });
    const start = () => world.asg.send(new StartInstanceRefreshCommand(byName));
    const cancel = () => world.asg.send(new CancelInstanceRefreshCommand(byName));
    expect(await refusalOf(cancel())).toBe('ActiveInstanceRefreshNotFoundFault');
    await start();
    expect(await refusalOf(start())).toBe('InstanceRefreshInProgressFault');
    await cancel();
    world.time.advance(60 * MINUTE);
    expect(world.launched).toHaveLength(1);
    expect(await latest(world)).toMatchObject({ Status: 'Cancelled' });
  });
});

describe('somebody who starts what is stopped', () => {
  it('brings a stopped member back as another incarnation', () => {
    const world = stockGroup({ impairedGraceMs: Number.POSITIVE_INFINITY });
    world.group.restartStopped('SlaveServerGroup', 10_000);
    const before = world.ec2.machine(world.a)?.launchTime ?? 0;
    world.ec2.stop(world.a, { skipOsShutdown: true });
    world.time.advance(world.durations.stopMs(world.a, 'skip') + 30_000);
    expect(world.ec2.status(world.a).state).toBe('running');
    expect(world.ec2.machine(world.a)?.launchTime).toBeGreaterThan(before);
  });
});
