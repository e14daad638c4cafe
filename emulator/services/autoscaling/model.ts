import { QueryRefusal } from '../query-protocol.ts';

/** Where a member is in its life (API reference, LifecycleState; hooks are not modelled). */
export type LifecycleState =
  | 'Pending'
  | 'InService'
  | 'EnteringStandby'
  | 'Standby'
  | 'Terminating';

export interface Member {
  instanceId: string;
  availabilityZone: string;
  lifecycle: LifecycleState;
  health: 'Healthy' | 'Unhealthy';
}

export const PROCESSES = [
  'Launch',
  'Terminate',
  'AddToLoadBalancer',
  'AlarmNotification',
  'AZRebalance',
  'HealthCheck',
  'InstanceRefresh',
  'ReplaceUnhealthy',
  'ScheduledActions',
] as const;
export type Process = (typeof PROCESSES)[number];

export interface Group {
  name: string;
  arn: string;
  minSize: number;
  maxSize: number;
  desired: number;
  availabilityZones: string[];
  /** Written on every instance the group launches. */
  tags: Record<string, string>;
  instanceType: string;
  /** How long a member may be impaired before it counts as unhealthy. */
  impairedGraceMs: number;
  members: Map<string, Member>;
  suspended: Set<Process>;
  createdTime: number;
}

export interface Activity {
  activityId: string;
  group: Group;
  description: string;
  cause: string;
  startTime: number;
}

/** Almost everything Auto Scaling refuses is a `ValidationError`; only the text differs. */
export const refuse = (message: string): never => {
  throw new QueryRefusal('ValidationError', message);
};

/** Members the desired capacity counts. */
export const activeMembers = ({ members }: Group): Member[] =>
  [...members.values()].filter(
    ({ lifecycle }) => lifecycle === 'Pending' || lifecycle === 'InService',
  );
