import { afterEach, describe, expect, it } from 'vitest';
import { readDefinition } from '../../../emulator/services/states/definition.ts';
import type { Execution } from '../../../emulator/services/states/execution.ts';
import { closeAll, createFixture, type Fixture } from './fixture.ts';

afterEach(closeAll);

const stateMachineArn = 'arn:aws:states:us-east-1:123456789012:stateMachine:count-blue';
const executionArn = 'arn:aws:states:us-east-1:123456789012:execution:count-blue:one';
const plain = { items: ['a'], waitSeconds: 5, ask: false };

const api = (world: Fixture, operation: string, input: object, accessKeyId?: string) =>
  world.call('states', `AWSStepFunctions.${operation}`, input, accessKeyId);

const start = (world: Fixture, input: object = plain, name = 'one') =>
  api(world, 'StartExecution', { stateMachineArn, name, input: JSON.stringify(input) });

/** Runs until the first execution has ended. */
const finished = async (world: Fixture): Promise<Execution> => {
  const [execution] = world.states.executions();
  if (!execution) throw new Error('nothing was started');
  const until = (): boolean => execution.status !== 'RUNNING';
  expect(await world.time.run({ until, horizonMs: 3_600_000 })).toBe('reached');
  return execution;
};

describe('StartExecution', () => {
  it('gives the same answer for the same name and input while it runs', async () => {
    const world = await createFixture();
    const first = await start(world);
    const second = await start(world);
    expect(second).toEqual(first);
    expect(first.body.executionArn).toBe(executionArn);
    expect(world.states.executions()).toHaveLength(1);
  });

  it('refuses the name for another input, and for any input once it has ended', async () => {
    const world = await createFixture();
    await start(world);
    const other = await start(world, { ...plain, waitSeconds: 6 });
    expect(other).toMatchObject({ status: 400, body: { __type: 'ExecutionAlreadyExists' } });
    await finished(world);
    expect((await start(world)).body.__type).toBe('ExecutionAlreadyExists');
  });

  it.each([
    { wrong: 'a name with a slash', change: { name: 'a/b' }, code: 'InvalidName' },
    { wrong: 'a name of 81 letters', change: { name: 'a'.repeat(81) }, code: 'InvalidName' },
    { wrong: 'input that is no JSON', change: { input: '{' }, code: 'InvalidExecutionInput' },
    {
      wrong: 'another machine',
      change: { stateMachineArn: `${stateMachineArn}x` },
      code: 'StateMachineDoesNotExist',
    },
    {
      wrong: 'more than 256 KiB',
      change: { input: JSON.stringify('x'.repeat(262_144)) },
      code: 'ValidationException',
    },
  ])('refuses $wrong', async ({ change, code }) => {
    const world = await createFixture();
    const input = { stateMachineArn, name: 'one', input: '{}', ...change };
    expect((await api(world, 'StartExecution', input)).body.__type).toBe(code);
    expect(world.states.executions()).toEqual([]);
  });

  it('refuses a role without the right', async () => {
    const world = await createFixture();
    const denied = await api(world, 'StartExecution', { stateMachineArn }, 'ASIACountRole');
    expect(denied.body.__type).toBe('AccessDeniedException');
  });
});

