import { QueryRefusal } from '../query-protocol.ts';

/** Where a member is in its life (API reference, LifecycleState); `Wait` while a hook holds it. */
export type LifecycleState =
  | 'Pending'
  | 'Pending:Wait'
  | 'Pending:Proceed'
  | 'InService'
  | 'EnteringStandby'
  | 'Standby'
  | 'Terminating'
  | 'Terminating:Wait'
  | 'Terminating:Proceed';

export interface Member {
  instanceId: string;
  availabilityZone: string;
  lifecycle: LifecycleState;
  health: 'Healthy' | 'Unhealthy';
  /** Since when it is in service, epoch ms; none while it is on its way there. */
  inServiceSince?: number;
}

export type Transition =
  | 'autoscaling:EC2_INSTANCE_LAUNCHING'
  | 'autoscaling:EC2_INSTANCE_TERMINATING';
export type HookResult = 'CONTINUE' | 'ABANDON';

/** A pause of the group's own doing, for whoever has to do something first (PutLifecycleHook). */
export interface Hook {
  name: string;
  transition: Transition;
  /** How long an action waits without a sign of life, ms. */
  heartbeatTimeoutMs: number;
  /** What happens when that is over. */
  defaultResult: HookResult;
  notificationMetadata: string | undefined;
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
  /** By name. */
  hooks: Map<string, Hook>;
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
    ({ lifecycle }) => lifecycle.startsWith('Pending') || lifecycle === 'InService',
  );
