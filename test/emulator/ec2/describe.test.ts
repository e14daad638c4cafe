import {
  CreateSnapshotCommand,
  CreateTagsCommand,
  DeleteTagsCommand,
  DescribeInstanceAttributeCommand,
  DescribeInstanceStatusCommand,
  DescribeInstancesCommand,
  DescribeInstanceTypesCommand,
  DescribeSnapshotsCommand,
  DescribeTagsCommand,
  DescribeVolumesCommand,
  ModifyInstanceAttributeCommand,
  RunInstancesCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { START_MS } from '../../../emulator/services/ec2/power.ts';
import { type Bench, bench, refusalOf, ZONE } from './kit.ts';

const MINUTE = 60_000;

const idsBy = async ({ client }: Bench, ...filters: [name: string, ...values: string[]][]) => {
  const Filters = filters.map(([Name, ...Values]) => ({ Name, Values }));
  const answer = await client.send(new DescribeInstancesCommand({ Filters }));
  return (answer.Reservations ?? []).flatMap(({ Instances = [] }) =>
    Instances.map(({ InstanceId }) => InstanceId),
  );
};

describe('an agent of the stock template', () => {
  it('is told with its two disks, its place and its tags', async () => {
    const world = bench();
    const id = world.ec2.seedInstance({
      availabilityZone: 'us-east-1b',
      privateIp: '10.0.0.160',
      tags: { role: 'mesos-slave', '<&">': "it's" },
    });
    const answer = await world.client.send(new DescribeInstancesCommand({ InstanceIds: [id] }));
    const [reservation] = answer.Reservations ?? [];
    expect(reservation?.OwnerId).toBe('123456789012');
    const [instance] = reservation?.Instances ?? [];
    expect(instance).toMatchObject({
      InstanceId: id,
      State: { Code: 16, Name: 'running' },
      InstanceType: 'm5.large',
      Hypervisor: 'xen',
      LaunchTime: new Date('2026-11-22T20:00:00.000Z'),
      Placement: { AvailabilityZone: 'us-east-1b', AvailabilityZoneId: 'use1-az3' },
      PrivateIpAddress: '10.0.0.160',
      PrivateDnsName: 'ip-10-0-0-160.ec2.internal',
      RootDeviceName: '/dev/xvda',
      RootDeviceType: 'ebs',
      Tags: [
        { Key: 'role', Value: 'mesos-slave' },
        { Key: '<&">', Value: "it's" },
      ],
    });
    const mappings = instance?.BlockDeviceMappings?.map(({ DeviceName, Ebs }) => [
      DeviceName,
      Ebs?.Status,
      Ebs?.DeleteOnTermination,
    ]);
    expect(mappings).toEqual([
      ['/dev/xvda', 'attached', true],
      ['/dev/xvdb', 'attached', true],
    ]);
    const volumes = await world.client.send(new DescribeVolumesCommand({}));
    expect(volumes.Volumes?.map(({ Size }) => Size).sort()).toEqual([150, 80]);
  });

  it('says spot only where it is one', async () => {
    const world = bench();
    world.ec2.seedInstance({ availabilityZone: ZONE });
    const spot = world.ec2.seedInstance({ availabilityZone: ZONE, spot: 'one-time' });
    expect(await idsBy(world, ['instance-lifecycle', 'spot'])).toEqual([spot]);
  });

  it('has its true hypervisor in DescribeInstanceTypes', async () => {
    const world = bench();
    const types = ['m5.large', 'm4.large', 'm7i.metal-24xl'] as const;
    const answer = await world.client.send(
      new DescribeInstanceTypesCommand({ InstanceTypes: [...types] }),
    );
    const told = answer.InstanceTypes?.map(({ InstanceType, Hypervisor }) => [
      InstanceType,
      Hypervisor,
    ]);
    expect(told).toHaveLength(3);
    expect(told).toEqual(
      expect.arrayContaining([
        ['m5.large', 'nitro'],
        ['m4.large', 'xen'],
        ['m7i.metal-24xl', undefined],
      ]),
    );
  });

  it('answers one attribute at a time and changes one kind at a time', async () => {
    const world = bench();
    const InstanceId = world.ec2.seedInstance({ availabilityZone: ZONE });
    const both = { DisableApiStop: { Value: true }, DisableApiTermination: { Value: true } };
    const modify = world.client.send(new ModifyInstanceAttributeCommand({ InstanceId, ...both }));
    expect(await refusalOf(modify)).toBe('InvalidParameterCombination');
    const DisableApiStop = { Value: true };
    await world.client.send(new ModifyInstanceAttributeCommand({ InstanceId, DisableApiStop }));
    const told = (Attribute: 'disableApiStop' | 'disableApiTermination' | 'blockDeviceMapping') =>
      world.client.send(new DescribeInstanceAttributeCommand({ InstanceId, Attribute }));
    expect((await told('disableApiStop')).DisableApiStop).toEqual({ Value: true });
    expect((await told('disableApiTermination')).DisableApiTermination).toEqual({ Value: false });
    expect((await told('blockDeviceMapping')).BlockDeviceMappings).toHaveLength(2);
  });
});

describe('filters and pages', () => {
  const threeZones = () => {
    const world = bench();
    const [a, b] = ['us-east-1a', 'us-east-1b'].map((availabilityZone, index) =>
      world.ec2.seedInstance({
        availabilityZone,
        privateIp: `10.0.0.1${index}`,
        tags: { Name: `agent-${index}`, cluster: 'prod' },
      }),
    );
    return { ...world, a: String(a), b: String(b) };
  };

  it('takes values as alternatives and filters together, with wildcards', async () => {
    const world = threeZones();
    expect((await idsBy(world, ['tag:Name', 'agent-*'])).sort()).toEqual([world.a, world.b].sort());
    expect(await idsBy(world, ['tag:Name', 'agent-?'], ['availability-zone', '*b'])).toEqual([
      world.b,
    ]);
    expect(await idsBy(world, ['tag:Name', 'agent-?0'])).toEqual([]);
    expect(await idsBy(world, ['private-ip-address', '10.0.0.10', '10.0.0.99'])).toEqual([world.a]);
    expect(await idsBy(world, ['tag-key', 'cluster'], ['vpc-id', 'vpc-none'])).toEqual([]);
    expect(await idsBy(world, ['private-ip-address', '10.0.0.1\\*'])).toEqual([]);
    expect(await refusalOf(idsBy(world, ['colour', 'red']))).toBe('InvalidParameterValue');
  });

  it('finds volumes by the instance they are attached to', async () => {
    const world = threeZones();
    const answer = await world.client.send(
      new DescribeVolumesCommand({
        Filters: [
          { Name: 'attachment.instance-id', Values: [world.b] },
          { Name: 'attachment.delete-on-termination', Values: ['true'] },
          { Name: 'size', Values: ['80'] },
        ],
      }),
    );
    expect(answer.Volumes?.map(({ AvailabilityZone }) => AvailabilityZone)).toEqual(['us-east-1b']);
  });

  it('serves every item exactly once over the pages, in an order of its own', async () => {
    const world = bench();
    const seeded = Array.from({ length: 13 }, () =>
      world.ec2.seedInstance({ availabilityZone: ZONE }),
    );
    const read = async () => {
      const served: (string | undefined)[] = [];
      let NextToken: string | undefined;
      do {
        const page = new DescribeInstancesCommand({
          MaxResults: 5,
          ...(NextToken && { NextToken }),
        });
        const answer = await world.client.send(page);
        served.push(...(answer.Reservations ?? []).map((r) => r.Instances?.[0]?.InstanceId));
        ({ NextToken } = answer);
      } while (NextToken !== undefined);
      return served;
    };
    const [first, second] = [await read(), await read()];
    expect([...first].sort()).toEqual([...seeded].sort());
    expect([...second].sort()).toEqual([...seeded].sort());
    expect(first).not.toEqual(seeded);
    expect(second).not.toEqual(first);
  });

  it('cuts pages shorter than asked for, and repeats or misses an item where the list moved', async () => {
    const world = bench();
    const seeded = Array.from({ length: 6 }, () =>
      world.ec2.seedInstance({ availabilityZone: ZONE }),
    );
    const read = async (drift: number) => {
      world.ec2.faults.paging = () => ({ size: 2, drift: () => drift });
      const pages: (string | undefined)[][] = [];
      let NextToken: string | undefined;
      do {
        const request = { MaxResults: 1_000, ...(NextToken && { NextToken }) };
        const answer = await world.client.send(new DescribeInstancesCommand(request));
        pages.push((answer.Reservations ?? []).map((r) => r.Instances?.[0]?.InstanceId));
        ({ NextToken } = answer);
      } while (NextToken !== undefined);
      return pages;
    };
    expect((await read(0)).map((page) => page.length)).toEqual([2, 2, 2]);
    const repeated = await read(-1);
    expect(new Set(repeated.flat())).toEqual(new Set(seeded));
    expect(repeated[1]?.[0]).toBe(repeated[0]?.[1]);
    expect(new Set((await read(1)).flat()).size).toBe(4);
  });

  it('refuses MaxResults with ids, out of bounds, and a foreign token', async () => {
    const world = threeZones();
    const refused = (input: object) =>
      refusalOf(world.client.send(new DescribeInstancesCommand(input)));
    expect(await refused({ MaxResults: 5, InstanceIds: [world.a] })).toBe(
      'InvalidParameterCombination',
    );
    expect(await refused({ MaxResults: 4 })).toBe('InvalidParameterValue');
    expect(await refused({ NextToken: 'bogus' })).toBe('InvalidParameterValue');
  });

  it('refuses ids that do not exist or are none', async () => {
    const world = threeZones();
    const refused = (id: string) =>
      refusalOf(world.client.send(new DescribeInstancesCommand({ InstanceIds: [world.a, id] })));
    expect(await refused('i-00000000000000bad')).toBe('InvalidInstanceID.NotFound');
    expect(await refused('agent-1')).toBe('InvalidInstanceID.Malformed');
    expect(await idsBy(world, ['instance-id', 'i-00000000000000bad'])).toEqual([]);
  });
});

describe('status checks', () => {
  const statusOf = async (world: Bench, id: string, IncludeAllInstances = false) => {
    const command = new DescribeInstanceStatusCommand({ InstanceIds: [id], IncludeAllInstances });
    const [status] = (await world.client.send(command)).InstanceStatuses ?? [];
    return status;
  };

  it('report a hung machine from the next minute on, and its recovery too', async () => {
    const world = bench();
    const id = world.ec2.seedInstance({ availabilityZone: ZONE });
    world.time.advance(MINUTE / 2);
    world.ec2.hang(id);
    world.time.advance(MINUTE / 2 - 1);
    expect((await statusOf(world, id))?.SystemStatus?.Status).toBe('ok');
    world.time.advance(1 + MINUTE);
    const impaired = {
      Status: 'impaired',
      Details: [
        {
          Name: 'reachability',
          Status: 'failed',
          ImpairedSince: new Date('2026-11-22T21:01:00.000Z'),
        },
      ],
    };
    expect(await statusOf(world, id)).toMatchObject({
      InstanceState: { Name: 'running' },
      SystemStatus: impaired,
      InstanceStatus: impaired,
      AttachedEbsStatus: { Status: 'ok' },
    });
    world.ec2.thaw(id);
    world.time.advance(MINUTE);
    expect((await statusOf(world, id))?.InstanceStatus?.Status).toBe('ok');
  });

  it('fail only the instance check of a machine that reboots', async () => {
    const world = bench();
    const id = world.ec2.seedInstance({ availabilityZone: ZONE });
    world.time.advance(MINUTE - 15_000);
    world.ec2.reboot(id);
    world.time.advance(15_000);
    const status = await statusOf(world, id);
    expect(status?.InstanceStatus?.Status).toBe('impaired');
    expect(status?.SystemStatus?.Status).toBe('ok');
  });

  it('are initializing after a start, and not applicable to a stopped machine', async () => {
    const world = bench();
    const id = world.ec2.seedInstance({ availabilityZone: ZONE, state: 'stopped' });
    expect(await statusOf(world, id)).toBeUndefined();
    expect((await statusOf(world, id, true))?.SystemStatus?.Status).toBe('not-applicable');
    world.ec2.start(id);
    world.time.advance(START_MS);
    expect((await statusOf(world, id))?.SystemStatus?.Status).toBe('initializing');
    world.time.advance(MINUTE);
    expect((await statusOf(world, id))?.SystemStatus?.Status).toBe('ok');
  });
});

describe('tags and snapshots', () => {
  it('are written, found and removed, aws: keys excepted', async () => {
    const world = bench();
    const id = world.ec2.seedInstance({
      availabilityZone: ZONE,
      tags: { 'aws:autoscaling:groupName': 'agents' },
    });
    const volumeId = world.ec2.seedVolume({ availabilityZone: ZONE, name: 'mysql' });
    const tag = (Key: string, Value: string) =>
      world.client.send(
        new CreateTagsCommand({ Resources: [id, volumeId], Tags: [{ Key, Value }] }),
      );
    await tag('cluster', 'prod');
    expect(await refusalOf(tag('aws:mine', 'x'))).toBe('InvalidParameterValue');
    const told = await world.client.send(
      new DescribeTagsCommand({ Filters: [{ Name: 'tag:cluster', Values: ['prod'] }] }),
    );
    expect(told.Tags?.map(({ ResourceType }) => ResourceType).sort()).toEqual([
      'instance',
      'volume',
    ]);
    const remove = (Tags?: { Key: string; Value?: string }[]) =>
      world.client.send(
        new DeleteTagsCommand({ Resources: [id, volumeId], ...(Tags && { Tags }) }),
      );
    const volumeTags = () => world.ec2.truth().volumes.find((v) => v.volumeId === volumeId)?.tags;
    await remove([{ Key: 'cluster', Value: 'other' }]);
    expect(volumeTags()).toEqual({ Name: 'mysql', cluster: 'prod' });
    await remove([{ Key: 'cluster' }]);
    expect(volumeTags()).toEqual({ Name: 'mysql' });
    await remove();
    expect(volumeTags()).toEqual({});
    expect(world.ec2.machine(id)?.tags).toEqual({ 'aws:autoscaling:groupName': 'agents' });
  });

  it('changes no tag at all when one of the resources does not exist', async () => {
    const world = bench();
    const volumeId = world.ec2.seedVolume({ availabilityZone: ZONE });
    const tag = world.client.send(
      new CreateTagsCommand({
        Resources: [volumeId, 'vol-00000000000000bad'],
        Tags: [{ Key: 'cluster', Value: 'prod' }],
      }),
    );
    expect(await refusalOf(tag)).toBe('InvalidVolume.NotFound');
    expect(world.ec2.truth().volumes[0]?.tags).toEqual({});
  });

  it('takes a snapshot with the tags of its request', async () => {
    const world = bench();
    const VolumeId = world.ec2.seedVolume({ availabilityZone: ZONE, sizeGiB: 20 });
    const snapshot = await world.client.send(
      new CreateSnapshotCommand({
        VolumeId,
        TagSpecifications: [{ ResourceType: 'snapshot', Tags: [{ Key: 'cluster', Value: 'p' }] }],
      }),
    );
    expect(snapshot).toMatchObject({ VolumeId, VolumeSize: 20, State: 'pending' });
    const told = await world.client.send(
      new DescribeSnapshotsCommand({ Filters: [{ Name: 'volume-id', Values: [VolumeId] }] }),
    );
    expect(told.Snapshots?.[0]).toMatchObject({
      SnapshotId: snapshot.SnapshotId,
      Tags: [{ Key: 'cluster', Value: 'p' }],
    });
  });

  it('launches new capacity in the zone that is asked for', async () => {
    const world = bench();
    const answer = await world.client.send(
      new RunInstancesCommand({
        ImageId: 'ami-1',
        MinCount: 2,
        MaxCount: 2,
        Placement: { AvailabilityZone: 'us-east-1c' },
      }),
    );
    const told = answer.Instances?.map(({ State, Placement }) => [
      State?.Name,
      Placement?.AvailabilityZone,
    ]);
    expect(told).toEqual([
      ['pending', 'us-east-1c'],
      ['pending', 'us-east-1c'],
    ]);
    world.time.advance(START_MS);
    expect(world.machineEvents.map(({ kind }) => kind)).toEqual(['powered-on', 'powered-on']);
    const addresses = world.ec2.all().map(({ privateIp }) => privateIp);
    expect(new Set(addresses).size).toBe(2);
  });
});
