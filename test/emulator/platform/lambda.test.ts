import { afterEach, describe, expect, it } from 'vitest';
import type { Outcome } from '../../../emulator/services/lambda/invocation.ts';
import { closeAll, createFixture, type Fixture, headersFor, START } from './fixture.ts';

afterEach(closeAll);

const count = async (world: Fixture, input: object): Promise<Outcome> => {
  const spec = world.lambda.find('count');
  if (!spec) throw new Error('the fixture has a function count');
  return world.settle(world.lambda.invoke(spec, JSON.stringify(input)));
};
const payloadOf = (outcome: Outcome): Record<string, unknown> => {
  if (!outcome.ok) throw new Error(outcome.failure.errorMessage);
  return outcome.payload as Record<string, unknown>;
};
const LETTERS = 'arn:aws:sqs:us-east-1:123456789012:test-DeadLetters';

describe('an execution environment', () => {
  it('holds the variables of its own function and nothing of this process', async () => {
    const world = await createFixture();
    const { env } = payloadOf(await count(world, { act: 'env' }));
    expect(env).toEqual({
      TABLE: 'test-CountTable',
      BUS: 'news-blue',
      COLOR: 'green',
      AWS_REGION: 'us-east-1',
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_LAMBDA_FUNCTION_NAME: 'test-count',
      AWS_ACCESS_KEY_ID: 'ASIACountRole',
      AWS_SECRET_ACCESS_KEY: 'emulated',
      AWS_SESSION_TOKEN: 'emulated',
    });
  });

  it('starts cold, stays warm, and is cold again after fifteen idle minutes', async () => {
    const world = await createFixture();
    const pause = async (ms: number): Promise<void> => {
      await world.settle(new Promise<void>((resolve) => world.time.after(ms, resolve)));
    };
    await count(world, { act: 'env' });
    await count(world, { act: 'env' });
    await pause(14 * 60_000);
    const third = payloadOf(await count(world, { act: 'env' }));
    await pause(15 * 60_000);
    const fourth = payloadOf(await count(world, { act: 'env' }));
    expect(world.lambda.records().map(({ cold }) => cold)).toEqual([true, false, false, true]);
    expect([third.callsHere, fourth.callsHere]).toEqual([3, 1]);
  });

  it('takes 375 ms to start and none when it is warm', async () => {
    const world = await createFixture();
    const before = world.time.now();
    await count(world, { act: 'env' });
    expect(world.time.now() - before).toBe(375);
    await count(world, { act: 'env' });
    expect(world.time.now() - before).toBe(375);
  });

  it('runs one invocation at a time: the second of two goes to a cold one', async () => {
    const world = await createFixture();
    await Promise.all([count(world, { key: 'a' }), count(world, { key: 'b' })]);
    expect(world.lambda.records().map(({ cold }) => cold)).toEqual([true, true]);
    world.lambda.coolDown();
    await count(world, { key: 'a' });
    expect(world.lambda.records().at(-1)?.cold).toBe(true);
  });
});

describe('a failing function', () => {
  it('is reported by name, message and trace', async () => {
    const world = await createFixture();
    expect(await count(world, { key: 'a', act: 'fail' })).toEqual({
      ok: false,
      crashed: false,
      failure: {
        errorType: 'TypeError',
        errorMessage: 'no more of a',
        trace: ['TypeError: no more of a'],
      },
    });
  });

  it('is cut off at its timeout, and its environment with it', async () => {
    const world = await createFixture();
    const outcome = await count(world, { key: 'a', act: 'sleep' });
    expect(outcome).toMatchObject({ ok: false, failure: { errorType: 'Sandbox.Timedout' } });
    expect(world.lambda.records()).toMatchObject([{ startedAt: expect.any(Number) }]);
    const [record] = world.lambda.records();
    expect((record?.endedAt ?? 0) - (record?.startedAt ?? 0)).toBe(10_000);
    await count(world, { key: 'a' });
    expect(world.lambda.records().at(-1)?.cold).toBe(true);
  });

  it('has no further effect once killed', async () => {
    const world = await createFixture();
    const killed = count(world, { key: 'a' });
    // The request to DynamoDB is under way when the machine disappears.
    world.time.after(376, () => {
      const [record] = world.lambda.records();
      expect(world.lambda.kill(record?.invocationId ?? '')).toBe(true);
    });
    expect(await killed).toMatchObject({ failure: { errorType: 'Runtime.ExitError' } });
    await world.time.run({ until: () => false, horizonMs: 60_000 });
    expect(await world.settle(world.dynamodb.scan('test-CountTable'))).toEqual([]);
  });
});

