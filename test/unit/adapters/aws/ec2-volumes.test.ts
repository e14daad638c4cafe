import {
  DescribeVolumeStatusCommand,
  DescribeVolumesCommand,
  DescribeVolumesModificationsCommand,
  EC2Client,
  type Volume as Ec2Volume,
  type VolumeStatusInfoStatus,
} from '@aws-sdk/client-ec2';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import 'aws-sdk-client-mock-vitest/extend';
import { createEc2Reads } from '../../../../src/adapters/ec2/reads.ts';
import { agent, awsError, logsVolume, mysqlVolume, otherAgent } from './support.ts';

const ec2 = mockClient(EC2Client);
const reads = createEc2Reads({
  client: new EC2Client({ region: 'us-east-1' }),
  clusterTag: { key: 'ebs-failover:cluster', value: 'east' },
});

beforeEach(() => {
  ec2.reset();
});

const volume: Ec2Volume = {
  VolumeId: mysqlVolume,
  State: 'in-use',
  AvailabilityZone: 'us-east-1a',
  MultiAttachEnabled: false,
  Attachments: [
    { InstanceId: agent, Device: '/dev/xvdf', State: 'busy', DeleteOnTermination: false },
  ],
  Tags: [{ Key: 'Name', Value: 'mysql' }],
};
const answerVolumes = (...volumes: Ec2Volume[]): void => {
  ec2.on(DescribeVolumesCommand).resolves({ Volumes: volumes });
};

describe('reading volumes', () => {
  it('finds those of an instance, busy ones included', async () => {
    answerVolumes(volume);
    expect(await reads.volumesOf(agent)).toEqual([
      {
        volumeId: mysqlVolume,
        state: 'in-use',
        availabilityZone: 'us-east-1a',
        multiAttach: false,
        attachments: [
          { instanceId: agent, device: '/dev/xvdf', state: 'busy', deleteOnTermination: false },
        ],
        tags: [{ key: 'Name', value: 'mysql' }],
      },
    ]);
    expect(ec2).toHaveReceivedCommandExactlyOnceWith(DescribeVolumesCommand, {
      Filters: [{ Name: 'attachment.instance-id', Values: [agent] }],
      MaxResults: 500,
    });
  });

  it.each([[[]], [undefined]])('reads attachments %o as a free volume', async (Attachments) => {
    const { Attachments: _dropped, ...rest } = volume;
    const free: Ec2Volume = { ...rest, State: 'available' };
    answerVolumes(Attachments === undefined ? free : { ...free, Attachments });
    expect(await reads.volumes([mysqlVolume])).toMatchObject([{ attachments: [] }]);
  });

  it('leaves out volumes EC2 does not know, instead of failing for all', async () => {
    answerVolumes(volume);
    expect(await reads.volumes([mysqlVolume, logsVolume])).toHaveLength(1);
    expect(ec2).toHaveReceivedCommandExactlyOnceWith(DescribeVolumesCommand, {
      Filters: [{ Name: 'volume-id', Values: [mysqlVolume, logsVolume] }],
    });
  });

  it('asks nothing for nothing: an empty filter would mean every volume', async () => {
    expect(await reads.volumes([])).toEqual([]);
    expect(await reads.volumesNamed([])).toEqual([]);
    expect(ec2).toHaveReceivedCommandTimes(DescribeVolumesCommand, 0);
  });

  it('asks for at most 200 at a time, each once', async () => {
    const ids = Array.from({ length: 450 }, (_, n) => `vol-${n.toString(16).padStart(8, '0')}`);
    answerVolumes();
    await reads.volumes(ids as (typeof mysqlVolume)[]);
    const asked = ec2
      .commandCalls(DescribeVolumesCommand)
      .map(({ args }) => args[0].input.Filters?.[0]?.Values ?? []);
    expect(asked.map(({ length }) => length)).toEqual([200, 200, 50]);
    expect(asked.flat()).toEqual(ids);
  });

  it('does not take a pattern’s other matches for volumes of that name', async () => {
    const named = (Value: string, VolumeId: string): Ec2Volume => ({
      ...volume,
      VolumeId,
      Tags: [{ Key: 'Name', Value }],
    });
    answerVolumes(named('a*c', mysqlVolume), named('abc', logsVolume));
    const found = await reads.volumesNamed(['a*c']);
    expect(found.map(({ volumeId }) => volumeId)).toEqual([mysqlVolume]);
  });

  it('asks for a backslash in a name as for any character', async () => {
    answerVolumes();
    await reads.volumesNamed(['a\\b']);
    expect(ec2).toHaveReceivedCommandExactlyOnceWith(DescribeVolumesCommand, {
      Filters: [{ Name: 'tag:Name', Values: ['a?b'] }],
    });
  });

  it('finds a cluster’s volumes, attached or only tagged, each once', async () => {
    const tagged: Ec2Volume = { ...volume, VolumeId: logsVolume };
    ec2
      .on(DescribeVolumesCommand, {
        Filters: [{ Name: 'attachment.instance-id', Values: [agent, otherAgent] }],
      })
      .resolves({ Volumes: [volume] });
    ec2
      .on(DescribeVolumesCommand, {
        Filters: [{ Name: 'tag:ebs-failover:cluster', Values: ['east'] }],
      })
      .resolves({ Volumes: [tagged, volume] });
    const found = await reads.volumesOfInstances([agent, otherAgent]);
    expect(found.map(({ volumeId }) => volumeId)).toEqual([mysqlVolume, logsVolume]);
  });

  const attached = (attachment: object): Ec2Volume => ({
    ...volume,
    Attachments: [{ ...volume.Attachments?.[0], ...attachment }],
  });
  it.each<[string, Ec2Volume, string]>([
    ['a new state', { ...volume, State: 'melting' as 'error' }, "'melting'"],
    ['a new attachment state', attached({ State: 'half' }), "'half'"],
    ['an attachment to nobody', attached({ InstanceId: undefined }), 'no attached instance'],
    ['an attachment without flag', attached({ DeleteOnTermination: undefined }), 'no DeleteOn'],
    ['no word on Multi-Attach', { ...volume, MultiAttachEnabled: undefined }, 'no MultiAttach'],
    ['no zone', { ...volume, AvailabilityZone: undefined }, 'no zone'],
  ] as [string, Ec2Volume, string][])('does not guess about %s', async (_case, strange, said) => {
    answerVolumes(strange);
    await expect(reads.volumesOf(agent)).rejects.toMatchObject({
      name: 'CloudUnavailableError',
      message: expect.stringContaining(said),
    });
  });

  it('does not answer the first page when the second fails', async () => {
    ec2
      .on(DescribeVolumesCommand)
      .resolvesOnce({ Volumes: [volume], NextToken: 'two' })
      .rejectsOnce(awsError('RequestLimitExceeded', 'slow down', 503));
    await expect(reads.volumesOf(agent)).rejects.toMatchObject({ name: 'CloudThrottledError' });
  });
});

