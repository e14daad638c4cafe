import { DescribeInstancesCommand, EC2Client, StopInstancesCommand } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { awsClientOptions } from '../../../../src/adapters/aws-sdk/client-options.ts';
import { asDryRun } from '../../../../src/adapters/ec2/dry-run.ts';
import { createPowerControl } from '../../../../src/adapters/ec2/power-control.ts';
import { CloudRefusedError } from '../../../../src/domain/errors.ts';
import type { HttpSend } from '../../../../src/ports/http.ts';
import { ids } from '../../../support/build.ts';

const asked: string[] = [];
const answer = `<Response><Errors><Error><Code>DryRunOperation</Code>
  <Message>Request would have succeeded, but DryRun flag is set.</Message></Error></Errors></Response>`;
const send: HttpSend = async ({ body = '' }) => {
  asked.push(String(typeof body === 'string' ? body : new TextDecoder().decode(body)));
  return { status: 412, headers: { 'content-type': 'text/xml' }, body: answer };
};
const options = awsClientOptions({
  region: 'us-east-1',
  credentials: { accessKeyId: 'AK', secretAccessKey: 'hush' },
  send,
});

describe('a client for dry runs', () => {
  it('puts DryRun on every change, and EC2’s answer is an error of its own name', async () => {
    const power = createPowerControl({ client: asDryRun(new EC2Client(options)) });
    const stopped = power.stop(ids.failed, 'skip');
    await expect(stopped).rejects.toThrow(CloudRefusedError);
    await expect(stopped).rejects.toMatchObject({ details: { code: 'DryRunOperation' } });
    expect(asked.at(-1)).toContain('DryRun=true');
    expect(new StopInstancesCommand({ InstanceIds: [] }).input).not.toHaveProperty('DryRun');
  });

  it('leaves reads as they are', async () => {
    const client = asDryRun(new EC2Client(options));
    await client.send(new DescribeInstancesCommand({})).catch(() => undefined);
    expect(asked.at(-1)).not.toContain('DryRun');
  });
});
