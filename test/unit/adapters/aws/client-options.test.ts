import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EC2Client } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { awsClientOptions } from '../../../../src/adapters/aws-sdk/client-options.ts';
import { createPowerControl } from '../../../../src/adapters/ec2/power-control.ts';
import { createHttpSend } from '../../../../src/adapters/http/send.ts';
import { agent, networkAnswering } from './support.ts';

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };

const { send } = networkAnswering({});

describe('options of the SDK clients', () => {
  it('leave retries to the state machine', () => {
    expect(awsClientOptions({ region: 'us-east-1', send })).toMatchObject({
      region: 'us-east-1',
      maxAttempts: 1,
    });
  });

  it('leave credentials and endpoint to AWS unless they are given', () => {
    const settings = { region: 'us-east-1', send, credentials, endpoint: 'http://127.0.0.1:1' };
    expect(awsClientOptions(settings)).toMatchObject({
      credentials,
      endpoint: 'http://127.0.0.1:1',
    });
    const plain = awsClientOptions({ region: 'us-east-1', send });
    expect(plain).not.toHaveProperty('credentials');
    expect(plain).not.toHaveProperty('endpoint');
  });

  it('use the one door to the network', () => {
    const { requestHandler } = awsClientOptions({ region: 'us-east-1', send });
    expect(requestHandler).toHaveProperty('handle');
  });

  it('give up on a server that accepts a change and never answers', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const client = new EC2Client(
      awsClientOptions({
        region: 'us-east-1',
        send: createHttpSend({ timeoutMs: 50 }),
        credentials,
        endpoint: `http://127.0.0.1:${port}`,
      }),
    );
    try {
      await expect(createPowerControl({ client }).stop(agent, 'skip')).rejects.toMatchObject({
        name: 'CloudAmbiguousError',
        details: { code: 'ETIMEDOUT' },
      });
    } finally {
      client.destroy();
      silent.closeAllConnections();
      await new Promise((resolve) => silent.close(resolve));
    }
  });
});
