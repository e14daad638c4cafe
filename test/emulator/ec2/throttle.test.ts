import {
  DescribeInstancesCommand,
  DescribeVolumesCommand,
  DetachVolumeCommand,
  StopInstancesCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { type Bench, bench, refusalOf, ZONE } from './kit.ts';

const LIMIT = 'RequestLimitExceeded';
const FILTER = [{ Name: 'instance-state-name', Values: ['running'] }];

/** So many calls at once: how many of them were let in. */
const admitted = async (count: number, call: () => Promise<unknown>): Promise<number> => {
  let admittedCount = 0;
  for (let i = 0; i < count; i++) {
    const refused = await call().then(
      () => false,
      (error: Error) => error.name === LIMIT,
    );
    if (!refused) admittedCount += 1;
  }
  return admittedCount;
};

const listing =
  ({ client }: Bench, filtered = true) =>
  () =>
    client.send(new DescribeInstancesCommand(filtered ? { Filters: FILTER } : {}));

describe('the request buckets of EC2', () => {
  it('hold the documented bursts, the larger one for what is filtered', async () => {
    const world = bench();
    expect(await admitted(120, listing(world))).toBe(100);
    expect(await admitted(60, listing(world, false))).toBe(50);
  });

  it('fill again at the documented rate, and no further than to the brim', async () => {
    const world = bench();
    await admitted(100, listing(world));
    world.time.advance(500);
    expect(await admitted(20, listing(world))).toBe(10);
    world.time.advance(3_600_000);
    expect(await admitted(120, listing(world))).toBe(100);
  });

  it('are one for each action', async () => {
    const world = bench();
    await admitted(120, listing(world));
    const volumes = () => world.client.send(new DescribeVolumesCommand({ Filters: [] }));
    expect(await admitted(1, volumes)).toBe(1);
  });

  it('refuse with RequestLimitExceeded before anything is done, and say so in the log', async () => {
    const world = bench();
    const instanceId = world.ec2.seedInstance({ availabilityZone: ZONE });
    const volumeId = world.ec2.seedVolume({
      availabilityZone: ZONE,
      name: 'mysql',
      attachedTo: { instanceId, device: '/dev/xvdf' },
    });
    world.ec2.background(0.99);
    const detach = () => world.client.send(new DetachVolumeCommand({ VolumeId: volumeId }));
    expect(await refusalOf(detach())).toBe(LIMIT);
    expect(world.ec2.calls().at(-1)?.outcome).toBe(LIMIT);
    expect(world.ec2.volumes().find((v) => v.volumeId === volumeId)?.attachments).toHaveLength(1);
  });

  it('count each instance that is named to StopInstances', async () => {
    const world = bench();
    const ids = Array.from({ length: 30 }, () =>
      world.ec2.seedInstance({ availabilityZone: ZONE }),
    );
    const stop = () => world.client.send(new StopInstancesCommand({ InstanceIds: ids }));
    expect(await admitted(40, stop)).toBe(33);
  });

  it('are shared with everybody else in the account', async () => {
    const world = bench();
    world.ec2.background(0.3);
    expect(await admitted(120, listing(world))).toBe(70);
    world.time.advance(1_000);
    expect(await admitted(120, listing(world))).toBe(14);
    expect(() => world.ec2.background(1)).toThrow(RangeError);
  });
});
