import {
  CreateTagsCommand,
  DescribeInstanceAttributeCommand,
  DescribeInstancesCommand,
  ModifyInstanceAttributeCommand,
  ModifyInstanceMaintenanceOptionsCommand,
} from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import type { Ec2Deps } from '../../../emulator/services/ec2/ec2.ts';
import { bench, refusalOf, ZONE } from './kit.ts';

const STOCK = { GroupId: 'sg-0d0c0510000000001', GroupName: 'SlaveSecurityGroup' };

const machine = (deps: Partial<Ec2Deps> = {}) => {
  const world = bench(deps);
  const { client, ec2 } = world;
  const id = ec2.seedInstance({ availabilityZone: ZONE });
  const told = async () => {
    const command = new DescribeInstancesCommand({ InstanceIds: [id] });
    const instance = (await client.send(command)).Reservations?.[0]?.Instances?.[0];
    if (instance === undefined) throw new Error('the instance was not told');
    return instance;
  };
  const setGroups = (...Groups: string[]) =>
    client.send(new ModifyInstanceAttributeCommand({ InstanceId: id, Groups }));
  const maintain = (input: object) =>
    client.send(new ModifyInstanceMaintenanceOptionsCommand({ InstanceId: id, ...input }));
  return { ...world, id, told, setGroups, maintain };
};

// API reference, ModifyInstanceAttribute.
describe('the security groups of a machine', () => {
  it('are the stock one at first, and replaced as a whole', async () => {
    const world = machine();
    expect((await world.told()).SecurityGroups).toEqual([STOCK]);
    const other = world.ec2.seedSecurityGroup({ groupName: 'quarantine', closed: true });
    await world.setGroups(other);
    const quarantine = { GroupId: other, GroupName: 'quarantine' };
    expect((await world.told()).SecurityGroups).toEqual([quarantine]);
    const attribute = new DescribeInstanceAttributeCommand({
      InstanceId: world.id,
      Attribute: 'groupSet',
    });
    expect((await world.client.send(attribute)).Groups).toEqual([quarantine]);
    await world.setGroups(STOCK.GroupId, other);
    expect((await world.told()).SecurityGroups).toEqual([STOCK, quarantine]);
  });

  it('that let nothing through cut it off, and only all of them together', async () => {
    const world = machine();
    const closed = world.ec2.seedSecurityGroup({ groupName: 'quarantine', closed: true });
    await world.setGroups(closed);
    expect(world.ec2.machine(world.id)).toMatchObject({ cutOff: true, powered: true });
    await world.setGroups(closed);
    await world.setGroups(closed, STOCK.GroupId);
    expect(world.ec2.machine(world.id)?.cutOff).toBe(false);
    expect(world.machineEvents.map(({ kind }) => kind)).toEqual(['cut-off', 'reconnected']);
  });

  it('must exist', async () => {
    const world = machine();
    expect(await refusalOf(world.setGroups('sg-00000000'))).toBe('InvalidGroup.NotFound');
    expect((await world.told()).SecurityGroups).toEqual([STOCK]);
  });

  it('need rights on the machine and on each group', async () => {
    const asked: string[] = [];
    const world = machine({
      authorize: (action, resources, _caller, context) => {
        const names = resources.map(({ arn }) => arn.split(':').at(-1)?.split('/')[0]);
        asked.push([action, ...names, context['ec2:Attribute']].join(' '));
      },
    });
    await world.setGroups(STOCK.GroupId);
    expect(asked).toEqual(['ec2:ModifyInstanceAttribute instance security-group GroupSet']);
  });
});

// API reference, ModifyInstanceMaintenanceOptions.
describe('the maintenance options of a machine', () => {
  it('are changed one by one and told', async () => {
    const world = machine();
    const answer = await world.maintain({ AutoRecovery: 'disabled' });
    expect(answer).toMatchObject({
      InstanceId: world.id,
      AutoRecovery: 'disabled',
      RebootMigration: 'default',
    });
    await world.maintain({ RebootMigration: 'disabled' });
    expect((await world.told()).MaintenanceOptions).toEqual({
      AutoRecovery: 'disabled',
      RebootMigration: 'disabled',
    });
    expect(await refusalOf(world.maintain({ AutoRecovery: 'off' }))).toBe('InvalidParameterValue');
  });

  it('draw from the bucket of mutating calls', async () => {
    const world = machine();
    for (let n = 0; n < 50; n++) await world.maintain({ AutoRecovery: 'disabled' });
    const refused = world.maintain({ AutoRecovery: 'disabled' });
    expect(await refusalOf(refused)).toBe('RequestLimitExceeded');
  });
});

it('a machine carries the tags somebody writes on it', async () => {
  const world = machine();
  const Tags = [{ Key: 'ebs-failover:quarantine', Value: 'yes' }];
  await world.client.send(new CreateTagsCommand({ Resources: [world.id], Tags }));
  expect((await world.told()).Tags).toEqual(Tags);
});
