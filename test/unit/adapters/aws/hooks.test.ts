import {
  AutoScalingClient,
  CompleteLifecycleActionCommand,
  DescribeAutoScalingInstancesCommand,
  RecordLifecycleActionHeartbeatCommand,
} from '@aws-sdk/client-auto-scaling';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import 'aws-sdk-client-mock-vitest/extend';
import { createHooks } from '../../../../src/adapters/auto-scaling/hooks.ts';
import { accepted, agent, awsError, otherAgent, requestId } from './support.ts';

const mock = mockClient(AutoScalingClient);
const hooks = createHooks({ client: new AutoScalingClient({ region: 'us-east-1' }) });
const hook = { group: 'agents', hook: 'move-first', token: 'an-old-one' };
const named = {
  AutoScalingGroupName: 'agents',
  LifecycleHookName: 'move-first',
  InstanceId: agent,
};

beforeEach(() => {
  mock.reset();
  mock.onAnyCommand().resolves(accepted);
});

describe('a lifecycle hook', () => {
  it('is kept waiting by the instance, since a token may be of an older action', async () => {
    expect(await hooks.heartbeat(hook, agent)).toEqual({
      kind: 'accepted',
      receipt: { requestId },
    });
    expect(mock).toHaveReceivedCommandWith(RecordLifecycleActionHeartbeatCommand, named);
  });

  it('is completed so that the group goes on', async () => {
    expect(await hooks.completeHook(hook, agent)).toMatchObject({ kind: 'accepted' });
    expect(mock).toHaveReceivedCommandWith(CompleteLifecycleActionCommand, {
      ...named,
      LifecycleActionResult: 'CONTINUE',
    });
  });

  it.each(['heartbeat', 'completeHook'] as const)(
    '%s tells of an action that waits no more',
    async (method) => {
      mock.onAnyCommand().rejects(awsError('ValidationError'));
      expect(await hooks[method](hook, agent)).toEqual({ kind: 'over', code: 'ValidationError' });
      mock.onAnyCommand().rejects(awsError('AccessDenied'));
      await expect(hooks[method](hook, agent)).rejects.toMatchObject({
        name: 'NotAuthorizedError',
      });
    },
  );
});

describe('the state of a member', () => {
  it('is what the group says of this very instance', async () => {
    const of = (InstanceId: string, LifecycleState: string) => ({
      InstanceId,
      LifecycleState,
      AutoScalingGroupName: 'agents',
      AvailabilityZone: 'us-east-1a',
      HealthStatus: 'HEALTHY',
      ProtectedFromScaleIn: false,
    });
    const members = [of(otherAgent, 'InService'), of(agent, 'Terminating:Wait')];
    mock.on(DescribeAutoScalingInstancesCommand).resolves({ AutoScalingInstances: members });
    expect(await hooks.lifecycleState(agent)).toBe('Terminating:Wait');
    mock.on(DescribeAutoScalingInstancesCommand).resolves({ AutoScalingInstances: [] });
    expect(await hooks.lifecycleState(agent)).toBeUndefined();
  });
});
