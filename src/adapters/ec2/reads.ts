import {
  DescribeInstanceStatusCommand,
  DescribeInstancesCommand,
  DescribeVolumeStatusCommand,
  DescribeVolumesCommand,
  DescribeVolumesModificationsCommand,
  type EC2Client,
  type Filter,
  type InstanceStatus,
  type VolumeModification,
  type VolumeStatusItem,
} from '@aws-sdk/client-ec2';
import { CloudUnavailableError } from '../../domain/errors.ts';
import type { InstanceId, VolumeId } from '../../domain/ids.ts';
import {
  type Instance,
  type StatusChecks,
  type Tag,
  tagValue,
  type Volume,
  type VolumeCondition,
} from '../../domain/machine.ts';
import type { ComputeReads } from '../../ports/compute.ts';
import { allPages, reading } from '../aws-sdk/calls.ts';
import { parseEvents, parseInstance, parseStatusChecks, parseVolume } from './parse.ts';

/** EC2 accepts at most 200 values in the filters of one request. */
const filterValuesMax = 200;
const pageSize = { instances: 1_000, statuses: 1_000, volumes: 500 } as const;

const inChunks = <T>(items: readonly T[]): T[][] => {
  const chunks: T[][] = [];
  for (let start = 0; start < items.length; start += filterValuesMax) {
    chunks.push(items.slice(start, start + filterValuesMax));
  }
  return chunks;
};

/** Items that move between two pages are answered twice: the later answer is the fresher one. */
const latestById = <T>(items: readonly T[], idOf: (item: T) => string): T[] => [
  ...new Map(items.map((item) => [idOf(item), item])).values(),
];

const readingsMax = 4;

/**
 * A list of several pages may miss an item, or show one that is gone, because things move while it
 * is read: it is read until two readings in a row name the same. Throws CloudUnavailableError if
 * they never do.
 */
const agreed = async <Page extends { readonly NextToken?: string | undefined }, T>(
  operation: string,
  fetchPage: (nextToken: string | undefined) => Promise<Page>,
  itemsOf: (page: Page) => T[],
  idOf: (item: T) => string,
): Promise<T[]> => {
  let before: string | undefined;
  for (let reading = 0; reading < readingsMax; reading += 1) {
    const pages = await allPages(operation, fetchPage);
    const items = latestById(pages.flatMap(itemsOf), idOf);
    const names = items.map(idOf).sort().join(' ');
    if (pages.length === 1 || names === before) return items;
    before = names;
  }
  throw new CloudUnavailableError(operation, `${readingsMax} readings of the list disagree`);
};

const tagFilter = ({ key, value }: Tag): Filter => ({ Name: `tag:${key}`, Values: [value] });

/**
 * Reads go by filters, not by explicit ids: filters with MaxResults draw from the larger request
 * bucket, and what EC2 does not know is an empty answer instead of an error about all the ids.
 */
const findInstances = (client: EC2Client, filter: Filter): Promise<Instance[]> =>
  agreed(
    'DescribeInstances',
    (NextToken) =>
      client.send(
        new DescribeInstancesCommand({
          Filters: [filter],
          MaxResults: pageSize.instances,
          NextToken,
        }),
      ),
    ({ Reservations = [] }) =>
      Reservations.flatMap(({ Instances = [] }) => Instances).map(parseInstance),
    ({ instanceId }) => instanceId,
  );

const findVolumes = (client: EC2Client, filter: Filter): Promise<Volume[]> =>
  agreed(
    'DescribeVolumes',
    (NextToken) =>
      client.send(
        new DescribeVolumesCommand({ Filters: [filter], MaxResults: pageSize.volumes, NextToken }),
      ),
    ({ Volumes = [] }) => Volumes.map(parseVolume),
    ({ volumeId }) => volumeId,
  );

/** One request per 200 values; no values, no request: an empty filter would mean "everything". */
const findVolumesBy = async (
  client: EC2Client,
  name: string,
  values: readonly string[],
): Promise<Volume[]> => {
  const chunks = inChunks(values).map((Values) =>
    findVolumes(client, { Name: name, Values: [...Values] }),
  );
  return latestById((await Promise.all(chunks)).flat(), (volume) => volume.volumeId);
};

const checksById = (statuses: readonly InstanceStatus[]): Map<InstanceId, StatusChecks> =>
  new Map(
    statuses.flatMap((status) =>
      status.InstanceId === undefined
        ? []
        : [[status.InstanceId as InstanceId, parseStatusChecks(status)] as const],
    ),
  );

/**
 * DescribeInstanceStatus knows no filter by id. One id is asked for as such; EC2 answers an error
 * instead of an empty list for one it has forgotten.
 */
const statusOf = async (client: EC2Client, id: InstanceId): Promise<InstanceStatus[]> => {
  const answer = await reading(
    'DescribeInstanceStatus',
    () => client.send(new DescribeInstanceStatusCommand({ InstanceIds: [id] })),
    ({ code }) => (code === 'InvalidInstanceID.NotFound' ? 'unknown' : undefined),
  );
  return answer === 'unknown' ? [] : (answer.InstanceStatuses ?? []);
};

