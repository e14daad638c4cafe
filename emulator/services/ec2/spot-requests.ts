import { isoTime } from '../../core/time.ts';
import type { XmlElement } from '../query-protocol.ts';
import type { Action } from './action.ts';
import { refuse } from './action.ts';
import type { FilterFields } from './filters.ts';
import type { Instance, SpotRequest } from './model.ts';
import type { World } from './world.ts';

/** A machine and the request it was launched for: here every request has one. */
export type SpotInstance = Instance & { spot: SpotRequest };

const isSpot = (instance: Instance): instance is SpotInstance => instance.spot !== undefined;

/** Requests outlive the machines that have vanished from the API. */
export const spotInstances = (world: World): SpotInstance[] =>
  [...world.instances.values()].filter(isSpot);

/** Throws `InvalidSpotInstanceRequestID.NotFound`. */
export const spotInstance = (world: World, requestId: string): SpotInstance => {
  const found = spotInstances(world).find(({ spot }) => spot.requestId === requestId);
  if (found !== undefined) return found;
  const message = `The spot instance request ID '${requestId}' does not exist`;
  return refuse('InvalidSpotInstanceRequestID.NotFound', message);
};

export const spotRequestView = ({ spot, instanceId, ...instance }: SpotInstance): XmlElement => ({
  spotInstanceRequestId: spot.requestId,
  type: spot.type,
  state: spot.state,
  status: {
    code: spot.status,
    updateTime: isoTime(spot.statusTime),
    message: spot.status,
  },
  instanceId,
  createTime: isoTime(spot.createTime),
  productDescription: 'Linux/UNIX',
  launchedAvailabilityZone: instance.availabilityZone,
  instanceInterruptionBehavior: spot.type === 'persistent' ? 'stop' : 'terminate',
  tagSet: [],
});

export const spotRequestFilters: FilterFields<SpotInstance> = {
  'spot-instance-request-id': ({ spot }) => [spot.requestId],
  'instance-id': ({ instanceId }) => [instanceId],
  state: ({ spot }) => [spot.state],
  'status-code': ({ spot }) => [spot.status],
  type: ({ spot }) => [spot.type],
  'launched-availability-zone': ({ availabilityZone }) => [availabilityZone],
};

/**
 * CancelSpotInstanceRequests: the machine stays as it is, but nobody starts it any more once it is
 * stopped, and nobody can stop it (User Guide, "Cancel a Spot Instance request").
 */
export const createSpotActions = (world: World): Record<string, Action> => {
  return {
    CancelSpotInstanceRequests: {
      resources: (params) =>
        params.list('SpotInstanceRequestId').map((requestId) => {
          const { spot } = spotInstance(world, requestId);
          const kind = `spot-instances-request/${spot.requestId}`;
          return { arn: `arn:aws:ec2:${world.region}:${world.account}:${kind}`, tags: {} };
        }),
      apply(params) {
        const ids = params.list('SpotInstanceRequestId');
        if (ids.length === 0) {
          refuse(
            'MissingParameter',
            'The request must contain the parameter SpotInstanceRequestId',
          );
        }
        const cancelled = ids.map((requestId) => {
          const { spot, state } = spotInstance(world, requestId);
          if (spot.state !== 'closed') spot.state = 'cancelled';
          if (state === 'running') spot.status = 'request-canceled-and-instance-running';
          spot.statusTime = world.time.now();
          return { spotInstanceRequestId: spot.requestId, state: spot.state };
        });
        return { spotInstanceRequestSet: cancelled };
      },
    },
  };
};
