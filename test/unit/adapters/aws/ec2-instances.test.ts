import {
  DescribeInstanceStatusCommand,
  DescribeInstancesCommand,
  EC2Client,
  type Instance as Ec2Instance,
} from '@aws-sdk/client-ec2';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import 'aws-sdk-client-mock-vitest/extend';
import { pagesMax } from '../../../../src/adapters/aws-sdk/calls.ts';
import { createEc2Reads } from '../../../../src/adapters/ec2/reads.ts';
import type { InstanceId } from '../../../../src/domain/ids.ts';
import { agent, awsError, lostConnection, mysqlVolume, otherAgent } from './support.ts';

const ec2 = mockClient(EC2Client);
const reads = createEc2Reads({
  client: new EC2Client({ region: 'us-east-1' }),
  clusterTag: { key: 'ebs-failover:cluster', value: 'east' },
});

beforeEach(() => {
  ec2.reset();
});

const launchTime = new Date('2026-11-20T07:00:12.000Z');
const instance: Ec2Instance = {
  InstanceId: agent,
  State: { Code: 16, Name: 'running' },
  LaunchTime: launchTime,
  Placement: { AvailabilityZone: 'us-east-1a', AvailabilityZoneId: 'use1-az2' },
  PrivateIpAddress: '10.0.3.17',
  VpcId: 'vpc-1',
  InstanceType: 'm5.xlarge',
  RootDeviceName: '/dev/xvda',
  RootDeviceType: 'ebs',
  BlockDeviceMappings: [
    {
      DeviceName: '/dev/xvdf',
      Ebs: { VolumeId: mysqlVolume, DeleteOnTermination: false, Status: 'attached' },
    },
  ],
  Tags: [{ Key: 'ebs-failover:cluster', Value: 'east' }],
};
const answerInstances = (...instances: Ec2Instance[]): void => {
  ec2.on(DescribeInstancesCommand).resolves({ Reservations: [{ Instances: instances }] });
};
describe('reading an instance', () => {
  it('asks by filter, for one page', async () => {
    answerInstances(instance);
    await reads.instance(agent);
    expect(ec2).toHaveReceivedCommandExactlyOnceWith(DescribeInstancesCommand, {
      Filters: [{ Name: 'instance-id', Values: [agent] }],
      MaxResults: 1_000,
    });
  });

  it('tells it in the words of the domain', async () => {
    answerInstances(instance);
    expect(await reads.instance(agent)).toEqual({
      instanceId: agent,
      state: 'running',
      launchTime: '2026-11-20T07:00:12.000Z',
      availabilityZone: 'us-east-1a',
      availabilityZoneId: 'use1-az2',
      privateIp: '10.0.3.17',
      vpcId: 'vpc-1',
      instanceType: 'm5.xlarge',
      lifecycle: 'on-demand',
      rootDeviceName: '/dev/xvda',
      rootDeviceType: 'ebs',
      devices: [
        {
          device: '/dev/xvdf',
          volumeId: mysqlVolume,
          deleteOnTermination: false,
          status: 'attached',
        },
      ],
      tags: [{ key: 'ebs-failover:cluster', value: 'east' }],
    });
  });

  it('reads a terminated instance, whose fields are empty or gone', async () => {
    answerInstances({
      InstanceId: agent,
      State: { Code: 48, Name: 'terminated' },
      StateReason: { Code: 'Client.UserInitiatedShutdown', Message: 'User initiated shutdown' },
      LaunchTime: launchTime,
      Placement: { AvailabilityZone: 'us-east-1a' },
      PrivateIpAddress: '',
      InstanceType: 'm5.xlarge',
      InstanceLifecycle: 'spot',
      RootDeviceType: 'ebs',
    });
    const found = await reads.instance(agent);
    expect(found).toMatchObject({
      state: 'terminated',
      stateReasonCode: 'Client.UserInitiatedShutdown',
      lifecycle: 'spot',
      devices: [],
      tags: [],
    });
    expect(found).not.toHaveProperty('privateIp');
  });

  it('ignores the high byte of the state code', async () => {
    answerInstances({ ...instance, State: { Code: 0x5150, Name: 'stopped' } });
    expect(await reads.instance(agent)).toMatchObject({ state: 'stopped' });
  });

  it.each([[[]], [undefined]])('takes %o for a confirmed miss', async (Reservations) => {
    ec2.on(DescribeInstancesCommand).resolves(Reservations === undefined ? {} : { Reservations });
    expect(await reads.instance(agent)).toBeUndefined();
  });

  it('does not take another instance for the one it asked for', async () => {
    answerInstances({ ...instance, InstanceId: otherAgent });
    expect(await reads.instance(agent)).toBeUndefined();
  });

  const without = (field: keyof Ec2Instance): Ec2Instance => ({ ...instance, [field]: undefined });
  const mapped = (Ebs: object): Ec2Instance => ({
    ...instance,
    BlockDeviceMappings: [{ DeviceName: '/dev/xvdf', Ebs }],
  });
  it.each<[string, Ec2Instance, string]>([
    ['no state', without('State'), 'has no state'],
    ['a new state', { ...instance, State: { Code: 96, Name: 'paused' as 'stopped' } }, "'paused'"],
    ['a state without code', { ...instance, State: { Name: 'stopped' } }, 'no state code'],
    ['code and name at odds', { ...instance, State: { Code: 16, Name: 'stopped' } }, 'code 16'],
    ['no launch time', without('LaunchTime'), 'no launch time'],
    ['no zone', without('Placement'), 'no zone'],
    ['no root device type', without('RootDeviceType'), 'no root device type'],
    ['a malformed id', { ...instance, InstanceId: 'i-1' }, "'i-1'"],
    ['a new lifecycle', { ...instance, InstanceLifecycle: 'capacity-block' }, 'capacity-block'],
    ['a device without volume', mapped({ DeleteOnTermination: true }), 'no volume at /dev/xvdf'],
    [
      'a device that says nothing of its deletion',
      mapped({ VolumeId: mysqlVolume, Status: 'attached' }),
      'no DeleteOnTermination',
    ],
  ])('does not guess about %s', async (_case, strange, said) => {
    answerInstances(strange);
    await expect(reads.instance(agent)).rejects.toMatchObject({
      name: 'CloudUnavailableError',
      message: expect.stringContaining(said),
    });
  });

  it('throws what is not an answer', async () => {
    ec2.on(DescribeInstancesCommand).rejects(lostConnection());
    await expect(reads.instance(agent)).rejects.toMatchObject({ name: 'CloudUnavailableError' });
    ec2.on(DescribeInstancesCommand).rejects(awsError('UnauthorizedOperation', 'no', 403));
    await expect(reads.instance(agent)).rejects.toMatchObject({ name: 'NotAuthorizedError' });
  });
});

