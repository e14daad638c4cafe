import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Local, startLocal } from '../../../emulator/local-server.ts';

let local: Local;
beforeAll(async () => {
  local = await startLocal({ seed: 5 });
});
afterAll(() => local.close());

const whoIs = (accessKeyId: string, region = 'us-east-1') =>
  new STSClient({
    region,
    endpoint: local.endpoint,
    maxAttempts: 1,
    credentials: { accessKeyId, secretAccessKey: 'any' },
  }).send(new GetCallerIdentityCommand({}));

const post = async (body: string, headers: Record<string, string> = {}) => {
  const answer = await fetch(local.endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    body,
  });
  return `${answer.status} ${await answer.text()}`;
};

describe('STS', () => {
  it('says who a person is', async () => {
    expect(await whoIs('ana')).toMatchObject({
      Account: '123456789012',
      Arn: 'arn:aws:iam::123456789012:user/ana',
    });
  });

  it('says which role a function has', async () => {
    expect((await whoIs('ASIALookRole')).Arn).toMatch(
      /^arn:aws:sts::123456789012:assumed-role\/.*LookRole.*\/function$/,
    );
  });

  it('does not answer who signs nothing', async () => {
    const answer = await post('Action=GetCallerIdentity&Version=2011-06-15');
    expect(answer).toMatch(/^403 .*<Code>MissingAuthenticationToken</s);
  });

  it('knows nothing else', async () => {
    const scope = '20261122/us-east-1/sts/aws4_request';
    const authorization = `AWS4-HMAC-SHA256 Credential=ana/${scope}, SignedHeaders=host, Signature=0`;
    const answer = await post('Action=AssumeRole&Version=2011-06-15', { authorization });
    expect(answer).toMatch(/^400 .*<Code>InvalidAction</s);
  });

  it('refuses what is signed for another region', async () => {
    await expect(whoIs('ana', 'eu-west-1')).rejects.toMatchObject({
      name: 'SignatureDoesNotMatch',
    });
  });
});
