import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { EC2Client } from '@aws-sdk/client-ec2';
import { describe, expect, it } from 'vitest';
import { awsClientOptions, sdkTimeouts } from '../../../../src/adapters/aws-sdk/client-options.ts';
import { createPowerControl } from '../../../../src/adapters/ec2/power-control.ts';
import { agent, networkAnswering } from './support.ts';

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };

describe('options of the SDK clients', () => {
  it('leave retries to the state machine', () => {
    expect(awsClientOptions({ region: 'us-east-1' })).toMatchObject({
      region: 'us-east-1',
      maxAttempts: 1,
    });
  });

  it('bound connecting and answering, and make the bound an error', () => {
    expect(awsClientOptions({ region: 'us-east-1' }).requestHandler).toEqual({
      connectionTimeout: sdkTimeouts.connectMs,
      requestTimeout: sdkTimeouts.requestMs,
      throwOnRequestTimeout: true,
    });
  });

  it('leave credentials and endpoint to AWS unless they are given', () => {
    const settings = { region: 'us-east-1', credentials, endpoint: 'http://127.0.0.1:1' };
    expect(awsClientOptions(settings)).toMatchObject({
      credentials,
      endpoint: 'http://127.0.0.1:1',
    });
    const plain = awsClientOptions({ region: 'us-east-1' });
    expect(plain).not.toHaveProperty('credentials');
    expect(plain).not.toHaveProperty('endpoint');
  });

  it('use the given network instead of the SDK’s own', () => {
    const { send } = networkAnswering({});
    const { requestHandler } = awsClientOptions({ region: 'us-east-1', send });
    expect(requestHandler).toHaveProperty('handle');
  });

  it('give up on a server that accepts a change and never answers', async () => {
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const options = awsClientOptions({
      region: 'us-east-1',
      credentials,
      endpoint: `http://127.0.0.1:${port}`,
    });
    const client = new EC2Client({
      ...options,
      requestHandler: { ...options.requestHandler, requestTimeout: 50 },
    });
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
