import {
  AttachVolumeCommand,
  DescribeInstancesCommand,
  type DescribeInstancesCommandInput,
  DescribeVolumesCommand,
  DetachVolumeCommand,
  StartInstancesCommand,
  StopInstancesCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import type { ZoneLoss } from '../../../emulator/services/ec2/zones.ts';
import { stockGroup } from '../autoscaling/kit.ts';
import { bench, refusalOf, ZONE } from './kit.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const HEALTHY = 'us-east-1b';

/** A machine with a data volume in each of two zones; the first zone is lost. */
const disrupted = (loss?: ZoneLoss) => {
  const world = bench();
  const { client, ec2 } = world;
  const add = (availabilityZone: string) => {
    const id = ec2.seedInstance({ availabilityZone });
    const attachedTo = { instanceId: id, device: '/dev/xvdf' };
    return { id, volumeId: ec2.seedVolume({ availabilityZone, attachedTo }) };
  };
  const lost = add(ZONE);
  const well = add(HEALTHY);
  const stopped = ec2.seedInstance({ availabilityZone: ZONE, state: 'stopped' });
  const free = ec2.seedVolume({ availabilityZone: ZONE });
  ec2.loseZone(ZONE, loss);
  const describe = (input: DescribeInstancesCommandInput) =>
    refusalOf(client.send(new DescribeInstancesCommand(input)));
  const detach = ({ id, volumeId }: typeof lost) =>
    client.send(new DetachVolumeCommand({ VolumeId: volumeId, InstanceId: id }));
  const volume = async (volumeId: string) =>
    (await client.send(new DescribeVolumesCommand({ VolumeIds: [volumeId] }))).Volumes?.[0];
  return { ...world, lost, well, stopped, free, describe, detach, volume };
};

// API reference, DescribeInstances: "in the rare case where an Availability Zone is experiencing a
// service disruption".
describe('DescribeInstances while a zone is lost', () => {
  it('fails when it names ids of that zone or none at all, and works for others', async () => {
    const world = disrupted();
    const { lost, well } = world;
    expect(await world.describe({})).toBe('Unavailable');
    expect(await world.describe({ InstanceIds: [lost.id] })).toBe('Unavailable');
    expect(await world.describe({ InstanceIds: [well.id, lost.id] })).toBe('Unavailable');
    expect(await world.describe({ InstanceIds: [well.id] })).toBe('no refusal');
    world.ec2.findZone(ZONE);
    expect(await world.describe({})).toBe('no refusal');
  });

  it('that only filters names no ids: it fails too, or not, which nobody has documented', async () => {
    const Filters = [{ Name: 'availability-zone', Values: [HEALTHY] }];
    expect(await disrupted().describe({ Filters })).toBe('Unavailable');
    expect(await disrupted({ filteredReads: 'answer' }).describe({ Filters })).toBe('no refusal');
  });
});

describe('the machines of a lost zone', () => {
  it('hang, fail their checks, and end no stop until the zone is found', async () => {
    const world = disrupted();
    await world.client.send(
      new StopInstancesCommand({ InstanceIds: [world.lost.id], SkipOsShutdown: true }),
    );
    world.time.advance(HOUR);
    expect(world.ec2.status(world.lost.id)).toMatchObject({ state: 'stopping' });
    expect(world.ec2.machine(world.lost.id)?.kernel).toBe('hung');
    expect(world.ec2.machine(world.well.id)?.kernel).toBe('ok');
    world.ec2.findZone(ZONE);
    world.time.advance(MINUTE);
    expect(world.ec2.status(world.lost.id).state).toBe('stopped');
  });

  it('go on when the zone is found, unless they were lost before', () => {
    const world = disrupted();
    world.ec2.findZone(ZONE);
    const early = world.ec2.seedInstance({ availabilityZone: ZONE });
    world.ec2.loseHost(early);
    world.ec2.loseZone(ZONE);
    world.time.advance(HOUR);
    world.ec2.findZone(ZONE);
    expect(world.ec2.machine(world.lost.id)?.kernel).toBe('ok');
    expect(world.ec2.machine(early)?.kernel).toBe('hung');
  });

  it('cannot be started there, nor others launched', async () => {
    const world = disrupted();
    const start = () =>
      world.client.send(new StartInstancesCommand({ InstanceIds: [world.stopped] }));
    expect(await refusalOf(start())).toBe('InsufficientInstanceCapacity');
    expect(() => world.ec2.launch({ availabilityZone: ZONE })).toThrow(/sufficient capacity/);
    expect(world.ec2.status(world.stopped).state).toBe('stopped');
    world.ec2.findZone(ZONE);
    expect(await refusalOf(start())).toBe('no refusal');
  });

  it('are not recovered on another host of the same zone', () => {
    const world = disrupted();
    world.ec2.autoRecovery({ afterMs: MINUTE });
    world.time.advance(HOUR);
    expect(world.ec2.machine(world.lost.id)?.kernel).toBe('hung');
  });
});

describe('the volumes of a lost zone', () => {
  it('take no writes, and stay detaching until the zone is found', async () => {
    const world = disrupted();
    expect(world.ec2.volumes().find((v) => v.volumeId === world.lost.volumeId)?.ioPaused).toBe(
      true,
    );
    await world.detach(world.lost);
    world.time.advance(HOUR);
    const [attachment] = (await world.volume(world.lost.volumeId))?.Attachments ?? [];
    expect(attachment?.State).toBe('detaching');
    world.ec2.findZone(ZONE);
    world.time.advance(MINUTE);
    expect((await world.volume(world.lost.volumeId))?.State).toBe('available');
    expect(world.ec2.volumes().every(({ ioPaused }) => !ioPaused)).toBe(true);
  });

  it('cannot be attached', async () => {
    const world = disrupted();
    const input = { VolumeId: world.free, InstanceId: world.stopped, Device: '/dev/xvdg' };
    const attach = new AttachVolumeCommand(input);
    expect(await refusalOf(world.client.send(attach))).toBe('Unavailable');
  });

  it('leave those of other zones alone', async () => {
    const world = disrupted();
    await world.detach(world.well);
    world.time.advance(MINUTE);
    expect((await world.volume(world.well.volumeId))?.State).toBe('available');
  });
});

describe('a group with members in a lost zone', () => {
  it('launches elsewhere, and tells what it could not launch', () => {
    const world = stockGroup({ availabilityZones: [ZONE, HEALTHY], desired: 2, maxSize: 3 });
    world.ec2.loseZone(ZONE);
    world.time.advance(HOUR);
    expect(world.launched).toHaveLength(2);
    for (const id of world.launched) {
      expect(world.ec2.machine(id)?.availabilityZone).toBe(HEALTHY);
    }
  });

  it('waits for the zone if it has no other, and starts its members there later', () => {
    const world = stockGroup();
    world.ec2.loseZone(ZONE);
    world.time.advance(30 * MINUTE);
    expect(world.launched).toEqual([]);
    const failures = world.events.filter(
      (event) => event['detail-type'] === 'EC2 Instance Launch Unsuccessful',
    );
    expect(failures[0]).toMatchObject({
      resources: [expect.stringMatching(/autoScalingGroupName/)],
      detail: { StatusCode: 'Failed', StatusMessage: expect.stringMatching(/capacity/) },
    });
    world.ec2.findZone(ZONE);
    world.time.advance(5 * MINUTE);
    expect(world.launched).toHaveLength(2);
  });
});
