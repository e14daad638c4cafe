import {
  AttachVolumeCommand,
  CreateVolumeCommand,
  DeleteVolumeCommand,
  DescribeInstancesCommand,
  DescribeVolumeStatusCommand,
  DescribeVolumesCommand,
  DescribeVolumesModificationsCommand,
  DetachVolumeCommand,
  ModifyInstanceAttributeCommand,
  type Volume,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { ATTACH_MS } from '../../../emulator/services/ec2/disks.ts';
import { AGENT_CALLER } from '../../../emulator/services/ec2/ec2.ts';
import { type Bench, bench, refusalOf, ZONE } from './kit.ts';

const DEVICE = '/dev/xvdf';
const LONG = 600_000;

/** An agent with a MySQL volume the way REX-Ray leaves it. */
const agentWithVolume = (spec: object = {}) => {
  const world = bench();
  const instanceId = world.ec2.seedInstance({ availabilityZone: ZONE, ...spec });
  const volumeId = world.ec2.seedVolume({
    availabilityZone: ZONE,
    name: 'mysql',
    attachedTo: { instanceId, device: DEVICE },
  });
  return { ...world, instanceId, volumeId };
};

const read = async ({ client }: Bench, volumeId: string): Promise<Volume> => {
  const answer = await client.send(new DescribeVolumesCommand({ VolumeIds: [volumeId] }));
  const [volume] = answer.Volumes ?? [];
  if (volume === undefined) throw new Error(`${volumeId} was not told`);
  return volume;
};

const attachmentState = async (world: Bench, volumeId: string) =>
  (await read(world, volumeId)).Attachments?.[0]?.State;

const detach = ({ client }: Bench, VolumeId: string, options = {}) =>
  client.send(new DetachVolumeCommand({ VolumeId, ...options }));

const attach = ({ client }: Bench, VolumeId: string, InstanceId: string, Device = DEVICE) =>
  client.send(new AttachVolumeCommand({ VolumeId, InstanceId, Device }));

const power = (world: Bench & { instanceId: string }) => {
  world.ec2.stop(world.instanceId, { skipOsShutdown: true });
  world.time.advance(world.durations.stopMs(world.instanceId, 'skip'));
};

describe('detaching', () => {
  it('answers detaching and frees the volume of a stopped machine a little later', async () => {
    const world = agentWithVolume();
    power(world);
    const answer = await detach(world, world.volumeId, { InstanceId: world.instanceId });
    expect(answer).toMatchObject({
      VolumeId: world.volumeId,
      InstanceId: world.instanceId,
      Device: DEVICE,
      State: 'detaching',
    });
    world.time.advance(world.durations.detachMs(world.volumeId) - 1);
    expect(await attachmentState(world, world.volumeId)).toBe('detaching');
    world.time.advance(1);
    const freed = await read(world, world.volumeId);
    expect(freed.State).toBe('available');
    expect(freed.Attachments ?? []).toEqual([]);
  });

  it('tells the machines when it is done, and publishes no event', async () => {
    const world = agentWithVolume();
    power(world);
    const before = world.events.length;
    await detach(world, world.volumeId);
    world.time.advance(LONG);
    expect(world.machineEvents.at(-1)).toEqual({
      kind: 'detached',
      instanceId: world.instanceId,
      volumeId: world.volumeId,
      forced: false,
    });
    expect(world.events).toHaveLength(before);
  });

  it('stays busy while a running machine has the volume mounted', async () => {
    const world = agentWithVolume();
    world.ec2.setMounted(world.volumeId, true);
    await detach(world, world.volumeId);
    world.time.advance(LONG);
    expect(await attachmentState(world, world.volumeId)).toBe('busy');
    const told = await world.client.send(new DescribeInstancesCommand({}));
    const mappings = told.Reservations?.[0]?.Instances?.[0]?.BlockDeviceMappings ?? [];
    const mapping = mappings.find(({ DeviceName }) => DeviceName === DEVICE);
    expect(mapping?.Ebs?.Status).toBe('detaching');
    world.ec2.setMounted(world.volumeId, false);
    world.time.advance(LONG);
    expect((await read(world, world.volumeId)).State).toBe('available');
  });

  it('goes on with a busy detach once the machine has lost power', async () => {
    const world = agentWithVolume();
    world.ec2.setMounted(world.volumeId, true);
    await detach(world, world.volumeId);
    power(world);
    world.time.advance(world.durations.detachMs(world.volumeId));
    expect((await read(world, world.volumeId)).State).toBe('available');
  });

  it('goes by the reported state, even while a forced stop left the guest writing on', async () => {
    const world = agentWithVolume();
    world.ec2.setMounted(world.volumeId, true);
    world.ec2.faults.postStopWrites = () => LONG;
    world.ec2.stop(world.instanceId, { skipOsShutdown: true, force: true });
    world.time.advance(world.durations.stopMs(world.instanceId, 'force-skip'));
    await detach(world, world.volumeId);
    world.time.advance(world.durations.detachMs(world.volumeId));
    expect(world.ec2.machine(world.instanceId)?.powered).toBe(true);
    expect((await read(world, world.volumeId)).State).toBe('available');
  });

  it('takes the volume by Force from a running machine and does not stop the guest', async () => {
    const world = agentWithVolume();
    world.ec2.setMounted(world.volumeId, true);
    await detach(world, world.volumeId, { Force: true });
    world.time.advance(world.durations.detachMs(world.volumeId));
    expect((await read(world, world.volumeId)).State).toBe('available');
    expect(world.ec2.machine(world.instanceId)).toMatchObject({ powered: true, kernel: 'ok' });
    expect(world.machineEvents.at(-1)).toMatchObject({ kind: 'detached', forced: true });
  });

  it('leaves the device name unusable after Force until the machine reboots', async () => {
    const world = agentWithVolume();
    world.ec2.setMounted(world.volumeId, true);
    await detach(world, world.volumeId, { Force: true });
    world.time.advance(LONG);
    await attach(world, world.volumeId, world.instanceId);
    world.time.advance(LONG);
    expect(await attachmentState(world, world.volumeId)).toBe('attaching');
    await detach(world, world.volumeId);
    world.ec2.reboot(world.instanceId);
    world.time.advance(LONG);
    await attach(world, world.volumeId, world.instanceId);
    world.time.advance(LONG);
    expect(await attachmentState(world, world.volumeId)).toBe('attached');
  });

  it('works without an instance id, and is refused with a wrong one', async () => {
    const world = agentWithVolume();
    const other = world.ec2.seedInstance({ availabilityZone: ZONE });
    const wrong = detach(world, world.volumeId, { InstanceId: other });
    expect(await refusalOf(wrong)).toBe('InvalidAttachment.NotFound');
    expect(await refusalOf(detach(world, world.volumeId))).toBe('no refusal');
  });

  it('is refused for a free volume, a missing one and the root of a running machine', async () => {
    const world = agentWithVolume();
    const free = world.ec2.seedVolume({ availabilityZone: ZONE });
    await expect(detach(world, free)).rejects.toThrow(`Volume '${free}' is in the 'available'`);
    expect(await refusalOf(detach(world, free))).toBe('IncorrectState');
    const missing = detach(world, 'vol-00000000000000bad');
    expect(await refusalOf(missing)).toBe('InvalidVolume.NotFound');
    const root = world.ec2
      .truth()
      .volumes.find(({ attachments }) => attachments[0]?.device === '/dev/xvda');
    const rootId = String(root?.volumeId);
    expect(await refusalOf(detach(world, rootId))).toBe('OperationNotPermitted');
    power(world);
    expect(await refusalOf(detach(world, rootId))).toBe('no refusal');
  });

  it('needs the instance id where the volume is attached twice', async () => {
    const world = bench();
    const [first, second] = [1, 2].map(() => world.ec2.seedInstance({ availabilityZone: ZONE }));
    const volumeId = world.ec2.seedVolume({ availabilityZone: ZONE, multiAttach: true });
    await attach(world, volumeId, String(first));
    await attach(world, volumeId, String(second));
    world.time.advance(ATTACH_MS);
    expect(await refusalOf(detach(world, volumeId))).toBe('MissingParameter');
    await detach(world, volumeId, { InstanceId: second });
    world.time.advance(LONG);
    const { State, Attachments } = await read(world, volumeId);
    expect(State).toBe('in-use');
    expect(Attachments?.map(({ InstanceId }) => InstanceId)).toEqual([first]);
  });

  it('stays detaching for ever while the volume is stuck, repeated or not', async () => {
    const world = agentWithVolume();
    power(world);
    world.ec2.faults.slowDetach = (_, forced) => (forced ? 0 : Number.POSITIVE_INFINITY);
    await detach(world, world.volumeId);
    world.time.advance(LONG);
    await detach(world, world.volumeId);
    world.time.advance(LONG);
    expect(await attachmentState(world, world.volumeId)).toBe('detaching');
    await detach(world, world.volumeId, { Force: true });
    world.time.advance(LONG);
    expect((await read(world, world.volumeId)).State).toBe('available');
  });
});

describe('attaching', () => {
  it('takes a while, and the flag of a volume attached later defaults to false', async () => {
    const world = bench();
    const instanceId = world.ec2.seedInstance({ availabilityZone: ZONE });
    const volumeId = world.ec2.seedVolume({ availabilityZone: ZONE });
    const answer = await attach(world, volumeId, instanceId);
    expect(answer.State).toBe('attaching');
    world.time.advance(ATTACH_MS);
    const [attachment] = (await read(world, volumeId)).Attachments ?? [];
    expect(attachment).toMatchObject({ State: 'attached', DeleteOnTermination: false });
    const device = DEVICE;
    expect(world.machineEvents).toEqual([{ kind: 'attached', instanceId, volumeId, device }]);
  });

  it('is refused where EC2 refuses it', async () => {
    const world = agentWithVolume();
    const { instanceId, volumeId } = world;
    const near = world.ec2.seedInstance({ availabilityZone: ZONE });
    const far = world.ec2.seedInstance({ availabilityZone: 'us-east-1b' });
    const free = world.ec2.seedVolume({ availabilityZone: ZONE });
    expect(await refusalOf(attach(world, volumeId, near))).toBe('VolumeInUse');
    expect(await refusalOf(attach(world, free, far))).toBe('InvalidVolume.ZoneMismatch');
    expect(await refusalOf(attach(world, free, instanceId))).toBe('InvalidParameterValue');
    world.ec2.terminate(near);
    expect(await refusalOf(attach(world, free, near))).toBe('IncorrectState');
  });

  it('is refused beyond the number of volumes the instance type can hold', async () => {
    const world = bench();
    const instanceId = world.ec2.seedInstance({ availabilityZone: ZONE });
    for (let index = 0; index < 25; index++) {
      const attachedTo = { instanceId, device: `/dev/xvdc${index}` };
      world.ec2.seedVolume({ availabilityZone: ZONE, attachedTo });
    }
    const oneMore = world.ec2.seedVolume({ availabilityZone: ZONE });
    expect(await refusalOf(attach(world, oneMore, instanceId))).toBe('AttachmentLimitExceeded');
  });

  it('fails later, with an event, while the key of the volume is disabled', async () => {
    const world = bench();
    const instanceId = world.ec2.seedInstance({ availabilityZone: ZONE });
    const kmsKeyId = 'arn:aws:kms:us-east-1:123456789012:key/01234567-0123-0123-0123-0123456789ab';
    const spec = { availabilityZone: ZONE, kmsKeyId, kmsKeyDisabled: true };
    const volumeId = world.ec2.seedVolume(spec);
    await attach(world, volumeId, instanceId);
    world.time.advance(ATTACH_MS);
    expect((await read(world, volumeId)).State).toBe('available');
    expect(world.events).toHaveLength(1);
    expect(world.events[0]).toMatchObject({
      'detail-type': 'EBS Volume Notification',
      resources: [`arn:aws:ec2:us-east-1:123456789012:volume/${volumeId}`, kmsKeyId],
      detail: { event: 'attachVolume', result: 'failed', 'request-id': '' },
    });
  });
});

describe('creating and deleting', () => {
  it('creates a volume that is usable a moment later, with event', async () => {
    const world = bench();
    const create = new CreateVolumeCommand({ AvailabilityZone: ZONE, Size: 20 });
    const { VolumeId = '', State } = await world.client.send(create);
    expect(State).toBe('creating');
    const instanceId = world.ec2.seedInstance({ availabilityZone: ZONE });
    expect(await refusalOf(attach(world, VolumeId, instanceId))).toBe('IncorrectState');
    world.time.advance(5_000);
    expect(await read(world, VolumeId)).toMatchObject({ State: 'available', Size: 20 });
    expect(world.events.map(({ detail }) => detail)).toMatchObject([
      { event: 'createVolume', result: 'available', cause: '' },
    ]);
  });

  it('deletes only a free volume', async () => {
    const world = agentWithVolume();
    const remove = (VolumeId: string) => world.client.send(new DeleteVolumeCommand({ VolumeId }));
    expect(await refusalOf(remove(world.volumeId))).toBe('VolumeInUse');
    power(world);
    await detach(world, world.volumeId);
    world.time.advance(LONG);
    await remove(world.volumeId);
    world.time.advance(LONG);
    expect(await refusalOf(read(world, world.volumeId))).toBe('InvalidVolume.NotFound');
  });
});

describe('termination', () => {
  const terminated = (world: Bench & { instanceId: string }) => {
    world.ec2.terminate(world.instanceId, { skipOsShutdown: true });
    world.time.advance(world.durations.stopMs(world.instanceId, 'skip'));
  };

  it('deletes flagged volumes and frees the others only after terminated', async () => {
    const world = agentWithVolume();
    terminated(world);
    expect((await read(world, world.volumeId)).State).toBe('in-use');
    world.time.advance(LONG);
    const left = await world.client.send(new DescribeVolumesCommand({}));
    expect(left.Volumes?.map(({ VolumeId, State }) => [VolumeId, State])).toEqual([
      [world.volumeId, 'available'],
    ]);
    const deleted = world.events.filter(({ detail }) => detail.event === 'deleteVolume');
    expect(deleted).toHaveLength(2);
  });

  it('deletes a data volume whose flag was set by leaving it out', async () => {
    const world = agentWithVolume();
    const { instanceId, volumeId } = world;
    const modify = (DeleteOnTermination?: boolean) =>
      new ModifyInstanceAttributeCommand({
        InstanceId: instanceId,
        BlockDeviceMappings: [
          {
            DeviceName: DEVICE,
            Ebs: {
              VolumeId: volumeId,
              ...(DeleteOnTermination !== undefined && { DeleteOnTermination }),
            },
          },
        ],
      });
    const flag = async () => (await read(world, volumeId)).Attachments?.[0]?.DeleteOnTermination;
    await world.client.send(modify(false));
    expect(await flag()).toBe(false);
    await world.client.send(modify());
    expect(await flag()).toBe(true);
    terminated(world);
    world.time.advance(LONG);
    expect(await refusalOf(read(world, volumeId))).toBe('InvalidVolume.NotFound');
  });

  it('changes the flags of several mappings in one call, or none', async () => {
    const world = agentWithVolume();
    const modify = (...devices: string[]) =>
      world.client.send(
        new ModifyInstanceAttributeCommand({
          InstanceId: world.instanceId,
          BlockDeviceMappings: devices.map((DeviceName) => ({
            DeviceName,
            Ebs: { DeleteOnTermination: false },
          })),
        }),
      );
    const kept = () =>
      world.ec2
        .truth()
        .volumes.flatMap(({ attachments }) => attachments)
        .filter(({ deleteOnTermination }) => !deleteOnTermination)
        .map(({ device }) => device);
    const refusal = await refusalOf(modify('/dev/xvda', '/dev/xvdz'));
    expect(refusal).toBe('InvalidInstanceAttributeValue');
    expect(kept()).toEqual([DEVICE]);
    await modify('/dev/xvda', '/dev/xvdb');
    expect(kept()).toEqual(['/dev/xvda', '/dev/xvdb', DEVICE]);
  });

  it('lets a detach asked for meanwhile wait for its own workflow', async () => {
    const world = agentWithVolume();
    world.ec2.terminate(world.instanceId, { skipOsShutdown: true });
    await detach(world, world.volumeId);
    world.time.advance(world.durations.stopMs(world.instanceId, 'skip'));
    expect(await attachmentState(world, world.volumeId)).toBe('detaching');
    world.time.advance(world.durations.detachMs(world.volumeId));
    expect((await read(world, world.volumeId)).State).toBe('available');
  });
});

describe("the agent's own REX-Ray", () => {
  it('attaches, detaches and creates without an instance id or anybody being asked', async () => {
    const world = bench();
    const instanceId = world.ec2.seedInstance({ availabilityZone: ZONE });
    const spec = { availabilityZone: ZONE, sizeGiB: 16, name: 'mysql' };
    const volumeId = world.ec2.createVolume(spec);
    world.time.advance(LONG);
    world.ec2.attachVolume(volumeId, instanceId, DEVICE);
    world.time.advance(LONG);
    world.ec2.detachVolume(volumeId, { force: false });
    world.time.advance(LONG);
    expect(world.machineEvents.map(({ kind }) => kind)).toEqual([
      'volume-created',
      'attached',
      'detached',
    ]);
    expect(() => world.ec2.detachVolume(volumeId, { force: false })).toThrow(/'available'/);
    expect(world.ec2.calls().at(-1)).toMatchObject({
      api: 'DetachVolume',
      caller: AGENT_CALLER,
      outcome: 'IncorrectState',
    });
  });

  it('may call a volume unmounted that is gone already, but not one that never was', async () => {
    const world = bench();
    const volumeId = world.ec2.seedVolume({ availabilityZone: ZONE });
    await world.client.send(new DeleteVolumeCommand({ VolumeId: volumeId }));
    world.time.advance(LONG);
    expect(() => world.ec2.setMounted(volumeId, false)).not.toThrow();
    expect(() => world.ec2.setMounted('vol-00000000000000bad', false)).toThrow(RangeError);
  });
});

describe('a volume in trouble', () => {
  const statusOf = async ({ client, volumeId }: ReturnType<typeof agentWithVolume>) => {
    const request = new DescribeVolumeStatusCommand({ VolumeIds: [volumeId] });
    const [status] = (await client.send(request)).VolumeStatuses ?? [];
    return status?.VolumeStatus;
  };

  it('tells that its I/O is stopped, and lets itself be detached and attached all the same', async () => {
    const world = agentWithVolume();
    expect(await statusOf(world)).toMatchObject({ Status: 'ok' });
    world.ec2.disableIo(world.volumeId);
    expect(await statusOf(world)).toMatchObject({
      Status: 'impaired',
      Details: [{ Name: 'io-enabled', Status: 'failed' }, expect.anything()],
    });
    power(world);
    await detach(world, world.volumeId, { InstanceId: world.instanceId });
    world.time.advance(LONG);
    expect((await attach(world, world.volumeId, world.instanceId)).State).toBe('attaching');
  });

  it('stays in error when it is let go of, and cannot be attached any more', async () => {
    const world = agentWithVolume();
    world.ec2.failVolume(world.volumeId);
    power(world);
    expect((await read(world, world.volumeId)).State).toBe('error');
    await detach(world, world.volumeId, { InstanceId: world.instanceId });
    world.time.advance(LONG);
    expect(await read(world, world.volumeId)).toMatchObject({ State: 'error', Attachments: [] });
    const again = attach(world, world.volumeId, world.instanceId);
    expect(await refusalOf(again)).toBe('IncorrectState');
  });

  it('is attached to nothing while it is being modified, and again while it is optimised', async () => {
    const world = agentWithVolume();
    const told = async () => {
      const Filters = [{ Name: 'volume-id', Values: [world.volumeId] }];
      const request = new DescribeVolumesModificationsCommand({ Filters });
      return (await world.client.send(request)).VolumesModifications;
    };
    expect(await told()).toEqual([]);
    world.ec2.modifyVolume(world.volumeId, 60_000);
    power(world);
    await detach(world, world.volumeId, { InstanceId: world.instanceId });
    world.time.advance(5_000);
    expect(await told()).toMatchObject([
      { VolumeId: world.volumeId, ModificationState: 'modifying' },
    ]);
    const tooEarly = attach(world, world.volumeId, world.instanceId);
    expect(await refusalOf(tooEarly)).toBe('IncorrectState');
    world.time.advance(60_000);
    expect(await told()).toMatchObject([{ ModificationState: 'optimizing' }]);
    expect((await attach(world, world.volumeId, world.instanceId)).State).toBe('attaching');
  });

  it('is neither attached nor detached by anybody once an AWS service manages it', async () => {
    const world = agentWithVolume();
    expect((await read(world, world.volumeId)).Operator?.Managed).toBe(false);
    world.ec2.manageVolume(world.volumeId, 'eks.amazonaws.com');
    expect((await read(world, world.volumeId)).Operator).toMatchObject({
      Managed: true,
      Principal: 'eks.amazonaws.com',
    });
    power(world);
    const refused = detach(world, world.volumeId, { InstanceId: world.instanceId });
    expect(await refusalOf(refused)).toBe('UnsupportedOperation');
  });
});