describe('the asynchronous queue', () => {
  it('tries a failing function three times, after one and two minutes, then parks the event', async () => {
    const world = await createFixture();
    const spec = world.lambda.find('count');
    if (spec) world.lambda.enqueue(spec, '{"key":"a","act":"fail"}');
    await world.time.run({ until: () => false, horizonMs: 600_000 });
    const starts = world.lambda.records().map(({ startedAt }) => startedAt);
    const gaps = starts.slice(1).map((at, i) => Math.round((at - (starts[i] ?? 0)) / 60_000));
    expect(gaps).toEqual([1, 2]);
    const [letter, ...others] = world.sqs.messages(LETTERS);
    expect(others).toEqual([]);
    expect(JSON.parse(letter?.body ?? '{}')).toMatchObject({
      requestContext: { condition: 'RetriesExhausted', approximateInvokeCount: 3 },
      requestPayload: { key: 'a', act: 'fail' },
      responsePayload: { errorType: 'TypeError' },
    });
  });

  it('keeps nothing of an event that was processed', async () => {
    const world = await createFixture();
    const spec = world.lambda.find('count');
    if (spec) world.lambda.enqueue(spec, '{"key":"a"}');
    await world.time.run({ until: () => false, horizonMs: 600_000 });
    expect(world.lambda.records()).toHaveLength(1);
    expect(world.sqs.messages(LETTERS)).toEqual([]);
  });
});

describe('too much at once', () => {
  const invokeBy = (world: Fixture, type: string) =>
    world.settle(
      world.network.send({
        method: 'POST',
        url: 'https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/test-count/invocations',
        headers: {
          ...headersFor('lambda', 'AKIAPERSON', ''),
          'x-amz-invocation-type': type,
        },
        body: '{"key":"a"}',
      }),
    );

  it('is refused with 429 while so many run, and let in when one has ended', async () => {
    const world = await createFixture();
    world.faults.concurrency = () => 1;
    const both = await world.settle(
      Promise.all([count(world, { key: 'a' }), count(world, { key: 'b' })]),
    );
    expect(both).toMatchObject([{ ok: true }, { ok: false, throttled: true }]);
    expect(await count(world, { key: 'b' })).toMatchObject({ ok: true });
    world.faults.concurrency = () => 0;
    const answer = await invokeBy(world, 'RequestResponse');
    expect([answer.status, answer.headers['x-amzn-errortype']]).toEqual([
      429,
      'TooManyRequestsException',
    ]);
    expect(JSON.parse(answer.body).Reason).toBe('ConcurrentInvocationLimitExceeded');
  });

  it('keeps to what is reserved for a function', async () => {
    const world = await createFixture();
    const spec = world.lambda.find('count');
    if (!spec) throw new Error('the fixture has a function count');
    const reserved = { ...spec, reservedConcurrency: 0 };
    expect(await world.lambda.invoke(reserved, '{}')).toMatchObject({
      failure: { errorType: 'ReservedFunctionConcurrentInvocationLimitExceeded' },
    });
  });

  it('waits in the queue, ever longer, without using up its retries', async () => {
    const world = await createFixture();
    let refusals = 0;
    world.faults.concurrency = () => {
      refusals += 1;
      return world.time.now() - START < 100_000 ? 0 : 1;
    };
    expect((await invokeBy(world, 'Event')).status).toBe(202);
    await world.time.run({ until: () => false, horizonMs: 600_000 });
    // After 1, 3, 7, 15, 31, 63 and 127 s.
    expect(refusals).toBe(8);
    expect(world.lambda.records()).toMatchObject([{ result: 'ok' }]);
  });

  it('is parked when it has grown too old in the queue', async () => {
    const world = await createFixture();
    world.faults.concurrency = () => 0;
    expect((await invokeBy(world, 'Event')).status).toBe(202);
    await world.time.run({ until: () => false, horizonMs: 7 * 3_600_000 });
    const [letter] = world.sqs.messages(LETTERS);
    expect(JSON.parse(letter?.body ?? '{}')).toMatchObject({
      requestContext: { condition: 'EventAgeExceeded', approximateInvokeCount: 1 },
    });
    expect(world.lambda.records()).toEqual([]);
  });
});

