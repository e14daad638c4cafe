import {
  type AutoScalingClient,
  DescribeAutoScalingGroupsCommand,
  DescribeAutoScalingInstancesCommand,
  EnterStandbyCommand,
  ExitStandbyCommand,
  ResumeProcessesCommand,
  SuspendProcessesCommand,
} from '@aws-sdk/client-auto-scaling';
import { CloudUnavailableError } from '../../domain/errors.ts';
import type { AutoScaling, StandbyAnswer } from '../../ports/auto-scaling.ts';
import { type AnswerTo, changing, reading, receiptOf } from '../aws-sdk/calls.ts';

/** Auto Scaling replaces members that are not running: the one process that works against us. */
const replacement = ['ReplaceUnhealthy'];

/** The instance is not in the right state, or another change of its group is under way. */
const refusals = ['ValidationError', 'ResourceContention', 'ScalingActivityInProgress'];

const refused: AnswerTo<StandbyAnswer> = ({ code }) =>
  refusals.includes(code) ? { kind: 'refused', code } : undefined;

const groupNamed = async (client: AutoScalingClient, name: string) => {
  const operation = 'DescribeAutoScalingGroups';
  const answer = await reading(operation, () =>
    client.send(new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [name] })),
  );
  const group = answer.AutoScalingGroups?.find((each) => each.AutoScalingGroupName === name);
  const { DesiredCapacity: desired, MinSize: min, SuspendedProcesses: suspended } = group ?? {};
  if (desired === undefined || min === undefined) {
    // A member of a group that is not listed: the two answers are not of the same moment.
    throw new CloudUnavailableError(operation, `unreadable answer: no sizes of group ${name}`);
  }
  const suspendedProcesses = (suspended ?? []).flatMap(({ ProcessName }) => ProcessName ?? []);
  return { desired, min, suspendedProcesses };
};

/** Throws the domain's cloud errors; what a group may well refuse is a value. */
export const createAutoScaling = ({
  client,
}: {
  readonly client: AutoScalingClient;
}): AutoScaling => ({
  async membership(instanceId) {
    const operation = 'DescribeAutoScalingInstances';
    const answer = await reading(operation, () =>
      client.send(new DescribeAutoScalingInstancesCommand({ InstanceIds: [instanceId] })),
    );
    const member = answer.AutoScalingInstances?.find((each) => each.InstanceId === instanceId);
    if (member === undefined) return undefined;
    const { AutoScalingGroupName: group, LifecycleState: lifecycleState } = member;
    if (group === undefined || lifecycleState === undefined) {
      throw new CloudUnavailableError(operation, `unreadable answer: no group of ${instanceId}`);
    }
    return { group, lifecycleState, ...(await groupNamed(client, group)) };
  },

  async enterStandby(group, instanceId, { decrementDesired }) {
    const command = new EnterStandbyCommand({
      AutoScalingGroupName: group,
      InstanceIds: [instanceId],
      ShouldDecrementDesiredCapacity: decrementDesired,
    });
    return changing(
      'EnterStandby',
      async () => ({ kind: 'accepted', receipt: receiptOf(await client.send(command)) }) as const,
      refused,
    );
  },

  async exitStandby(group, instanceId) {
    const command = new ExitStandbyCommand({
      AutoScalingGroupName: group,
      InstanceIds: [instanceId],
    });
    return changing(
      'ExitStandby',
      async () => ({ kind: 'accepted', receipt: receiptOf(await client.send(command)) }) as const,
      refused,
    );
  },

  async suspendReplacement(group) {
    const command = new SuspendProcessesCommand({
      AutoScalingGroupName: group,
      ScalingProcesses: replacement,
    });
    return receiptOf(await changing('SuspendProcesses', () => client.send(command)));
  },

  async resumeReplacement(group) {
    const command = new ResumeProcessesCommand({
      AutoScalingGroupName: group,
      ScalingProcesses: replacement,
    });
    return receiptOf(await changing('ResumeProcesses', () => client.send(command)));
  },
});