describe('reading the instances of a cluster', () => {
  it('follows the token and keeps the fresher of two answers about one instance', async () => {
    const stopped: Ec2Instance = { ...instance, State: { Code: 80, Name: 'stopped' } };
    const other: Ec2Instance = { ...instance, InstanceId: otherAgent };
    ec2
      .on(DescribeInstancesCommand)
      .resolvesOnce({ Reservations: [{ Instances: [instance, other] }], NextToken: 'two' })
      .resolvesOnce({ Reservations: [{ Instances: [stopped] }], NextToken: '' })
      .resolvesOnce({ Reservations: [{ Instances: [stopped] }], NextToken: 'two' })
      .resolvesOnce({ Reservations: [{ Instances: [other] }] });
    const found = await reads.instancesOfCluster();
    expect(found.map(({ instanceId, state }) => [instanceId, state])).toEqual([
      [agent, 'stopped'],
      [otherAgent, 'running'],
    ]);
    const Filters = [{ Name: 'tag:ebs-failover:cluster', Values: ['east'] }];
    expect(ec2.calls().map(({ args }) => args[0].input)).toEqual([
      { Filters, MaxResults: 1_000 },
      { Filters, MaxResults: 1_000, NextToken: 'two' },
      { Filters, MaxResults: 1_000 },
      { Filters, MaxResults: 1_000, NextToken: 'two' },
    ]);
  });

  const other: Ec2Instance = { ...instance, InstanceId: otherAgent };
  it('does not believe a list of several pages that misses what the next reading shows', async () => {
    const page = (Instances: Ec2Instance[], NextToken?: string) => ({
      Reservations: [{ Instances }],
      ...(NextToken && { NextToken }),
    });
    ec2
      .on(DescribeInstancesCommand)
      .resolvesOnce(page([instance], 'two'))
      .resolvesOnce(page([]))
      .resolvesOnce(page([other], 'two'))
      .resolvesOnce(page([instance]))
      .resolvesOnce(page([instance, other], 'two'))
      .resolvesOnce(page([other]));
    const found = await reads.instancesOfCluster();
    expect(found.map(({ instanceId }) => instanceId)).toEqual([agent, otherAgent]);
    expect(ec2).toHaveReceivedCommandTimes(DescribeInstancesCommand, 6);
  });

  it('throws when no two readings of the list agree', async () => {
    const answers = ec2.on(DescribeInstancesCommand);
    for (const seen of [[instance], [other], [instance], [other]]) {
      answers
        .resolvesOnce({ Reservations: [{ Instances: seen }], NextToken: 'two' })
        .resolvesOnce({ Reservations: [] });
    }
    await expect(reads.instancesOfCluster()).rejects.toMatchObject({
      name: 'CloudUnavailableError',
      message: expect.stringContaining('disagree'),
    });
  });

  it('throws rather than answer a part of an endless list', async () => {
    ec2.on(DescribeInstancesCommand).resolves({ Reservations: [], NextToken: 'again' });
    await expect(reads.instancesOfCluster()).rejects.toMatchObject({
      name: 'CloudUnavailableError',
      message: expect.stringContaining(`more than ${pagesMax} pages`),
    });
    expect(ec2).toHaveReceivedCommandTimes(DescribeInstancesCommand, pagesMax);
  });
});