describe('an execution', () => {
  it('waits as long as the machine says', async () => {
    const world = await createFixture();
    await start(world);
    const { startedAt, stoppedAt = 0, output = '' } = await finished(world);
    expect(stoppedAt - startedAt).toBeGreaterThanOrEqual(5_000);
    expect(stoppedAt - startedAt).toBeLessThan(7_000);
    expect(JSON.parse(output).counts).toEqual([{ key: 'a', calls: 1, callsHere: 1 }]);
  });

  it('retries an error by its name and hands the whole payload on as the cause', async () => {
    const world = await createFixture();
    await start(world, { ...plain, items: ['a!refuse', 'b!fail'] });
    const { output = '{}' } = await finished(world);
    const [refused, failed] = JSON.parse(output).counts;
    expect([refused.Error, failed.Error]).toEqual(['TryAgainError', 'TypeError']);
    expect(JSON.parse(refused.Cause)).toEqual({
      errorType: 'TryAgainError',
      errorMessage: 'not now',
      trace: ['TryAgainError: not now'],
    });
    // Three runs for the one that is retried twice, one for the other.
    const results = world.lambda.records().map(({ result }) => result);
    expect(results.sort()).toEqual([
      'TryAgainError',
      'TryAgainError',
      'TryAgainError',
      'TypeError',
    ]);
  });

  it('sees a timed-out function by its own name, as newer runtimes tell it', async () => {
    const world = await createFixture();
    world.faults.intercept = (_, { service }) =>
      service === 'dynamodb' ? { delayMs: 11_000 } : 'pass';
    await start(world);
    const { output = '{}' } = await finished(world);
    expect(JSON.parse(output).counts[0]).toMatchObject({
      Error: 'Sandbox.Timedout',
      Cause: expect.stringContaining('Task timed out after 10.00 seconds'),
    });
  });

  it('tells a function the execution and the state it was called from', async () => {
    const world = await createFixture();
    await start(world, { ...plain, items: ['a!echo'] });
    const { output = '{}' } = await finished(world);
    expect(JSON.parse(output).counts).toEqual([
      { key: 'a!echo', execution: 'one', state: 'CountOne' },
    ]);
  });

  it('is described, listed and told step by step', async () => {
    const world = await createFixture();
    await start(world);
    await finished(world);
    const described = await api(world, 'DescribeExecution', { executionArn });
    expect(described.body).toMatchObject({ name: 'one', status: 'SUCCEEDED', stateMachineArn });
    const listed = await api(world, 'ListExecutions', { stateMachineArn, statusFilter: 'RUNNING' });
    expect(listed.body.executions).toEqual([]);
    const history = await api(world, 'GetExecutionHistory', { executionArn });
    const types = (history.body.events as { type: string }[]).map(({ type }) => type);
    expect(types).toEqual([
      'ExecutionStarted',
      'MapStateEntered',
      'MapIterationStarted',
      'TaskStateEntered',
      'TaskStateExited',
      'MapIterationSucceeded',
      'MapStateExited',
      'WaitStateEntered',
      'WaitStateExited',
      'ChoiceStateEntered',
      'ChoiceStateExited',
      'SucceedStateEntered',
      'SucceedStateExited',
      'ExecutionSucceeded',
    ]);
    const absent = await api(world, 'DescribeExecution', { executionArn: `${executionArn}x` });
    expect(absent.body.__type).toBe('ExecutionDoesNotExist');
  });

  it('does nothing more once it is stopped', async () => {
    const world = await createFixture();
    await start(world);
    await api(world, 'StopExecution', { executionArn, error: 'Enough', cause: 'a person' });
    const { status } = await finished(world);
    await world.time.run({ until: () => false, horizonMs: 60_000 });
    expect(status).toBe('ABORTED');
    expect(world.lambda.records()).toEqual([]);
    const described = await api(world, 'DescribeExecution', { executionArn });
    expect(described.body).toMatchObject({ status: 'ABORTED', error: 'Enough' });
  });
});

describe('the limits of an execution', () => {
  it('fails it when its history is full', async () => {
    const world = await createFixture();
    await start(world, { ...plain, items: ['a', 'b', 'c'] });
    const [execution] = world.states.executions();
    if (execution) execution.events = 24_988;
    expect(await finished(world)).toMatchObject({
      status: 'FAILED',
      error: 'States.Runtime',
      cause: expect.stringContaining('maximum number of history events'),
    });
    await world.time.run({ until: () => false, horizonMs: 60_000 });
    expect(world.lambda.records().length).toBeLessThanOrEqual(3);
  });

  it('lets no result of a task be longer than 256 KiB', async () => {
    const world = await createFixture();
    // The function answers what it was given, and names the execution and the state besides.
    const item = `${'a'.repeat(262_095)}!echo`;
    await start(world, { ...plain, items: [item] });
    const { output = '{}' } = await finished(world);
    expect(JSON.parse(output).counts[0].Error).toBe('States.DataLimitExceeded');
  });

  it('is told that too much runs at once, by the name its Retry waits for', async () => {
    const world = await createFixture();
    world.faults.concurrency = () => 0;
    await start(world);
    const { output = '{}' } = await finished(world);
    expect(JSON.parse(output).counts[0]).toMatchObject({
      Error: 'Lambda.TooManyRequestsException',
      Cause: expect.stringContaining('429'),
    });
    expect(world.lambda.records()).toEqual([]);
  });
});

