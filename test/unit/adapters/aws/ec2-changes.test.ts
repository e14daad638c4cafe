import {
  CreateTagsCommand,
  DeleteTagsCommand,
  DetachVolumeCommand,
  EC2Client,
  ModifyInstanceAttributeCommand,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, expectTypeOf, it } from 'vitest';
import 'aws-sdk-client-mock-vitest/extend';
import { createMachineMarks } from '../../../../src/adapters/ec2/machine-marks.ts';
import { createPowerControl } from '../../../../src/adapters/ec2/power-control.ts';
import { createSafekeeping } from '../../../../src/adapters/ec2/safekeeping.ts';
import { createVolumeControl } from '../../../../src/adapters/ec2/volume-control.ts';
import type { InstanceId } from '../../../../src/domain/ids.ts';
import type { VolumeControl } from '../../../../src/ports/compute.ts';
import {
  accepted,
  agent,
  awsError,
  logsVolume,
  lostConnection,
  mysqlVolume,
  requestId,
} from './support.ts';

const ec2 = mockClient(EC2Client);
const client = new EC2Client({ region: 'us-east-1' });
const power = createPowerControl({ client });
const volumes = createVolumeControl({ client });
const safekeeping = createSafekeeping({ client });
const marks = createMachineMarks({ client });

beforeEach(() => {
  ec2.reset();
  ec2.onAnyCommand().resolves(accepted);
});

/** Everything that was sent, to the last field. */
const inputs = (): unknown[] => ec2.calls().map(({ args }) => args[0].input);

describe('power commands', () => {
  it.each([
    ['graceful', {}],
    ['skip', { SkipOsShutdown: true }],
    ['force', { Force: true }],
    ['force-skip', { SkipOsShutdown: true, Force: true }],
  ] as const)('stop one instance, %s', async (method, flags) => {
    expect(await power.stop(agent, method)).toEqual({ kind: 'accepted', receipt: { requestId } });
    expect(inputs()).toEqual([{ InstanceIds: [agent], ...flags }]);
    expect(ec2).toHaveReceivedCommandOnce(StopInstancesCommand);
  });

  it.each([
    ['terminate', { SkipOsShutdown: true }],
    ['terminate-force', { Force: true }],
  ] as const)('end one instance, %s', async (method, flags) => {
    expect(await power.terminate(agent, method)).toMatchObject({ kind: 'accepted' });
    expect(inputs()).toEqual([{ InstanceIds: [agent], ...flags }]);
    expect(ec2).toHaveReceivedCommandOnce(TerminateInstancesCommand);
  });

  const protectedFrom = (attribute: string): string =>
    `The instance '${agent}' may not be ended. Modify its '${attribute}' instance attribute.`;
  it.each([
    ['OperationNotPermitted', 'SkipOsShutdown is not supported on Xen types', 'skip-unsupported'],
    ['OperationNotPermitted', 'skiposshutdown: not on XEN', 'skip-unsupported'],
    ['OperationNotPermitted', protectedFrom('disableApiStop'), 'protected'],
    ['OperationNotPermitted', protectedFrom('DISABLEAPISTOP'), 'protected'],
    ['OperationNotPermitted', protectedFrom('disableApiTermination'), 'protected'],
    ['IncorrectInstanceState', `The instance '${agent}' is not in a state ...`, 'wrong-state'],
    ['InvalidInstanceID.NotFound', `The instance ID '${agent}' does not exist`, 'not-found'],
  ])('explain %s (%s) as %s', async (code, message, why) => {
    ec2.onAnyCommand().rejects(awsError(code, message));
    const refusal = { kind: 'refused', why, code };
    expect(await power.stop(agent, 'skip')).toEqual(refusal);
    expect(await power.terminate(agent, 'terminate')).toEqual(refusal);
  });

  it('explain what cannot be stopped, and do not mistake it for what cannot be ended', async () => {
    const code = 'UnsupportedOperation';
    ec2.onAnyCommand().rejects(awsError(code, "You can't stop the Spot Instance"));
    const refusal = { kind: 'refused', why: 'stop-unsupported', code };
    expect(await power.stop(agent, 'skip')).toEqual(refusal);
    await expect(power.terminate(agent, 'terminate')).rejects.toMatchObject({
      name: 'CloudRefusedError',
    });
  });

  it.each([
    ['OperationNotPermitted', 'for a reason nobody has seen', 400, 'CloudRefusedError'],
    ['InvalidInstanceID.Malformed', 'Invalid id', 400, 'CloudRefusedError'],
    ['UnauthorizedOperation', 'no', 403, 'NotAuthorizedError'],
    ['RequestLimitExceeded', 'slow down', 503, 'CloudThrottledError'],
    ['InternalError', 'oops', 500, 'CloudAmbiguousError'],
    ['DryRunOperation', 'would have succeeded', 412, 'CloudRefusedError'],
  ])('throw %s (%s)', async (code, message, status, name) => {
    ec2.onAnyCommand().rejects(awsError(code, message, status));
    await expect(power.stop(agent, 'skip')).rejects.toMatchObject({ name });
    await expect(power.terminate(agent, 'terminate')).rejects.toMatchObject({ name });
  });

  it('do not claim to know what became of a stop whose answer was lost', async () => {
    ec2.onAnyCommand().rejects(lostConnection());
    await expect(power.stop(agent, 'skip')).rejects.toMatchObject({
      name: 'CloudAmbiguousError',
      details: { operation: 'StopInstances', code: 'ECONNRESET' },
    });
  });
});