describe('the machines under the environments', () => {
  it('are in one zone after the other', async () => {
    const world = await createFixture();
    const keys = ['a', 'b', 'c', 'd'];
    await Promise.all(keys.map((key) => count(world, { key })));
    const zones = world.lambda.records().map(({ zone }) => zone.at(-1));
    expect(zones).toEqual(['a', 'b', 'c', 'a']);
  });

  it('begin nothing any more in old environments once new code is there', async () => {
    const world = await createFixture();
    const slow = count(world, { key: 'a' });
    world.lambda.redeploy();
    expect(await slow).toMatchObject({ ok: true });
    expect(payloadOf(await count(world, { act: 'env' })).callsHere).toBe(1);
    expect(world.lambda.records().map(({ cold }) => cold)).toEqual([true, true]);
  });
});

describe('the Invoke API', () => {
  const invoke = async (world: Fixture, name: string, body: string, more: object = {}) =>
    world.settle(
      world.network.send({
        method: 'POST',
        url: `https://lambda.us-east-1.amazonaws.com/2015-03-31/functions/${name}/invocations`,
        headers: { ...headersFor('lambda', 'AKIAPERSON', ''), ...more },
        body,
      }),
    );

  it('answers what the function returned, by name or ARN', async () => {
    const world = await createFixture();
    const arn = encodeURIComponent('arn:aws:lambda:us-east-1:123456789012:function:test-count');
    const first = await invoke(world, 'test-count', '{"key":"a"}');
    const second = await invoke(world, arn, '{"key":"a"}');
    expect([first.status, JSON.parse(first.body).calls]).toEqual([200, 1]);
    expect(JSON.parse(second.body).calls).toBe(2);
  });

  it('answers 200 with x-amz-function-error when the function threw', async () => {
    const world = await createFixture();
    const response = await invoke(world, 'test-count', '{"key":"a","act":"fail"}');
    expect(response.status).toBe(200);
    expect(response.headers['x-amz-function-error']).toBe('Unhandled');
    expect(JSON.parse(response.body).errorType).toBe('TypeError');
  });

  it('accepts an event without waiting for the function', async () => {
    const world = await createFixture();
    const event = { 'x-amz-invocation-type': 'Event' };
    const response = await invoke(world, 'test-count', '{"key":"a"}', event);
    expect(response.status).toBe(202);
    expect(world.time.now() - START).toBeLessThan(375);
    const dryRun = { 'x-amz-invocation-type': 'DryRun' };
    expect((await invoke(world, 'test-count', '{}', dryRun)).status).toBe(204);
    await world.time.run({ until: () => false, horizonMs: 10_000 });
    expect(world.lambda.records()).toHaveLength(1);
  });

  it('refuses an unknown function, a body that is no JSON, and a role without the right', async () => {
    const world = await createFixture();
    const unknown = await invoke(world, 'nobody', '{}');
    expect([unknown.status, unknown.headers['x-amzn-errortype']]).toEqual([
      404,
      'ResourceNotFoundException',
    ]);
    const broken = await invoke(world, 'test-count', '{"key":');
    expect(broken.headers['x-amzn-errortype']).toBe('InvalidRequestContentException');
    const stranger = headersFor('lambda', 'ASIACallbackRole', '');
    const denied = await invoke(world, 'test-count', '{}', stranger);
    expect([denied.status, denied.headers['x-amzn-errortype']]).toEqual([
      403,
      'AccessDeniedException',
    ]);
    expect(world.lambda.records()).toEqual([]);
  });
});
