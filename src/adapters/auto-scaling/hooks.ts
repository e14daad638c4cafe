import {
  type AutoScalingClient,
  CompleteLifecycleActionCommand,
  DescribeAutoScalingInstancesCommand,
  RecordLifecycleActionHeartbeatCommand,
} from '@aws-sdk/client-auto-scaling';
import type { LifecycleHook } from '../../domain/incident.ts';
import type { HookAnswer, LifecycleHooks } from '../../ports/auto-scaling.ts';
import { type AnswerTo, changing, reading, receiptOf } from '../aws-sdk/calls.ts';

/** No such hook, no such action: it was completed, or has timed out. */
const isOver: AnswerTo<HookAnswer> = ({ code }) =>
  code === 'ValidationError' ? { kind: 'over', code } : undefined;

/** By the instance, not by the token: that of an event which came late may be of an older action. */
const actionOf = ({ group, hook }: LifecycleHook, instanceId: string) => ({
  AutoScalingGroupName: group,
  LifecycleHookName: hook,
  InstanceId: instanceId,
});

/** Throws the domain's cloud errors; a hook that waits no more is a value. */
export const createHooks = ({
  client,
}: {
  readonly client: AutoScalingClient;
}): LifecycleHooks => ({
  async lifecycleState(instanceId) {
    const answer = await reading('DescribeAutoScalingInstances', () =>
      client.send(new DescribeAutoScalingInstancesCommand({ InstanceIds: [instanceId] })),
    );
    const member = answer.AutoScalingInstances?.find((each) => each.InstanceId === instanceId);
    return member?.LifecycleState;
  },

  async heartbeat(hook, instanceId) {
    const command = new RecordLifecycleActionHeartbeatCommand(actionOf(hook, instanceId));
    return changing(
      'RecordLifecycleActionHeartbeat',
      async () => ({ kind: 'accepted', receipt: receiptOf(await client.send(command)) }) as const,
      isOver,
    );
  },

  async completeHook(hook, instanceId) {
    const command = new CompleteLifecycleActionCommand({
      ...actionOf(hook, instanceId),
      LifecycleActionResult: 'CONTINUE',
    });
    return changing(
      'CompleteLifecycleAction',
      async () => ({ kind: 'accepted', receipt: receiptOf(await client.send(command)) }) as const,
      isOver,
    );
  },
});
