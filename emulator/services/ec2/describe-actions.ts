import type { Rng } from '../../core/random.ts';
import type { QueryParams, XmlElement } from '../query-protocol.ts';
import type { Action } from './action.ts';
import { onEverything, refuse } from './action.ts';
import {
  instanceFilters,
  instanceTypeView,
  reservationView,
  snapshotView,
  statusFilters,
  statusView,
  volumeFilters,
  volumeView,
} from './describe.ts';
import type { FilterFields } from './filters.ts';
import { filterOf, paginate } from './filters.ts';
import type { Instance, Snapshot, Volume } from './model.ts';
import { hypervisorOf } from './model.ts';
import {
  type SpotInstance,
  spotInstance,
  spotInstances,
  spotRequestFilters,
  spotRequestView,
} from './spot-requests.ts';
import {
  modificationFilters,
  modificationView,
  volumeStatusFilters,
  volumeStatusView,
} from './volume-condition.ts';
import type { World } from './world.ts';

/** What one Describe action reads, and how it tells it. */
interface Listing<T> {
  /** The name of the answer's list. */
  name: string;
  view: (item: T) => XmlElement;
  all: () => T[];
  /** The request's id list, its name in EC2's refusal of MaxResults, and the lookup. */
  ids?: { field: string; set: string; find: (id: string) => T };
  /** What the request leaves out before anything is filtered or paged. */
  shown?: (params: QueryParams) => (item: T) => boolean;
  /** Throws where the request as such cannot be answered at this time. */
  answers?: (params: QueryParams, named: readonly string[]) => void;
  fields: FilterFields<T>;
  tagsOf: (item: T) => Record<string, string>;
}

/** The named items, each of which must exist, or all of them; filtered; one page. */
const describeAction = <T>(
  listing: Listing<T>,
  draws: { orders: Rng; nonces: Rng },
  { faults }: World,
): Action => ({
  resources: onEverything,
  apply(params) {
    const { ids, all, name } = listing;
    const matches = filterOf(params, listing.fields, listing.tagsOf);
    const shown = listing.shown?.(params) ?? (() => true);
    const named = ids === undefined ? [] : [...new Set(params.list(ids.field))];
    if (named.length > 0 && params.text('MaxResults') !== undefined) {
      const message = `The parameter ${ids?.set} cannot be used with the parameter maxResults`;
      refuse('InvalidParameterCombination', message);
    }
    listing.answers?.(params, named);
    const items = ids !== undefined && named.length > 0 ? named.map(ids.find) : all();
    const page = paginate(
      params,
      items.filter((item) => shown(item) && matches(item)),
      draws,
      // The ids of a request are no list that could be cut.
      named.length > 0 ? undefined : faults.paging?.(),
    );
    return { [name]: page.items.map(listing.view), nextToken: page.nextToken };
  },
});

interface TagRow {
  resourceId: string;
  resourceType: 'instance' | 'volume' | 'snapshot';
  key: string;
  value: string;
}

const tagRows = (world: World): TagRow[] => {
  const rowsOf = (
    resourceType: TagRow['resourceType'],
    resourceId: string,
    tags: Record<string, string>,
  ): TagRow[] =>
    Object.entries(tags).map(([key, value]) => ({ resourceId, resourceType, key, value }));
  return [
    ...[...world.instances.values()].flatMap((i) => rowsOf('instance', i.instanceId, i.tags)),
    ...[...world.volumes.values()].flatMap((v) => rowsOf('volume', v.volumeId, v.tags)),
    ...[...world.snapshots.values()].flatMap((s) => rowsOf('snapshot', s.snapshotId, s.tags)),
  ];
};

const tagsOf = ({ tags }: { tags: Record<string, string> }): Record<string, string> => tags;

/**
 * In a disruption of a zone the call fails if it names ids in that zone or no ids at all (API
 * reference, DescribeInstances); naming ids of other zones only works.
 */
const answersInDisruption =
  (world: World): NonNullable<Listing<Instance>['answers']> =>
  (params, named) => {
    const filtered = params.text('Filter.1.Name') !== undefined;
    const zones = named.map((id) => world.instances.get(id)?.availabilityZone);
    for (const [zone, { filteredReads }] of world.lostZones) {
      const unnamed = named.length === 0 && !(filtered && filteredReads === 'answer');
      if (unnamed || zones.includes(zone)) {
        refuse('Unavailable', 'The service is unavailable at this time. Please try again.');
      }
    }
  };

const instances = (world: World): Listing<Instance> => ({
  name: 'reservationSet',
  view: (instance) => reservationView(world, instance),
  all: () => [...world.instances.values()].filter(({ visible }) => visible),
  ids: { field: 'InstanceId', set: 'instancesSet', find: (id) => world.instance(id) },
  fields: instanceFilters(world),
  tagsOf,
});

