import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import 'aws-sdk-client-mock-vitest/extend';
import { createSecrets, secretTtlMs } from '../../../../src/adapters/secrets-manager/secrets.ts';
import type { EpochMs } from '../../../../src/domain/ids.ts';
import { awsError } from './support.ts';

const mock = mockClient(SecretsManagerClient);
const client = new SecretsManagerClient({ region: 'us-east-1' });

/** Secrets read by a clock that only the test moves. */
const secretsAt = (start: number) => {
  let now = start;
  const clock = { now: () => now as EpochMs, sleep: () => Promise.resolve() };
  return {
    secrets: createSecrets({ client, clock }),
    pass: (ms: number) => {
      now += ms;
    },
  };
};

beforeEach(() => {
  mock.reset();
});

describe('secrets', () => {
  it('are read once and remembered for five minutes', async () => {
    mock.on(GetSecretValueCommand).resolves({ SecretString: 'token' });
    const { secrets, pass } = secretsAt(1_000);
    expect(await secrets.read('dcos')).toBe('token');
    pass(secretTtlMs - 1);
    expect(await secrets.read('dcos')).toBe('token');
    expect(mock).toHaveReceivedCommandExactlyOnceWith(GetSecretValueCommand, { SecretId: 'dcos' });
  });

  it('are read again after that, so that a rotated one arrives', async () => {
    mock
      .on(GetSecretValueCommand)
      .resolvesOnce({ SecretString: 'old' })
      .resolvesOnce({ SecretString: 'new' });
    const { secrets, pass } = secretsAt(1_000);
    await secrets.read('dcos');
    pass(secretTtlMs);
    expect(await secrets.read('dcos')).toBe('new');
  });

  it('are not mixed up', async () => {
    mock.on(GetSecretValueCommand, { SecretId: 'a' }).resolves({ SecretString: 'of a' });
    mock.on(GetSecretValueCommand, { SecretId: 'b' }).resolves({ SecretString: 'of b' });
    const { secrets } = secretsAt(0);
    expect([await secrets.read('a'), await secrets.read('b')]).toEqual(['of a', 'of b']);
  });

  it('are not remembered when the read failed', async () => {
    mock
      .on(GetSecretValueCommand)
      .rejectsOnce(awsError('ThrottlingException'))
      .resolvesOnce({ SecretString: 'token' });
    const { secrets } = secretsAt(0);
    await expect(secrets.read('dcos')).rejects.toMatchObject({ name: 'CloudThrottledError' });
    expect(await secrets.read('dcos')).toBe('token');
  });

  it.each([{}, { SecretString: '' }])('are not empty: %j', async (answer) => {
    mock.on(GetSecretValueCommand).resolves(answer);
    await expect(secretsAt(0).secrets.read('dcos')).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringContaining('dcos'),
    });
  });

  it('that do not exist are named', async () => {
    mock.on(GetSecretValueCommand).rejects(awsError('ResourceNotFoundException', 'cannot find it'));
    await expect(secretsAt(0).secrets.read('dcos')).rejects.toMatchObject({
      name: 'CloudRefusedError',
      message: expect.stringContaining('cannot find it'),
    });
  });
});