/**
 * Many ids are not: explicit ids exclude paging, are limited to 100 and fail all together when EC2
 * has forgotten one of them. So: every running instance of the region, in pages.
 */
const statusesOfRunning = (client: EC2Client): Promise<InstanceStatus[]> =>
  agreed(
    'DescribeInstanceStatus',
    (NextToken) =>
      client.send(
        new DescribeInstanceStatusCommand({
          Filters: [{ Name: 'instance-state-name', Values: ['running'] }],
          MaxResults: pageSize.statuses,
          NextToken,
        }),
      ),
    ({ InstanceStatuses = [] }) => InstanceStatuses,
    ({ InstanceId = '' }) => InstanceId,
  );

/** A request names the volumes, and fails for all of them if EC2 does not know one. */
const volumeStatuses = async (
  client: EC2Client,
  volumeIds: readonly VolumeId[],
): Promise<VolumeStatusItem[]> => {
  const answer = await reading(
    'DescribeVolumeStatus',
    () => client.send(new DescribeVolumeStatusCommand({ VolumeIds: [...volumeIds] })),
    ({ code }) => (code === 'InvalidVolume.NotFound' ? 'unknown' : undefined),
  );
  if (answer !== 'unknown') return answer.VolumeStatuses ?? [];
  if (volumeIds.length === 1) return [];
  const each = volumeIds.map((volumeId) => volumeStatuses(client, [volumeId]));
  return (await Promise.all(each)).flat();
};

const modificationsOf = (
  client: EC2Client,
  volumeIds: readonly VolumeId[],
): Promise<VolumeModification[]> =>
  agreed(
    'DescribeVolumesModifications',
    (NextToken) =>
      client.send(
        new DescribeVolumesModificationsCommand({
          Filters: [{ Name: 'volume-id', Values: [...volumeIds] }],
          MaxResults: pageSize.volumes,
          NextToken,
        }),
      ),
    ({ VolumesModifications = [] }) => VolumesModifications,
    ({ VolumeId = '' }) => VolumeId,
  );

const volumeConditions = async (
  client: EC2Client,
  volumeIds: readonly VolumeId[],
): Promise<VolumeCondition[]> => {
  const [statuses, modifications] = await Promise.all([
    volumeStatuses(client, volumeIds),
    modificationsOf(client, volumeIds),
  ]);
  const modifying = new Set(
    modifications.flatMap(({ VolumeId, ModificationState }) =>
      ModificationState === 'modifying' ? [VolumeId] : [],
    ),
  );
  return statuses.flatMap(({ VolumeId, VolumeStatus }) =>
    VolumeId === undefined
      ? []
      : [
          {
            volumeId: VolumeId as VolumeId,
            io: VolumeStatus?.Status === 'impaired' ? 'impaired' : 'ok',
            modifying: modifying.has(VolumeId),
          } as const,
        ],
  );
};

export interface Ec2ReadsDeps {
  readonly client: EC2Client;
  /** The tag that makes an instance or a volume part of this cluster. */
  readonly clusterTag: Tag;
}

/**
 * EC2's answers in the domain's words. Throws CloudThrottledError, CloudUnavailableError (no usable
 * answer, a field missing that matters), NotAuthorizedError, CloudRefusedError.
 */
export const createEc2Reads = ({ client, clusterTag }: Ec2ReadsDeps): ComputeReads => ({
  async instance(instanceId) {
    const found = await findInstances(client, { Name: 'instance-id', Values: [instanceId] });
    return found.find((instance) => instance.instanceId === instanceId);
  },

  async statusChecks(instanceId) {
    const checks = checksById(await statusOf(client, instanceId));
    return checks.get(instanceId);
  },

  volumesOf: (instanceId) => findVolumesBy(client, 'attachment.instance-id', [instanceId]),

  volumes: (volumeIds: readonly VolumeId[]) => findVolumesBy(client, 'volume-id', volumeIds),

  async volumeConditions(volumeIds) {
    // Without ids both reads would answer for every volume of the region.
    return volumeIds.length === 0 ? [] : volumeConditions(client, volumeIds);
  },

  async volumesNamed(names) {
    // Filter values are patterns. A wider match is harmless, because names are compared here.
    const patterns = names.map((name) => name.replaceAll('\\', '?'));
    const found = await findVolumesBy(client, 'tag:Name', patterns);
    return found.filter((volume) => names.includes(tagValue(volume.tags, 'Name') ?? ''));
  },

  instancesOfCluster: () => findInstances(client, tagFilter(clusterTag)),

  async volumesOfInstances(instanceIds) {
    const [attached, tagged] = await Promise.all([
      findVolumesBy(client, 'attachment.instance-id', instanceIds),
      findVolumes(client, tagFilter(clusterTag)),
    ]);
    return latestById([...attached, ...tagged], (volume) => volume.volumeId);
  },

  async statusChecksOf(instanceIds) {
    if (instanceIds.length === 0) return new Map();
    const wanted = new Set<string | undefined>(instanceIds);
    const statuses = await statusesOfRunning(client);
    return checksById(statuses.filter((status) => wanted.has(status.InstanceId)));
  },

  async scheduledEvents(instanceId) {
    const [status] = await statusOf(client, instanceId);
    return status === undefined ? [] : parseEvents(status);
  },
});