/** Running instances only, unless all are asked for; at most 100 by name. */
const instanceStatus = (world: World): Listing<Instance> => ({
  ...instances(world),
  name: 'instanceStatusSet',
  view: statusView,
  shown(params) {
    if (params.list('InstanceId').length > 100) {
      refuse('InvalidParameterValue', 'At most 100 instance IDs can be specified');
    }
    const includeAll = params.flag('IncludeAllInstances') ?? false;
    return ({ state }) => includeAll || state === 'running';
  },
  fields: statusFilters,
});

const volumes = (world: World): Listing<Volume> => ({
  name: 'volumeSet',
  view: volumeView,
  all: () => [...world.volumes.values()].filter(({ state }) => state !== 'deleted'),
  ids: { field: 'VolumeId', set: 'volumeSet', find: (id) => world.volume(id) },
  fields: volumeFilters,
  tagsOf,
});

const volumeStatus = (world: World): Listing<Volume> => ({
  ...volumes(world),
  name: 'volumeStatusSet',
  view: volumeStatusView,
  fields: volumeStatusFilters,
});

const modifications = (world: World): Listing<Volume> => ({
  ...volumes(world),
  name: 'volumeModificationSet',
  view: modificationView,
  shown:
    () =>
    ({ modification }) =>
      modification !== undefined,
  fields: modificationFilters,
});

const snapshots = (world: World): Listing<Snapshot> => ({
  name: 'snapshotSet',
  view: (snapshot) => snapshotView(snapshot, world.account),
  all: () => [...world.snapshots.values()],
  ids: { field: 'SnapshotId', set: 'snapshotSet', find: (id) => world.snapshot(id) },
  fields: {
    'snapshot-id': ({ snapshotId }) => [snapshotId],
    'volume-id': ({ volumeId }) => [volumeId],
  },
  tagsOf,
});

const tags = (world: World): Listing<TagRow> => ({
  name: 'tagSet',
  view: (row) => ({ ...row }),
  all: () => tagRows(world),
  fields: {
    key: ({ key }) => [key],
    value: ({ value }) => [value],
    'resource-id': ({ resourceId }) => [resourceId],
    'resource-type': ({ resourceType }) => [resourceType],
  },
  tagsOf: ({ key, value }) => ({ [key]: value }),
});

/** Any well-formed type is known; without a name, those in use. */
const instanceTypes = (world: World): Listing<string> => ({
  name: 'instanceTypeSet',
  view: instanceTypeView,
  all: () => [...new Set([...world.instances.values()].map(({ instanceType }) => instanceType))],
  ids: {
    field: 'InstanceType',
    set: 'instanceTypeSet',
    find(type) {
      if (/^[a-z0-9-]+\.[a-z0-9-]+$/.test(type)) return type;
      const message = 'The following supplied instance types do not exist:';
      return refuse('InvalidInstanceType', `${message} [${type}]`);
    },
  },
  fields: {
    'instance-type': (type) => [type],
    hypervisor: (type) => [hypervisorOf(type)],
  },
  tagsOf: () => ({}),
});

const spotRequests = (world: World): Listing<SpotInstance> => ({
  name: 'spotInstanceRequestSet',
  view: spotRequestView,
  all: () => spotInstances(world),
  ids: {
    field: 'SpotInstanceRequestId',
    set: 'spotInstanceRequestIds',
    find: (id) => spotInstance(world, id),
  },
  fields: spotRequestFilters,
  // Its own tags, of which it has none here.
  tagsOf: () => ({}),
});

/** The reads. All are shuffled and paged; none knows resource-level rights. */
export const createDescribeActions = (world: World): Record<string, Action> => {
  const draws = { orders: world.rng('describe-order'), nonces: world.rng('page-nonces') };
  return {
    DescribeInstances: describeAction(
      { ...instances(world), answers: answersInDisruption(world) },
      draws,
      world,
    ),
    DescribeInstanceStatus: describeAction(instanceStatus(world), draws, world),
    DescribeInstanceTypes: describeAction(instanceTypes(world), draws, world),
    DescribeSnapshots: describeAction(snapshots(world), draws, world),
    DescribeSpotInstanceRequests: describeAction(spotRequests(world), draws, world),
    DescribeTags: describeAction(tags(world), draws, world),
    DescribeVolumes: describeAction(volumes(world), draws, world),
    DescribeVolumesModifications: describeAction(modifications(world), draws, world),
    DescribeVolumeStatus: describeAction(volumeStatus(world), draws, world),
  };
};