describe('RedriveExecution', () => {
  const redrive = (world: Fixture) => api(world, 'RedriveExecution', { executionArn });
  const types = async (world: Fixture): Promise<string[]> => {
    const history = await api(world, 'GetExecutionHistory', { executionArn });
    return (history.body.events as { type: string }[]).map(({ type }) => type);
  };

  it('goes on with the state an execution was stopped in, under its old name', async () => {
    const world = await createFixture();
    await start(world);
    const waits = (): boolean =>
      world.states.executions()[0]?.history.at(-1)?.type === 'StateEntered';
    await world.time.run({ until: waits, horizonMs: 60_000 });
    await world.time.run({ until: () => false, horizonMs: 2_000 });
    await api(world, 'StopExecution', { executionArn });
    expect((await finished(world)).status).toBe('ABORTED');
    expect((await redrive(world)).status).toBe(200);
    const { status, output = '{}', redrives } = await finished(world);
    expect([status, redrives]).toEqual(['SUCCEEDED', 1]);
    // The items were counted before it was stopped, and are not counted again.
    expect(JSON.parse(output).counts[0].calls).toBe(1);
    expect(world.lambda.records()).toHaveLength(1);
    expect(await types(world)).toContain('ExecutionRedriven');
  });

  it('refuses what runs or has succeeded', async () => {
    const world = await createFixture();
    await start(world);
    expect((await redrive(world)).body.__type).toBe('ExecutionNotRedrivable');
    await finished(world);
    expect((await redrive(world)).body.__type).toBe('ExecutionNotRedrivable');
  });
});

describe('UpdateStateMachine', () => {
  it('is for executions that start later: those that run keep what they began with', async () => {
    const world = await createFixture();
    await start(world);
    const definition = JSON.stringify({ StartAt: 'Done', States: { Done: { Type: 'Succeed' } } });
    const answer = await api(world, 'UpdateStateMachine', { stateMachineArn, definition });
    expect(answer.status).toBe(200);
    await start(world, plain, 'two');
    await world.time.run({ until: () => false, horizonMs: 60_000 });
    const outputs = world.states.executions().map(({ output = '{}' }) => JSON.parse(output));
    expect(outputs).toMatchObject([{ counts: [{ key: 'a' }] }, plain]);
    expect(outputs[1]).not.toHaveProperty('counts');
  });
});

describe('a task token', () => {
  /** Runs until the callback function has been given its token, which it logs. */
  const asked = async (world: Fixture): Promise<string> => {
    await start(world, { ...plain, ask: true });
    const logged = () => world.trace.find(({ data }) => String(data).startsWith('token '));
    await world.time.run({ until: () => logged() !== undefined, horizonMs: 60_000 });
    return String(logged()?.data).slice('token '.length);
  };

  it('brings the answer into the waiting state', async () => {
    const world = await createFixture();
    const taskToken = await asked(world);
    const output = JSON.stringify({ by: 'an operator' });
    expect((await api(world, 'SendTaskSuccess', { taskToken, output })).status).toBe(200);
    const { output: end = '{}' } = await finished(world);
    expect(JSON.parse(end).answer).toEqual({ by: 'an operator' });
    const again = await api(world, 'SendTaskSuccess', { taskToken, output });
    expect(again.body.__type).toBe('TaskTimedOut');
  });

  it('fails the state by the name given', async () => {
    const world = await createFixture();
    const taskToken = await asked(world);
    await api(world, 'SendTaskFailure', { taskToken, error: 'Denied', cause: 'not tonight' });
    expect(await finished(world)).toMatchObject({
      status: 'FAILED',
      error: 'Denied',
      cause: 'not tonight',
    });
  });

  it('is worth nothing once the execution was aborted', async () => {
    const world = await createFixture();
    const taskToken = await asked(world);
    const [execution] = world.states.executions();
    await api(world, 'StopExecution', { executionArn: execution?.arn });
    await finished(world);
    const late = await api(world, 'SendTaskSuccess', { taskToken, output: '{}' });
    expect(late.body.__type).toBe('TaskTimedOut');
  });

  it('is worth nothing after the state timed out, and never if invented', async () => {
    const world = await createFixture();
    const taskToken = await asked(world);
    expect(await finished(world)).toMatchObject({ status: 'FAILED', error: 'States.Timeout' });
    const late = await api(world, 'SendTaskSuccess', { taskToken, output: '{}' });
    expect(late.body.__type).toBe('TaskTimedOut');
    const invented = { taskToken: 'nobody', output: '{}' };
    expect((await api(world, 'SendTaskSuccess', invented)).body.__type).toBe('InvalidToken');
    const broken = { taskToken, output: '{' };
    expect((await api(world, 'SendTaskSuccess', broken)).body.__type).toBe('InvalidOutput');
  });
});

describe('a definition', () => {
  it('is refused when a placeholder is defined nowhere', () => {
    const placeholder = ['$', '{AArn}'].join('');
    const source = JSON.stringify({
      StartAt: 'A',
      States: { A: { Type: 'Task', Resource: placeholder, End: true } },
    });
    expect(() => readDefinition(source, {})).toThrow(placeholder);
    expect(readDefinition(source, { AArn: 'x' }).States.A?.Resource).toBe('x');
  });
});
