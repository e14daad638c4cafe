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
import { hypervisorOf } from './model.ts';
import type { World } from './world.ts';

interface TagRow {
  resourceId: string;
  resourceType: 'instance' | 'volume' | 'snapshot';
  key: string;
  value: string;
}

const TAG_FILTERS: FilterFields<TagRow> = {
  key: ({ key }) => [key],
  value: ({ value }) => [value],
  'resource-id': ({ resourceId }) => [resourceId],
  'resource-type': ({ resourceType }) => [resourceType],
};

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

/** The reads. All are shuffled and paged; none knows resource-level rights. */
export const createDescribeActions = (world: World): Record<string, Action> => {
  const orders = world.rng('describe-order');
  const nonces = world.rng('page-nonces');

  /** The named items (each must exist) or all of them, filtered, as one page. */
  const read = <T>(
    params: QueryParams,
    source: {
      /** The request's id list and its name in the refusal EC2 gives with MaxResults. */
      ids?: { field: string; set: string; find: (id: string) => T };
      all: () => T[];
      /** Left out before anything is filtered or paged. */
      shown?: (item: T) => boolean;
      fields: FilterFields<T>;
      tagsOf: (item: T) => Record<string, string>;
    },
    view: (item: T) => XmlElement,
    listName: string,
  ): XmlElement => {
    const matches = filterOf(params, source.fields, source.tagsOf);
    const named = source.ids ? params.list(source.ids.field) : [];
    if (named.length > 0 && params.text('MaxResults') !== undefined) {
      const message = `The parameter ${source.ids?.set} cannot be used with the parameter maxResults`;
      refuse('InvalidParameterCombination', message);
    }
    const { ids } = source;
    const items = ids && named.length > 0 ? [...new Set(named)].map(ids.find) : source.all();
    const page = paginate(
      params,
      items.filter((item) => (source.shown?.(item) ?? true) && matches(item)),
      (nonce) => orders.fork(nonce),
      () => nonces.hex(12),
    );
    return { [listName]: page.items.map(view), nextToken: page.nextToken };
  };

  const visible = () => [...world.instances.values()].filter((instance) => instance.visible);
  const byInstanceId = {
    field: 'InstanceId',
    set: 'instancesSet',
    find: (id: string) => world.instance(id),
  };

  return {
    DescribeInstances: {
      resources: onEverything,
      apply: (params) =>
        read(
          params,
          {
            ids: byInstanceId,
            all: visible,
            fields: instanceFilters(world),
            tagsOf: ({ tags }) => tags,
          },
          (instance) => reservationView(world, instance),
          'reservationSet',
        ),
    },
    DescribeInstanceStatus: {
      resources: onEverything,
      apply(params) {
        if (params.list('InstanceId').length > 100) {
          refuse('InvalidParameterValue', 'At most 100 instance IDs can be specified');
        }
        const includeAll = params.flag('IncludeAllInstances') ?? false;
        return read(
          params,
          {
            ids: byInstanceId,
            all: visible,
            shown: ({ state }) => includeAll || state === 'running',
            fields: statusFilters,
            tagsOf: ({ tags }) => tags,
          },
          statusView,
          'instanceStatusSet',
        );
      },
    },
    DescribeVolumes: {
      resources: onEverything,
      apply: (params) =>
        read(
          params,
          {
            ids: { field: 'VolumeId', set: 'volumeSet', find: (id) => world.volume(id) },
            all: () => [...world.volumes.values()].filter(({ state }) => state !== 'deleted'),
            fields: volumeFilters,
            tagsOf: ({ tags }) => tags,
          },
          volumeView,
          'volumeSet',
        ),
    },
    DescribeSnapshots: {
      resources: onEverything,
      apply: (params) =>
        read(
          params,
          {
            all: () => {
              const named = params.list('SnapshotId');
              const all = [...world.snapshots.values()];
              return named.length === 0
                ? all
                : all.filter(({ snapshotId }) => named.includes(snapshotId));
            },
            fields: {
              'snapshot-id': ({ snapshotId }) => [snapshotId],
              'volume-id': ({ volumeId }) => [volumeId],
              status: () => ['completed'],
            },
            tagsOf: ({ tags }) => tags,
          },
          (snapshot) => snapshotView(snapshot, world.account),
          'snapshotSet',
        ),
    },
    DescribeTags: {
      resources: onEverything,
      apply: (params) =>
        read(
          params,
          {
            all: () => tagRows(world),
            fields: TAG_FILTERS,
            tagsOf: ({ key, value }) => ({ [key]: value }),
          },
          (row) => ({ ...row }),
          'tagSet',
        ),
    },
    DescribeInstanceTypes: {
      resources: onEverything,
      apply: (params) => {
        const types = params.list('InstanceType');
        const bad = types.filter((type) => !/^[a-z0-9-]+\.[a-z0-9-]+$/.test(type));
        if (bad.length > 0) {
          const message = 'The following supplied instance types do not exist:';
          refuse('InvalidInstanceType', `${message} [${bad.join(', ')}]`);
        }
        const inUse = [...world.instances.values()].map(({ instanceType }) => instanceType);
        return read(
          params,
          {
            all: () => [...new Set(types.length > 0 ? types : inUse)],
            fields: {
              'instance-type': (type) => [type],
              hypervisor: (type) => [hypervisorOf(type)],
            },
            tagsOf: () => ({}),
          },
          instanceTypeView,
          'instanceTypeSet',
        );
      },
    },
  };
};