describe('reading the condition of volumes', () => {
  const status = (VolumeId: string, Status: VolumeStatusInfoStatus = 'ok') => ({
    VolumeId,
    VolumeStatus: { Status },
  });

  it('tells stopped I/O and a modification under way, and nothing of what is past', async () => {
    ec2.on(DescribeVolumeStatusCommand).resolves({
      VolumeStatuses: [status(mysqlVolume, 'impaired'), status(logsVolume)],
    });
    ec2.on(DescribeVolumesModificationsCommand).resolves({
      VolumesModifications: [
        { VolumeId: mysqlVolume, ModificationState: 'optimizing' },
        { VolumeId: logsVolume, ModificationState: 'modifying' },
      ],
    });
    expect(await reads.volumeConditions([mysqlVolume, logsVolume])).toEqual([
      { volumeId: mysqlVolume, io: 'impaired', modifying: false },
      { volumeId: logsVolume, io: 'ok', modifying: true },
    ]);
  });

  it('asks for each by itself when EC2 does not know one of them', async () => {
    ec2.on(DescribeVolumesModificationsCommand).resolves({});
    ec2
      .on(DescribeVolumeStatusCommand)
      .rejects(awsError('InvalidVolume.NotFound'))
      .on(DescribeVolumeStatusCommand, { VolumeIds: [mysqlVolume] })
      .resolves({ VolumeStatuses: [status(mysqlVolume)] });
    expect(await reads.volumeConditions([mysqlVolume, logsVolume])).toEqual([
      { volumeId: mysqlVolume, io: 'ok', modifying: false },
    ]);
  });

  it('asks nothing about nothing: without ids EC2 tells of all', async () => {
    expect(await reads.volumeConditions([])).toEqual([]);
    expect(ec2.calls()).toEqual([]);
  });
});

describe('a volume of an AWS service', () => {
  it('is told with its manager, and an encrypted one with its key', async () => {
    answerVolumes({ ...volume, Operator: { Managed: true, Principal: 'eks' }, KmsKeyId: 'key-1' });
    expect(await reads.volumes([mysqlVolume])).toMatchObject([
      { managedBy: 'eks', kmsKeyId: 'key-1' },
    ]);
  });
});
