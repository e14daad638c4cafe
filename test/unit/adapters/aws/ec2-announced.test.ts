import {
  DescribeInstanceStatusCommand,
  DescribeSpotInstanceRequestsCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import 'aws-sdk-client-mock-vitest/extend';
import { createInterruptions } from '../../../../src/adapters/ec2/interruptions.ts';
import { createEc2Reads } from '../../../../src/adapters/ec2/reads.ts';
import { agent, awsError, otherAgent } from './support.ts';

const ec2 = mockClient(EC2Client);
const client = new EC2Client({ region: 'us-east-1' });
const reads = createEc2Reads({
  client,
  clusterTag: { key: 'ebs-failover:cluster', value: 'east' },
});
const spot = createInterruptions({ client });

beforeEach(() => {
  ec2.reset();
});

const at = new Date('2026-12-01T07:00:00.000Z');

describe('what EC2 has scheduled', () => {
  it('is what it has neither done nor called off', async () => {
    ec2.on(DescribeInstanceStatusCommand).resolves({
      InstanceStatuses: [
        {
          InstanceId: agent,
          Events: [
            { Code: 'instance-stop', Description: '[Completed] degraded hardware', NotBefore: at },
            { Code: 'system-reboot', Description: '[Canceled] The host', NotBefore: at },
            { Code: 'instance-retirement', Description: 'degraded hardware', NotBefore: at },
            { Code: 'system-maintenance' },
          ],
        },
      ],
    });
    expect(await reads.scheduledEvents(agent)).toEqual([
      { code: 'instance-retirement', notBefore: at.getTime() },
      { code: 'system-maintenance' },
    ]);
  });

  it('is nothing for a machine that EC2 has forgotten', async () => {
    ec2.on(DescribeInstanceStatusCommand).rejects(awsError('InvalidInstanceID.NotFound'));
    expect(await reads.scheduledEvents(agent)).toEqual([]);
  });
});

describe('a Spot machine', () => {
  const requests = (...entries: [string, string][]) =>
    ec2.on(DescribeSpotInstanceRequestsCommand).resolves({
      SpotInstanceRequests: entries.map(([InstanceId, Code]) => ({ InstanceId, Status: { Code } })),
    });

  it.each([
    ['marked-for-termination', 'terminate'],
    ['marked-for-stop', 'stop'],
    ['fulfilled', undefined],
    ['instance-terminated-by-user', undefined],
  ] as const)('whose request says %s will %s', async (code, action) => {
    requests([otherAgent, 'marked-for-termination'], [agent, code]);
    expect(await spot.interruption(agent)).toBe(action);
  });

  it('is asked for by its id', async () => {
    requests();
    expect(await spot.interruption(agent)).toBeUndefined();
    expect(ec2).toHaveReceivedCommandWith(DescribeSpotInstanceRequestsCommand, {
      Filters: [{ Name: 'instance-id', Values: [agent] }],
    });
  });
});
