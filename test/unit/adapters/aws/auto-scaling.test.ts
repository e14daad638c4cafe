import {
  AutoScalingClient,
  DescribeAutoScalingGroupsCommand,
  DescribeAutoScalingInstancesCommand,
  EnterStandbyCommand,
  ExitStandbyCommand,
  ResumeProcessesCommand,
  SuspendProcessesCommand,
} from '@aws-sdk/client-auto-scaling';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import 'aws-sdk-client-mock-vitest/extend';
import { createAutoScaling } from '../../../../src/adapters/auto-scaling/groups.ts';
import { accepted, agent, awsError, lostConnection, otherAgent, requestId } from './support.ts';

const mock = mockClient(AutoScalingClient);
const groups = createAutoScaling({ client: new AutoScalingClient({ region: 'us-east-1' }) });
const receipt = { requestId };

beforeEach(() => {
  mock.reset();
  mock.onAnyCommand().resolves(accepted);
});

const inputs = (): unknown[] => mock.calls().map(({ args }) => args[0].input);

const member = {
  InstanceId: agent,
  AutoScalingGroupName: 'agents',
  LifecycleState: 'InService',
  AvailabilityZone: 'us-east-1a',
  HealthStatus: 'HEALTHY',
  ProtectedFromScaleIn: false,
};
const group = {
  AutoScalingGroupName: 'agents',
  MinSize: 3,
  MaxSize: 3,
  DesiredCapacity: 3,
  DefaultCooldown: 300,
  AvailabilityZones: ['us-east-1a'],
  HealthCheckType: 'EC2',
  CreatedTime: new Date(0),
};

describe('membership of an Auto Scaling group', () => {
  it('joins what the instance and what its group say', async () => {
    mock.on(DescribeAutoScalingInstancesCommand).resolves({ AutoScalingInstances: [member] });
    mock.on(DescribeAutoScalingGroupsCommand).resolves({
      AutoScalingGroups: [{ ...group, SuspendedProcesses: [{ ProcessName: 'AZRebalance' }] }],
    });
    expect(await groups.membership(agent)).toEqual({
      group: 'agents',
      lifecycleState: 'InService',
      desired: 3,
      min: 3,
      suspendedProcesses: ['AZRebalance'],
    });
    expect(inputs()).toEqual([{ InstanceIds: [agent] }, { AutoScalingGroupNames: ['agents'] }]);
  });

  it.each([[[]], [undefined], [[{ ...member, InstanceId: otherAgent }]]])(
    'is none when the answer is %j',
    async (AutoScalingInstances) => {
      const answer = AutoScalingInstances === undefined ? {} : { AutoScalingInstances };
      mock.on(DescribeAutoScalingInstancesCommand).resolves(answer);
      expect(await groups.membership(agent)).toBeUndefined();
      expect(mock).toHaveReceivedCommandTimes(DescribeAutoScalingGroupsCommand, 0);
    },
  );

  it('is not guessed when the group of a member is not listed', async () => {
    mock.on(DescribeAutoScalingInstancesCommand).resolves({ AutoScalingInstances: [member] });
    mock.on(DescribeAutoScalingGroupsCommand).resolves({ AutoScalingGroups: [] });
    await expect(groups.membership(agent)).rejects.toMatchObject({
      name: 'CloudUnavailableError',
      message: expect.stringContaining('agents'),
    });
  });

  it('is not guessed when a member names no group', async () => {
    mock.on(DescribeAutoScalingInstancesCommand).resolves({
      AutoScalingInstances: [{ ...member, AutoScalingGroupName: undefined }],
    });
    await expect(groups.membership(agent)).rejects.toMatchObject({
      name: 'CloudUnavailableError',
    });
  });

  it('is not "none" while Auto Scaling throttles', async () => {
    mock.on(DescribeAutoScalingInstancesCommand).rejects(awsError('Throttling'));
    await expect(groups.membership(agent)).rejects.toMatchObject({ name: 'CloudThrottledError' });
  });
});

describe('standby', () => {
  it.each([true, false])('is entered with the desired size lowered: %s', async (decrement) => {
    const answer = await groups.enterStandby('agents', agent, { decrementDesired: decrement });
    expect(answer).toEqual({ kind: 'accepted', receipt });
    expect(mock).toHaveReceivedCommandOnce(EnterStandbyCommand);
    expect(inputs()).toEqual([
      {
        AutoScalingGroupName: 'agents',
        InstanceIds: [agent],
        ShouldDecrementDesiredCapacity: decrement,
      },
    ]);
  });

  it('is left', async () => {
    expect(await groups.exitStandby('agents', agent)).toEqual({ kind: 'accepted', receipt });
    expect(mock).toHaveReceivedCommandOnce(ExitStandbyCommand);
    expect(inputs()).toEqual([{ AutoScalingGroupName: 'agents', InstanceIds: [agent] }]);
  });

  it.each([
    ['ValidationError', 400],
    ['ResourceContention', 500],
    ['ScalingActivityInProgress', 400],
  ])('may be refused with %s', async (code, status) => {
    mock.onAnyCommand().rejects(awsError(code, 'not InService', status));
    const refusal = { kind: 'refused', code };
    expect(await groups.enterStandby('agents', agent, { decrementDesired: false })).toEqual(
      refusal,
    );
    expect(await groups.exitStandby('agents', agent)).toEqual(refusal);
  });

  it('is not called refused when the answer was lost', async () => {
    mock.onAnyCommand().rejects(lostConnection());
    await expect(groups.exitStandby('agents', agent)).rejects.toMatchObject({
      name: 'CloudAmbiguousError',
    });
  });
});

describe('replacement of unhealthy members', () => {
  const input = { AutoScalingGroupName: 'agents', ScalingProcesses: ['ReplaceUnhealthy'] };

  it('is suspended, and nothing else of the group', async () => {
    expect(await groups.suspendReplacement('agents')).toEqual(receipt);
    expect(mock).toHaveReceivedCommandOnce(SuspendProcessesCommand);
    expect(inputs()).toEqual([input]);
  });

  it('is resumed, and nothing else of the group', async () => {
    expect(await groups.resumeReplacement('agents')).toEqual(receipt);
    expect(mock).toHaveReceivedCommandOnce(ResumeProcessesCommand);
    expect(inputs()).toEqual([input]);
  });

  it('is asked for again while another change of the group is under way', async () => {
    mock.onAnyCommand().rejects(awsError('ResourceContention', 'pending update', 500));
    await expect(groups.suspendReplacement('agents')).rejects.toMatchObject({
      name: 'CloudUnavailableError',
    });
  });
});
