import { Ec2Refusal } from '../../core/machines.ts';
import type { Time } from '../../core/time.ts';
import type { QueryParams } from '../query-protocol.ts';

/** A token bucket: how many calls at once, and how many a second in the long run. */
interface Limit {
  burst: number;
  perSecond: number;
}

/**
 * Documented defaults, per account, region and API action (EC2 User Guide, "Request throttling for
 * the Amazon EC2 API"). Actions that are not listed draw from no bucket here.
 */
const FILTERED: Limit = { burst: 100, perSecond: 20 };
const UNFILTERED: Limit = { burst: 50, perSecond: 10 };
const MUTATING: Limit = { burst: 50, perSecond: 5 };
const REQUESTS: Record<string, Limit> = {
  StopInstances: { burst: 50, perSecond: 5 },
  TerminateInstances: { burst: 100, perSecond: 5 },
  StartInstances: { burst: 5, perSecond: 2 },
  RunInstances: { burst: 5, perSecond: 2 },
  DetachVolume: MUTATING,
  AttachVolume: MUTATING,
  ModifyInstanceAttribute: MUTATING,
  ModifyInstanceMaintenanceOptions: MUTATING,
  RebootInstances: MUTATING,
  CreateVolume: { burst: 100, perSecond: 5 },
  DeleteVolume: { burst: 100, perSecond: 5 },
  CreateSnapshot: { burst: 100, perSecond: 5 },
  CreateTags: { burst: 100, perSecond: 10 },
  DeleteTags: { burst: 100, perSecond: 10 },
};

/** Beside the request each named instance costs a token of its own. */
const RESOURCES: Record<string, Limit> = {
  StopInstances: { burst: 1000, perSecond: 20 },
  TerminateInstances: { burst: 1000, perSecond: 20 },
  StartInstances: { burst: 1000, perSecond: 2 },
};

const PAGED = [
  'DescribeInstances',
  'DescribeInstanceStatus',
  'DescribeVolumes',
  // Not in the table; taken to be like the others.
  'DescribeVolumeStatus',
  'DescribeVolumesModifications',
];

interface Draw {
  bucket: string;
  limit: Limit;
  tokens: number;
}

const drawsOf = (api: string, params: QueryParams | undefined): Draw[] => {
  if (PAGED.includes(api)) {
    const narrowed =
      params?.text('MaxResults') !== undefined || params?.text('Filter.1.Name') !== undefined;
    const limit = narrowed ? FILTERED : UNFILTERED;
    return [{ bucket: narrowed ? `${api} filtered` : api, limit, tokens: 1 }];
  }
  const request = REQUESTS[api];
  const resource = RESOURCES[api];
  return [
    ...(request === undefined ? [] : [{ bucket: api, limit: request, tokens: 1 }]),
    ...(resource === undefined
      ? []
      : [
          {
            bucket: `${api} resources`,
            limit: resource,
            tokens: params?.list('InstanceId').length ?? 1,
          },
        ]),
  ];
};

export interface Throttle {
  /**
   * One call of anybody in the account. Throws `Ec2Refusal('RequestLimitExceeded')` when a bucket
   * is empty; then nothing is drawn.
   */
  admit(api: string, params?: QueryParams): void;
  /**
   * The share of every bucket, 0 to 1, that others in the account use up from now on: their calls
   * are not played, only missed.
   */
  background(share: number): void;
}

export const createThrottle = (time: Time): Throttle => {
  const levels = new Map<string, { tokens: number; at: number }>();
  let share = 0;

  const levelOf = ({ bucket, limit }: Draw): number => {
    const most = limit.burst * (1 - share);
    const { tokens, at } = levels.get(bucket) ?? { tokens: most, at: time.now() };
    const gained = ((time.now() - at) / 1000) * limit.perSecond * (1 - share);
    return Math.min(most, tokens + gained);
  };

  return {
    admit(api, params) {
      const draws = drawsOf(api, params);
      const levelsNow = draws.map(levelOf);
      if (draws.some(({ tokens }, index) => (levelsNow[index] ?? 0) < tokens)) {
        throw new Ec2Refusal('RequestLimitExceeded', 'Request limit exceeded.');
      }
      for (const [index, { bucket, tokens }] of draws.entries()) {
        levels.set(bucket, { tokens: (levelsNow[index] ?? 0) - tokens, at: time.now() });
      }
    },
    background(next) {
      if (!(next >= 0 && next < 1)) throw new RangeError(`${next} is no share of a bucket`);
      share = next;
    },
  };
};
