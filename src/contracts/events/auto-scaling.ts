import * as z from 'zod';
import { isInstanceId } from '../../domain/ids.ts';
import { problemOf } from '../problem.ts';
import { type EventParser, occurrence, quote, refused, Text } from './event.ts';

const TerminateHook = z.object({
  EC2InstanceId: Text,
  LifecycleTransition: z.literal('autoscaling:EC2_INSTANCE_TERMINATING'),
  AutoScalingGroupName: Text,
  LifecycleHookName: Text,
  LifecycleActionToken: Text,
  /** Groups with a warm pool say where the machine goes; it is stopped there, not terminated. */
  Destination: z.string().optional(),
});

/**
 * `EC2 Instance-terminate Lifecycle Action` (with that hyphen): the machine still runs, the group
 * waits for the hook, and the event does not say for how long. The token names the one action, so
 * it is the key.
 */
export const parseTerminateHook: EventParser = (event, context) => {
  const parsed = TerminateHook.safeParse(event.detail);
  if (!parsed.success) return refused(`malformed lifecycle action: ${problemOf(parsed.error)}`);
  const {
    EC2InstanceId: instanceId,
    AutoScalingGroupName: group,
    LifecycleHookName: hook,
    LifecycleActionToken: token,
    Destination,
  } = parsed.data;
  if (!isInstanceId(instanceId)) return refused(`${quote(instanceId)} is no instance id`);
  const action = Destination === 'WarmPool' ? 'stop' : 'terminate';
  return {
    kind: 'signals',
    signals: [
      {
        key: `auto-scaling:hook:${token}:${instanceId}`,
        source: 'auto-scaling',
        instanceId,
        says: `Auto Scaling group ${quote(group)} will ${action} ${instanceId} and waits for hook ${quote(hook)}`,
        receivedAt: context.receivedAt,
        ...occurrence(event, context),
        notice: { kind: 'leaving', action, hook: { group, hook, token } },
      },
    ],
  };
};

const Terminated = z.object({
  EC2InstanceId: Text,
  AutoScalingGroupName: Text,
  ActivityId: Text.optional(),
});

/**
 * `EC2 Instance Terminate Successful`. Its `StatusCode` says `InProgress` even so. The event of EC2
 * itself may have been lost, so this one is a reason to look.
 */
export const parseTerminateSuccessful: EventParser = (event, context) => {
  const parsed = Terminated.safeParse(event.detail);
  if (!parsed.success) return refused(`malformed Auto Scaling event: ${problemOf(parsed.error)}`);
  const { ActivityId = event.id, AutoScalingGroupName, EC2InstanceId: instanceId } = parsed.data;
  if (!isInstanceId(instanceId)) return refused(`${quote(instanceId)} is no instance id`);
  return {
    kind: 'wake-ups',
    signals: [
      {
        key: `auto-scaling:terminated:${ActivityId}:${instanceId}`,
        source: 'auto-scaling',
        instanceId,
        says: `Auto Scaling group ${quote(AutoScalingGroupName)} has terminated ${instanceId}`,
        receivedAt: context.receivedAt,
        ...occurrence(event, context),
      },
    ],
  };
};