describe('reading status checks', () => {
  const since = new Date('2026-11-22T21:28:00.000Z');
  const impaired = (InstanceId: string) => ({
    InstanceId,
    SystemStatus: {
      Status: 'impaired' as const,
      Details: [{ Name: 'reachability' as const, Status: 'failed' as const, ImpairedSince: since }],
    },
    InstanceStatus: {
      Status: 'impaired' as const,
      Details: [{ ImpairedSince: new Date(since.getTime() + 60_000) }],
    },
    AttachedEbsStatus: {
      Status: 'ok' as const,
      Details: [{ ImpairedSince: new Date(0) }],
    },
  });

  it('takes the earliest moment of the failing checks only', async () => {
    ec2.on(DescribeInstanceStatusCommand).resolves({ InstanceStatuses: [impaired(agent)] });
    expect(await reads.statusChecks(agent)).toEqual({
      system: 'impaired',
      instance: 'impaired',
      attachedEbs: 'ok',
      impairedSince: since.getTime(),
    });
    expect(ec2).toHaveReceivedCommandExactlyOnceWith(DescribeInstanceStatusCommand, {
      InstanceIds: [agent],
    });
  });

  it('finds none for an instance that is not running', async () => {
    ec2.on(DescribeInstanceStatusCommand).resolves({ InstanceStatuses: [] });
    expect(await reads.statusChecks(agent)).toBeUndefined();
  });

  it('finds none for an instance EC2 has forgotten', async () => {
    ec2.on(DescribeInstanceStatusCommand).rejects(awsError('InvalidInstanceID.NotFound'));
    expect(await reads.statusChecks(agent)).toBeUndefined();
  });

  it('knows that older types have no check of their volumes', async () => {
    const { AttachedEbsStatus: _dropped, ...older } = impaired(agent);
    ec2.on(DescribeInstanceStatusCommand).resolves({ InstanceStatuses: [older] });
    expect(await reads.statusChecks(agent)).toMatchObject({ attachedEbs: 'not-applicable' });
  });

  it('does not guess about a missing system check', async () => {
    const { SystemStatus: _dropped, ...strange } = impaired(agent);
    ec2.on(DescribeInstanceStatusCommand).resolves({ InstanceStatuses: [strange] });
    await expect(reads.statusChecks(agent)).rejects.toMatchObject({
      name: 'CloudUnavailableError',
      message: expect.stringContaining('no system status'),
    });
  });

  it('reads those of many by paging, so that one forgotten instance fails nothing', async () => {
    ec2
      .on(DescribeInstanceStatusCommand)
      .resolvesOnce({ InstanceStatuses: [impaired('i-00000000')], NextToken: 'two' })
      .resolvesOnce({ InstanceStatuses: [impaired(agent)] })
      .resolvesOnce({ InstanceStatuses: [impaired(agent), impaired('i-00000000')], NextToken: '2' })
      .resolvesOnce({ InstanceStatuses: [] });
    const checks = await reads.statusChecksOf([agent, otherAgent]);
    expect([...checks.keys()]).toEqual([agent] satisfies InstanceId[]);
    const Filters = [{ Name: 'instance-state-name', Values: ['running'] }];
    expect(ec2).toHaveReceivedNthCommandWith(DescribeInstanceStatusCommand, 1, {
      Filters,
      MaxResults: 1_000,
    });
    expect(ec2).toHaveReceivedNthCommandWith(DescribeInstanceStatusCommand, 2, {
      Filters,
      NextToken: 'two',
    });
  });

  it('asks nothing about nobody', async () => {
    expect(await reads.statusChecksOf([])).toEqual(new Map());
    expect(ec2).toHaveReceivedCommandTimes(DescribeInstanceStatusCommand, 0);
  });
});
