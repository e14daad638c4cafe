import { isoTime } from '../../core/time.ts';
import type { QueryParams, XmlElement } from '../query-protocol.ts';
import type { Groups } from './groups.ts';
import type { Activity, Group, Member, Process } from './model.ts';
import { PROCESSES, refuse } from './model.ts';

/** One API action; `group` is what rights are asked on, absent for the describes. */
export interface GroupAction {
  group?(params: QueryParams): Group;
  apply(params: QueryParams): XmlElement;
}

const memberView = (member: Member): XmlElement => ({
  InstanceId: member.instanceId,
  AvailabilityZone: member.availabilityZone,
  LifecycleState: member.lifecycle,
  HealthStatus: member.health,
  ProtectedFromScaleIn: false,
});

const groupView = (group: Group): XmlElement => ({
  AutoScalingGroupName: group.name,
  AutoScalingGroupARN: group.arn,
  MinSize: group.minSize,
  MaxSize: group.maxSize,
  DesiredCapacity: group.desired,
  DefaultCooldown: 300,
  AvailabilityZones: group.availabilityZones,
  HealthCheckType: 'EC2',
  HealthCheckGracePeriod: 0,
  Instances: [...group.members.values()].map(memberView),
  CreatedTime: isoTime(group.createdTime),
  SuspendedProcesses: [...group.suspended].map((ProcessName) => ({ ProcessName })),
  Tags: Object.entries(group.tags).map(([Key, Value]) => ({
    ResourceId: group.name,
    ResourceType: 'auto-scaling-group',
    Key,
    Value,
    PropagateAtLaunch: true,
  })),
});

const activityView = (activity: Activity): XmlElement => ({
  ActivityId: activity.activityId,
  AutoScalingGroupName: activity.group.name,
  Description: activity.description,
  Cause: activity.cause,
  StartTime: isoTime(activity.startTime),
  StatusCode: 'InProgress',
  Progress: 50,
});

const requireFlag = (params: QueryParams, name: string): boolean =>
  params.flag(name) ?? refuse(`1 validation error detected: Value null at '${name}'`);

const checkDecrement = (group: Group, count: number, verb: string): void => {
  if (group.desired - count >= group.minSize) return;
  const { name, minSize, maxSize, desired } = group;
  refuse(
    `AutoScalingGroup ${name} has min-size=${minSize}, max-size=${maxSize}, and ` +
      `desired-size=${desired}. To ${verb} ${count} instance(s), please update the ` +
      'AutoScalingGroup sizes appropriately.',
  );
};

const describeActions = (groups: Groups): Record<string, GroupAction> => ({
  DescribeAutoScalingGroups: {
    apply(params) {
      const names = params.list('AutoScalingGroupNames');
      const named = ({ name }: Group) => names.length === 0 || names.includes(name);
      return { AutoScalingGroups: groups.all().filter(named).map(groupView) };
    },
  },
  DescribeAutoScalingInstances: {
    apply(params) {
      const ids = params.list('InstanceIds');
      const named = ({ instanceId }: Member) => ids.length === 0 || ids.includes(instanceId);
      return {
        AutoScalingInstances: groups.all().flatMap((group) =>
          [...group.members.values()].filter(named).map((member) => ({
            ...memberView(member),
            AutoScalingGroupName: group.name,
            // Upper case here, unlike in DescribeAutoScalingGroups.
            HealthStatus: member.health.toUpperCase(),
          })),
        ),
      };
    },
  },
});

const standbyActions = (groups: Groups): Record<string, GroupAction> => {
  const group = (params: QueryParams) => groups.group(params.required('AutoScalingGroupName'));
  const membersIn = (params: QueryParams, states: Member['lifecycle'][]): Member[] =>
    params.list('InstanceIds').map((instanceId) => {
      const member = groups.member(group(params), instanceId);
      if (states.includes(member.lifecycle)) return member;
      return refuse(`The instance ${instanceId} is not in ${states.join(' or ')}.`);
    });
  const decrementOf = (params: QueryParams, count: number, verb: string): boolean => {
    const decrement = requireFlag(params, 'ShouldDecrementDesiredCapacity');
    if (decrement) checkDecrement(group(params), count, verb);
    return decrement;
  };
  return {
    EnterStandby: {
      group,
      apply(params) {
        const members = membersIn(params, ['InService']);
        const decrement = decrementOf(params, members.length, 'place into standby');
        const activities = groups.enterStandby(group(params), members, decrement);
        return { Activities: activities.map(activityView) };
      },
    },
    ExitStandby: {
      group,
      apply(params) {
        const target = group(params);
        const members = membersIn(params, ['Standby']);
        if (target.desired + members.length > target.maxSize) {
          const size = `max-size=${target.maxSize}, and desired-size=${target.desired}`;
          refuse(`AutoScalingGroup ${target.name} has ${size}. No instance can leave standby.`);
        }
        return { Activities: groups.exitStandby(target, members).map(activityView) };
      },
    },
    DetachInstances: {
      group,
      apply(params) {
        const members = membersIn(params, ['InService', 'Standby']);
        const decrement = decrementOf(params, members.length, 'detach');
        return { Activities: groups.detach(group(params), members, decrement).map(activityView) };
      },
    },
  };
};

const capacityActions = (groups: Groups): Record<string, GroupAction> => {
  const group = (params: QueryParams) => groups.group(params.required('AutoScalingGroupName'));
  const holder = (params: QueryParams): Group => {
    const instanceId = params.required('InstanceId');
    const message = 'Instance Id not found - No managed instance found for instance ID';
    return groups.groupOf(instanceId) ?? refuse(`${message} ${instanceId}`);
  };
  const processesOf = (params: QueryParams): Process[] => {
    const named = params.list('ScalingProcesses');
    const known = PROCESSES.filter((process) => named.includes(process));
    if (known.length < named.length) refuse('The process names given are not all valid.');
    return named.length === 0 ? [...PROCESSES] : known;
  };
  return {
    SuspendProcesses: {
      group,
      apply(params) {
        for (const process of processesOf(params)) group(params).suspended.add(process);
        return {};
      },
    },
    ResumeProcesses: {
      group,
      apply(params) {
        for (const process of processesOf(params)) group(params).suspended.delete(process);
        return {};
      },
    },
    SetDesiredCapacity: {
      group,
      apply(params) {
        const target = group(params);
        const desired = params.integer('DesiredCapacity') ?? refuse('DesiredCapacity is missing');
        const { name, minSize, maxSize } = target;
        const text = `New SetDesiredCapacity value ${desired} is`;
        if (desired > maxSize) {
          refuse(`${text} above max value ${maxSize} for the AutoScalingGroup ${name}.`);
        }
        if (desired < minSize) {
          refuse(`${text} below min value ${minSize} for the AutoScalingGroup ${name}.`);
        }
        groups.setDesired(target, desired);
        return {};
      },
    },
    TerminateInstanceInAutoScalingGroup: {
      group: holder,
      apply(params) {
        const target = holder(params);
        const member = groups.member(target, params.required('InstanceId'));
        const decrement = requireFlag(params, 'ShouldDecrementDesiredCapacity');
        if (decrement) {
          checkDecrement(target, 1, 'terminate');
          target.desired -= 1;
        }
        return { Activity: activityView(groups.terminate(target, member, 'A user request.')) };
      },
    },
  };
};

export const createGroupActions = (groups: Groups): Record<string, GroupAction> => ({
  ...describeActions(groups),
  ...standbyActions(groups),
  ...capacityActions(groups),
});