describe('detaching a volume', () => {
  it('names the instance it is taken from, always', async () => {
    await volumes.detach(mysqlVolume, agent, { force: false });
    await volumes.detach(mysqlVolume, agent, { force: true });
    expect(inputs()).toEqual([
      { VolumeId: mysqlVolume, InstanceId: agent },
      { VolumeId: mysqlVolume, InstanceId: agent, Force: true },
    ]);
    expect(ec2).toHaveReceivedCommandTimes(DetachVolumeCommand, 2);
    // A port that allowed to leave it out would not compile here.
    expectTypeOf<Parameters<VolumeControl['detach']>[1]>().toEqualTypeOf<InstanceId>();
  });

  it('answers with EC2’s request id', async () => {
    const answer = await volumes.detach(mysqlVolume, agent, { force: false });
    expect(answer).toEqual({ kind: 'accepted', receipt: { requestId } });
  });

  it.each([
    ['IncorrectState', `Volume '${mysqlVolume}' is in the 'available' state.`, 'not-attached'],
    ['InvalidAttachment.NotFound', 'not attached there', 'not-attached-there'],
    ['InvalidVolume.NotFound', `The volume '${mysqlVolume}' does not exist.`, 'volume-not-found'],
    ['IncorrectInstanceState', 'wrong state', 'wrong-instance-state'],
    ['UnsupportedOperation', 'managed', 'unsupported'],
    ['UnsupportedOperationException', 'managed', 'unsupported'],
  ])('explains %s (%s) as %s', async (code, message, kind) => {
    ec2.onAnyCommand().rejects(awsError(code, message));
    expect(await volumes.detach(mysqlVolume, agent, { force: false })).toEqual({ kind, code });
  });

  it.each([
    ['IncorrectState', "Volume is in the 'deleting' state.", 'CloudRefusedError'],
    ['OperationNotPermitted', 'Unable to detach root volume', 'CloudRefusedError'],
    ['InvalidInstanceID.NotFound', 'does not exist', 'CloudUnavailableError'],
    ['Throttling', 'slow down', 'CloudThrottledError'],
  ])('does not take %s (%s) for a free volume', async (code, message, name) => {
    ec2.onAnyCommand().rejects(awsError(code, message));
    await expect(volumes.detach(mysqlVolume, agent, { force: false })).rejects.toMatchObject({
      name,
    });
  });
});

describe('marking instances and volumes', () => {
  it('writes DeleteOnTermination=false for all devices in one call', async () => {
    const receipt = await safekeeping.keepOnTermination(agent, [
      { device: '/dev/xvdf', volumeId: mysqlVolume },
      { device: '/dev/xvdg', volumeId: logsVolume },
    ]);
    expect(receipt).toEqual({ requestId });
    expect(ec2).toHaveReceivedCommandOnce(ModifyInstanceAttributeCommand);
    expect(inputs()).toEqual([
      {
        InstanceId: agent,
        BlockDeviceMappings: [
          { DeviceName: '/dev/xvdf', Ebs: { VolumeId: mysqlVolume, DeleteOnTermination: false } },
          { DeviceName: '/dev/xvdg', Ebs: { VolumeId: logsVolume, DeleteOnTermination: false } },
        ],
      },
    ]);
  });

  it('tags one volume', async () => {
    await safekeeping.tagVolume(mysqlVolume, { 'ebs-failover:epoch': '7' });
    expect(ec2).toHaveReceivedCommandOnce(CreateTagsCommand);
    expect(inputs()).toEqual([
      { Resources: [mysqlVolume], Tags: [{ Key: 'ebs-failover:epoch', Value: '7' }] },
    ]);
  });

  it('does not claim to know whether a tag was written when the answer was lost', async () => {
    ec2.onAnyCommand().rejects(lostConnection('ETIMEDOUT'));
    await expect(safekeeping.tagVolume(mysqlVolume, { k: 'v' })).rejects.toMatchObject({
      name: 'CloudAmbiguousError',
    });
    await expect(safekeeping.keepOnTermination(agent, [])).rejects.toMatchObject({
      name: 'CloudAmbiguousError',
    });
  });
});

describe('marking a fenced machine', () => {
  it('puts one tag on it, which says by which incident', async () => {
    expect(await marks.markQuarantined(agent, 'prod#i-1#1')).toEqual({ requestId });
    expect(ec2).toHaveReceivedCommandOnce(CreateTagsCommand);
    expect(inputs()).toEqual([
      { Resources: [agent], Tags: [{ Key: 'ebs-failover:quarantined', Value: 'prod#i-1#1' }] },
    ]);
  });

  it('takes that tag away by its name, whatever it says, and no other', async () => {
    expect(await marks.unmarkQuarantined(agent)).toEqual({ requestId });
    expect(ec2).toHaveReceivedCommandOnce(DeleteTagsCommand);
    expect(inputs()).toEqual([{ Resources: [agent], Tags: [{ Key: 'ebs-failover:quarantined' }] }]);
  });
});
