import { describe, expect, it } from 'vitest';
import { createRng } from '../../../emulator/core/random.ts';
import type { FunctionSpec, Resource } from '../../../emulator/infra.ts';
import { createFunctionUrls } from '../../../emulator/services/lambda/function-urls.ts';
import type { Outcome } from '../../../emulator/services/lambda/invocation.ts';
import { stackInfra } from './fixture.ts';

const NOW = Date.UTC(2026, 10, 22, 21, 0, 0);
const spec: FunctionSpec = {
  key: 'door',
  name: 'test-door',
  arn: 'arn:aws:lambda:us-east-1:123456789012:function:test-door',
  handler: 'functions/door.handler',
  timeoutSeconds: 10,
  environment: {},
  roleArn: '',
};
const byUrl = { Action: 'lambda:InvokeFunctionUrl', FunctionUrlAuthType: 'NONE' };
const invoke = { Action: 'lambda:InvokeFunction', InvokedViaFunctionUrl: true };

const setUp = (
  outcome: Outcome = { ok: true, payload: { statusCode: 200 } },
  permissions: object[] = [byUrl, invoke],
  AuthType = 'NONE',
) => {
  const resource = (properties: object): Resource => ({
    logicalId: 'X',
    type: 'X',
    ref: 'x',
    arn: 'x',
    properties: { ...properties },
  });
  const infra = {
    ...stackInfra(),
    ofType: (type: string) =>
      type === 'AWS::Lambda::Url'
        ? [resource({ TargetFunctionArn: spec.arn, AuthType })]
        : permissions.map((one) => resource({ FunctionName: spec.name, Principal: '*', ...one })),
  };
  const events: Record<string, unknown>[] = [];
  const functions = {
    find: (name: string) => (name === spec.arn ? spec : undefined),
    invoke: async (_: FunctionSpec, payload: string) => {
      events.push(JSON.parse(payload));
      return outcome;
    },
    kill: () => false,
    coolDown: () => undefined,
    redeploy: () => undefined,
    records: () => [],
  };
  const time = { now: () => NOW, after: () => () => {} };
  const urls = createFunctionUrls({ time, rng: createRng(1), infra, functions });
  const call = async (type: string, body: string, url = urls.of('door') ?? '') =>
    urls.handle({ method: 'POST', url, headers: { 'content-type': type }, body });
  return { call, events, urls };
};

describe('a Function URL', () => {
  it('hands a form over in base64, in payload format 2.0', async () => {
    const { call, events, urls } = setUp();
    const url = `${urls.of('door')}slack/x?a=1`;
    expect(url).toMatch(/^https:\/\/[0-9a-f]{32}\.lambda-url\.us-east-1\.on\.aws\//);
    expect(await call('application/x-www-form-urlencoded', 'a=1', url)).toMatchObject({
      status: 200,
    });
    expect(events[0]).toMatchObject({
      version: '2.0',
      rawPath: '/slack/x',
      rawQueryString: 'a=1',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      requestContext: { http: { method: 'POST', path: '/slack/x' }, timeEpoch: NOW },
      body: 'YT0x',
      isBase64Encoded: true,
    });
  });

  it('hands text over as it is, and no body as none', async () => {
    const { call, events } = setUp();
    await call('application/json; charset=utf-8', '{}');
    await call('text/plain', '');
    expect(events).toMatchObject([
      { body: '{}', isBase64Encoded: false },
      { isBase64Encoded: false },
    ]);
    expect(events[1]).not.toHaveProperty('body');
  });

  it.each<[string, Outcome, object]>([
    [
      'with status, headers and body of its own',
      { ok: true, payload: { statusCode: 401, headers: { a: 'b' }, body: 'no' } },
      { status: 401, headers: { a: 'b' }, body: 'no' },
    ],
    [
      'with a body in base64',
      { ok: true, payload: { statusCode: 200, body: 'bm8=', isBase64Encoded: true } },
      { status: 200, body: 'no' },
    ],
    ['with a body alone', { ok: true, payload: { a: 1 } }, { status: 200, body: '{"a":1}' }],
    [
      'by an error',
      { ok: false, crashed: false, failure: { errorType: 'Error', errorMessage: 'secret' } },
      { status: 502, body: 'Internal Server Error' },
    ],
    [
      'not at all',
      { ok: false, crashed: false, throttled: true, failure: { errorType: '', errorMessage: '' } },
      { status: 429 },
    ],
  ])('answers what the function answered %s', async (_, outcome, answer) => {
    const { call } = setUp(outcome);
    expect(await call('text/plain', 'x')).toMatchObject(answer);
  });

  it.each<[string, object[], string]>([
    ['one permission missing', [byUrl], 'NONE'],
    ['the other one missing', [invoke], 'NONE'],
    ['permission for somebody else', [{ ...byUrl, Principal: 'a' }, invoke], 'NONE'],
    ['signatures asked for', [byUrl, invoke], 'AWS_IAM'],
  ])('lets nobody in with %s', async (_, permissions, authType) => {
    const { call, events } = setUp(undefined, permissions, authType);
    expect(await call('text/plain', 'x')).toMatchObject({ status: 403 });
    expect(events).toEqual([]);
  });

  it('takes six megabytes, and is nobody’s under another name', async () => {
    const { call } = setUp();
    expect(await call('text/plain', 'x'.repeat(6 * 1024 * 1024 + 1))).toMatchObject({
      status: 413,
    });
    const stranger = 'https://0000.lambda-url.us-east-1.on.aws/';
    expect(await call('text/plain', 'x', stranger)).toMatchObject({ status: 403 });
    expect(
      await call('text/plain', 'x', 'https://lambda.us-east-1.amazonaws.com/'),
    ).toBeUndefined();
  });
});
