import {
  DescribeInstancesCommand,
  type Instance,
  ModifyInstanceAttributeCommand,
  RebootInstancesCommand,
  StartInstancesCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { GRACEFUL_LIMIT_MS, START_MS } from '../../../emulator/services/ec2/power.ts';
import { type Bench, bench, refusalOf, ZONE } from './kit.ts';

const read = async ({ client }: Bench, instanceId: string): Promise<Instance> => {
  const answer = await client.send(new DescribeInstancesCommand({ InstanceIds: [instanceId] }));
  const [instance] = answer.Reservations?.flatMap(({ Instances = [] }) => Instances) ?? [];
  if (instance === undefined) throw new Error(`${instanceId} was not told`);
  return instance;
};

const stateOf = async (world: Bench, instanceId: string): Promise<string | undefined> =>
  (await read(world, instanceId)).State?.Name;

const stop = (world: Bench, instanceId: string, flags = {}) =>
  world.client.send(new StopInstancesCommand({ InstanceIds: [instanceId], ...flags }));

const terminate = (world: Bench, instanceIds: string[], flags = {}) =>
  world.client.send(new TerminateInstancesCommand({ InstanceIds: instanceIds, ...flags }));

const SKIP = { SkipOsShutdown: true };

describe('stopping', () => {
  it('answers stopping at once and cuts power only when stopped is reached', async () => {
    const world = bench();
    const id = world.ec2.seedInstance({ availabilityZone: ZONE });
    const answer = await stop(world, id, SKIP);
    expect(answer.StoppingInstances).toEqual([
      {
        InstanceId: id,
        PreviousState: { Code: 16, Name: 'running' },
        CurrentState: { Code: 64, Name: 'stopping' },
      },
    ]);
    world.time.advance(world.durations.stopMs(id, 'skip') - 1);
    expect(await stateOf(world, id)).toBe('stopping');
    expect(world.ec2.machine(id)?.powered).toBe(true);
    world.time.advance(1);
    expect(await stateOf(world, id)).toBe('stopped');
    expect(world.ec2.machine(id)?.powered).toBe(false);
  });

  it('tells who stopped it, and publishes every transition once', async () => {
    const world = bench();
    const id = world.ec2.seedInstance({ availabilityZone: ZONE });
    await stop(world, id);
    world.time.advance(GRACEFUL_LIMIT_MS);
    const told = await read(world, id);
    expect(told.StateReason?.Code).toBe('Client.UserInitiatedShutdown');
    expect(told.StateTransitionReason).toBe('User initiated (2026-11-22 21:00:00 GMT)');
    expect(world.events.map(({ detail }) => detail.state)).toEqual(['stopping', 'stopped']);
    expect(world.events[0]).toEqual({
      version: '0',
      id: expect.stringMatching(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
      'detail-type': 'EC2 Instance State-change Notification',
      source: 'aws.ec2',
      account: '123456789012',
      time: '2026-11-22T21:00:00Z',
      region: 'us-east-1',
      resources: [`arn:aws:ec2:us-east-1:123456789012:instance/${id}`],
      detail: { 'instance-id': id, state: 'stopping' },
    });
  });

  it('waits for ever for a guest that blocks its shutdown, with Force too, until it is skipped', async () => {
    const world = bench();
    const id = world.ec2.seedInstance({ availabilityZone: ZONE, blocksShutdown: true });
    await stop(world, id);
    await stop(world, id, { Force: true });
    world.time.advance(24 * 3_600_000);
    expect(await stateOf(world, id)).toBe('stopping');
    await stop(world, id, SKIP);
    world.time.advance(world.durations.stopMs(id, 'skip'));
    expect(await stateOf(world, id)).toBe('stopped');
  });

  it('ends no command on a host that is lost, and the last one when it is found', async () => {
    const world = bench();
    const id = world.ec2.seedInstance({ availabilityZone: ZONE });
    world.ec2.loseHost(id);
    await stop(world, id, SKIP);
    await stop(world, id, { ...SKIP, Force: true });
    world.time.advance(24 * 3_600_000);
    expect(await stateOf(world, id)).toBe('stopping');
    expect(world.ec2.machine(id)).toMatchObject({ powered: true, kernel: 'hung' });
    world.ec2.findHost(id);
    world.time.advance(world.durations.stopMs(id, 'force-skip'));
    expect(await stateOf(world, id)).toBe('stopped');
  });

  it('loses a host in the middle of a stop', async () => {
    const world = bench();
    const id = world.ec2.seedInstance({ availabilityZone: ZONE });
    await stop(world, id, SKIP);
    world.ec2.loseHost(id);
    world.time.advance(3_600_000);
    expect(await stateOf(world, id)).toBe('stopping');
  });

  it('lets a hung guest run on to the graceful limit, then cuts power', async () => {
    const world = bench();
    const id = world.ec2.seedInstance({ availabilityZone: ZONE });
    world.ec2.hang(id);
    await stop(world, id);
    world.time.advance(GRACEFUL_LIMIT_MS - 1);
    expect(world.ec2.machine(id)).toMatchObject({ powered: true, shuttingDown: false });
    world.time.advance(1);
    expect(world.ec2.machine(id)?.powered).toBe(false);
  });

  it('waits to the graceful limit when the guest hangs on its way down', async () => {
    const world = bench();
    const id = world.ec2.seedInstance({ availabilityZone: ZONE });
    await stop(world, id);
    world.time.advance(1_000);
    world.ec2.hang(id);
    world.time.advance(GRACEFUL_LIMIT_MS - 1_001);
    expect(await stateOf(world, id)).toBe('stopping');
    world.time.advance(1);
    expect(await stateOf(world, id)).toBe('stopped');
  });

  it('shortens a graceful stop by a skip, and a later graceful stop lengthens nothing', async () => {
    const world = bench();
    const id = world.ec2.seedInstance({ availabilityZone: ZONE });
    world.ec2.hang(id);
    await stop(world, id);
    await stop(world, id, SKIP);
    await stop(world, id);
    world.time.advance(world.durations.stopMs(id, 'skip'));
    expect(await stateOf(world, id)).toBe('stopped');
  });

  it('asks the guest to shut down unless the OS shutdown is skipped', async () => {
    const world = bench();
    const [plain, skipped] = [1, 2].map(() => world.ec2.seedInstance({ availabilityZone: ZONE }));
    await stop(world, String(plain));
    await stop(world, String(skipped), SKIP);
    expect(world.machineEvents).toEqual([{ kind: 'shutting-down', instanceId: plain }]);
  });

  it('accepts a stop of a stopped instance and changes nothing', async () => {
    const world = bench();
    const id = world.ec2.seedInstance({ availabilityZone: ZONE, state: 'stopped' });
    const answer = await stop(world, id);
    expect(answer.StoppingInstances?.[0]?.CurrentState?.Name).toBe('stopped');
    expect(world.events).toEqual([]);
  });

  it('is refused for what EC2 cannot stop, with the documented codes', async () => {
    const world = bench();
    const seed = (spec: object) => world.ec2.seedInstance({ availabilityZone: ZONE, ...spec });
    const refused = async (spec: object, flags = {}) => refusalOf(stop(world, seed(spec), flags));
    expect(await refused({ spot: 'one-time' })).toBe('UnsupportedOperation');
    expect(await refused({ spot: 'persistent' })).toBe('no refusal');
    expect(await refused({ rootDeviceType: 'instance-store' })).toBe('UnsupportedOperation');
    expect(await refused({ disableApiStop: true })).toBe('OperationNotPermitted');
    const xen = seed({ instanceType: 'm4.large' });
    await expect(stop(world, xen, SKIP)).rejects.toThrow(/not supported on Xen/);
    expect(await refusalOf(stop(world, xen, { Force: true }))).toBe('no refusal');
  });

  it('is refused as a whole when one of its instances cannot be stopped', async () => {
    const world = bench();
    const free = world.ec2.seedInstance({ availabilityZone: ZONE });
    const shielded = world.ec2.seedInstance({ availabilityZone: ZONE, disableApiStop: true });
    const both = new StopInstancesCommand({ InstanceIds: [free, shielded] });
    expect(await refusalOf(world.client.send(both))).toBe('OperationNotPermitted');
    expect(await stateOf(world, free)).toBe('running');
  });

  it('never ends while the host is stuck, until a stronger method gets through', async () => {
    const world = bench();
    const id = world.ec2.seedInstance({ availabilityZone: ZONE });
    world.ec2.faults.stuckStop = (_, method) =>
      method === 'force-skip' ? 0 : Number.POSITIVE_INFINITY;
    await stop(world, id, SKIP);
    world.time.advance(3_600_000);
    expect(await stateOf(world, id)).toBe('stopping');
    await stop(world, id, { SkipOsShutdown: true, Force: true });
    world.time.advance(world.durations.stopMs(id, 'force-skip'));
    expect(await stateOf(world, id)).toBe('stopped');
  });

  it.each([
    { method: 'skip', flags: SKIP, writesOn: false },
    { method: 'force-skip', flags: { ...SKIP, Force: true }, writesOn: true },
  ] as const)('after $method leaves the guest writing on: $writesOn', async (stopped) => {
    const world = bench();
    const id = world.ec2.seedInstance({ availabilityZone: ZONE });
    world.ec2.faults.postStopWrites = () => 5_000;
    await stop(world, id, stopped.flags);
    world.time.advance(world.durations.stopMs(id, stopped.method));
    expect(await stateOf(world, id)).toBe('stopped');
    expect(world.ec2.machine(id)?.powered).toBe(stopped.writesOn);
    world.time.advance(5_000);
    expect(world.ec2.machine(id)?.powered).toBe(false);
  });
});

describe('starting and rebooting', () => {
  it('starts the same machine as a new incarnation, with its address and disks', async () => {
    const world = bench();
    const id = world.ec2.seedInstance({ availabilityZone: ZONE });
    const before = await read(world, id);
    await stop(world, id, SKIP);
    world.time.advance(60_000);
    await world.client.send(new StartInstancesCommand({ InstanceIds: [id] }));
    expect(await stateOf(world, id)).toBe('pending');
    world.time.advance(START_MS);
    const after = await read(world, id);
    expect(after.State?.Name).toBe('running');
    expect(after.LaunchTime).not.toEqual(before.LaunchTime);
    expect(after.PrivateIpAddress).toBe(before.PrivateIpAddress);
    expect(after.BlockDeviceMappings).toEqual(before.BlockDeviceMappings);
    expect(world.machineEvents.at(-1)).toEqual({ kind: 'powered-on', instanceId: id });
  });

  it('does not start what is still stopping', async () => {
    const world = bench();
    const id = world.ec2.seedInstance({ availabilityZone: ZONE });
    await stop(world, id);
    const start = world.client.send(new StartInstancesCommand({ InstanceIds: [id] }));
    expect(await refusalOf(start)).toBe('IncorrectInstanceState');
  });

  it('stops a pending machine only with Force, and it never comes up', async () => {
    const world = bench();
    const id = world.ec2.launch({ availabilityZone: ZONE });
    expect(await refusalOf(stop(world, id))).toBe('IncorrectInstanceState');
    await stop(world, id, { Force: true });
    world.time.advance(GRACEFUL_LIMIT_MS);
    expect(world.machineEvents).toEqual([]);
    expect(await stateOf(world, id)).toBe('stopped');
  });

  it('reboots without event, state change or new launch time, and clears a hung kernel', async () => {
    const world = bench();
    const id = world.ec2.seedInstance({ availabilityZone: ZONE });
    const before = await read(world, id);
    world.ec2.hang(id);
    await world.client.send(new RebootInstancesCommand({ InstanceIds: [id] }));
    world.time.advance(GRACEFUL_LIMIT_MS + 60_000);
    const after = await read(world, id);
    expect(after.LaunchTime).toEqual(before.LaunchTime);
    expect(world.events).toEqual([]);
    expect(world.ec2.machine(id)).toMatchObject({ powered: true, kernel: 'ok' });
    const kinds = world.machineEvents.map(({ kind }) => kind);
    expect(kinds).toEqual(['hung', 'powered-off', 'powered-on']);
  });
});

describe('terminating', () => {
  it('never leaves terminated, and answers a repeated terminate', async () => {
    const world = bench();
    const id = world.ec2.seedInstance({ availabilityZone: ZONE });
    await terminate(world, [id], SKIP);
    world.time.advance(60_000);
    expect(await stateOf(world, id)).toBe('terminated');
    const again = await terminate(world, [id]);
    expect(again.TerminatingInstances?.[0]?.CurrentState?.Name).toBe('terminated');
    expect(await refusalOf(stop(world, id))).toBe('IncorrectInstanceState');
    const start = world.client.send(new StartInstancesCommand({ InstanceIds: [id] }));
    expect(await refusalOf(start)).toBe('IncorrectInstanceState');
  });

  it('takes a stopping machine further down and never later than its stop', async () => {
    const world = bench();
    const id = world.ec2.seedInstance({ availabilityZone: ZONE });
    await stop(world, id, SKIP);
    await terminate(world, [id]);
    expect(await stateOf(world, id)).toBe('shutting-down');
    world.time.advance(world.durations.stopMs(id, 'skip'));
    expect(await stateOf(world, id)).toBe('terminated');
  });

  it('spares the zone of a protected instance, and still fails', async () => {
    const world = bench();
    const seed = (availabilityZone: string, disableApiTermination: boolean) =>
      world.ec2.seedInstance({ availabilityZone, disableApiTermination });
    const shielded = seed(ZONE, true);
    const beside = seed(ZONE, false);
    const elsewhere = seed('us-east-1b', false);
    const refusal = await refusalOf(terminate(world, [shielded, beside, elsewhere]));
    expect(refusal).toBe('OperationNotPermitted');
    expect(await stateOf(world, beside)).toBe('running');
    expect(await stateOf(world, elsewhere)).toBe('shutting-down');
  });

  it('is all or nothing on an id that does not exist', async () => {
    const world = bench();
    const id = world.ec2.seedInstance({ availabilityZone: ZONE });
    const refusal = await refusalOf(terminate(world, [id, 'i-00000000000000bad']));
    expect(refusal).toBe('InvalidInstanceID.NotFound');
    expect(await stateOf(world, id)).toBe('running');
  });

  it('obeys a protection set and cleared over the API', async () => {
    const world = bench();
    const id = world.ec2.seedInstance({ availabilityZone: ZONE });
    const protect = (Value: boolean) =>
      world.client.send(
        new ModifyInstanceAttributeCommand({ InstanceId: id, DisableApiTermination: { Value } }),
      );
    await protect(true);
    await expect(terminate(world, [id])).rejects.toThrow(/disableApiTermination/);
    await protect(false);
    await terminate(world, [id]);
    expect(await stateOf(world, id)).toBe('shutting-down');
  });

  it('forgets tags first and the instance after about an hour', async () => {
    const world = bench();
    const id = world.ec2.seedInstance({ availabilityZone: ZONE, tags: { role: 'mesos-slave' } });
    await terminate(world, [id], SKIP);
    world.time.advance(35 * 60_000);
    expect((await read(world, id)).Tags ?? []).toEqual([]);
    world.time.advance(35 * 60_000);
    expect(await refusalOf(read(world, id))).toBe('InvalidInstanceID.NotFound');
    expect(world.ec2.truth().instances).toHaveLength(1);
  });
});
