import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import 'aws-sdk-client-mock-vitest/extend';
import { createAdoption, createFunctions } from '../../../../src/adapters/lambda/functions.ts';
import { accepted, awsError, lostConnection, recorder, textOf } from './support.ts';

const mock = mockClient(LambdaClient);
const client = new LambdaClient({ region: 'us-east-1' });

beforeEach(() => {
  mock.reset();
  mock.onAnyCommand().resolves(accepted);
});

const invocations = (): unknown[] =>
  mock.commandCalls(InvokeCommand).map(({ args }) => {
    const { Payload, ...input } = args[0].input;
    return { ...input, payload: textOf(Payload as Uint8Array) };
  });

describe('warming functions', () => {
  it('invokes each of them without waiting for it', async () => {
    await createFunctions({ client, names: ['fence', 'release'], ...recorder() }).warm();
    expect(invocations()).toEqual([
      { FunctionName: 'fence', InvocationType: 'Event', payload: '{"warmUp":true}' },
      { FunctionName: 'release', InvocationType: 'Event', payload: '{"warmUp":true}' },
    ]);
  });

  it('goes out to all of them at once', async () => {
    const answers: (() => void)[] = [];
    mock.onAnyCommand().callsFake(
      () =>
        new Promise((resolve) => {
          answers.push(() => resolve(accepted));
        }),
    );
    const warming = createFunctions({ client, names: ['a', 'b', 'c'], ...recorder() }).warm();
    await new Promise((resolve) => setImmediate(resolve));
    expect(answers).toHaveLength(3);
    for (const answer of answers) answer();
    await warming;
  });

  it('counts what fails, and warms the others', async () => {
    mock.on(InvokeCommand, { FunctionName: 'fence' }).rejects(awsError('TooManyRequestsException'));
    const { metrics, log, counted, logged } = recorder();
    await createFunctions({ client, names: ['fence', 'release'], metrics, log }).warm();
    expect(mock).toHaveReceivedCommandTimes(InvokeCommand, 2);
    expect(counted).toEqual(['WarmUpFailed']);
    expect(logged).toMatchObject([{ keys: { functionName: 'fence' } }]);
  });
});

describe('asking for adoption', () => {
  it('invokes adopt without waiting for it', async () => {
    await createAdoption({ client, functionName: 'adopt' }).request();
    expect(invocations()).toEqual([
      { FunctionName: 'adopt', InvocationType: 'Event', payload: '{}' },
    ]);
  });

  it.each([
    [awsError('ResourceNotFoundException', 'no such function', 404), 'CloudRefusedError'],
    [awsError('TooManyRequestsException', 'slow down', 429), 'CloudThrottledError'],
    [lostConnection(), 'CloudAmbiguousError'],
  ])('throws when it was not taken: %s', async (error, name) => {
    mock.onAnyCommand().rejects(error);
    await expect(createAdoption({ client, functionName: 'adopt' }).request()).rejects.toMatchObject(
      { name },
    );
  });
});
