import { DescribeExecutionCommand, SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import 'aws-sdk-client-mock-vitest/extend';
import { createWorkflow } from '../../../../src/adapters/step-functions/workflow.ts';
import { awsError, lostConnection } from './support.ts';

const mock = mockClient(SFNClient);
const client = new SFNClient({ region: 'us-east-1' });
const stateMachineArn = 'arn:aws:states:us-east-1:123456789012:stateMachine:failover';
const executionArn = 'arn:aws:states:us-east-1:123456789012:execution:failover:fo-1';
const stateMachineArns = { failover: stateMachineArn, drain: `${stateMachineArn}_drain` };
const workflow = createWorkflow({ client, stateMachineArns });

beforeEach(() => {
  mock.reset();
});

describe('starting an execution', () => {
  it('uses the name it was given and sorts the input', async () => {
    mock.on(StartExecutionCommand).resolves({ executionArn });
    const input = { n: 2, instanceId: 'i-1', forced: false };
    expect(await workflow.start('failover', 'fo-1', input)).toBe(executionArn);
    expect(mock.calls().map(({ args }) => args[0].input)).toEqual([
      { stateMachineArn, name: 'fo-1', input: '{"forced":false,"instanceId":"i-1","n":2}' },
    ]);
  });

  it('starts a planned move in the other workflow', async () => {
    mock.on(StartExecutionCommand).rejects(awsError('ExecutionAlreadyExists'));
    const arn = executionArn.replace(':failover:', ':failover_drain:');
    expect(await workflow.start('drain', 'fo-1', {})).toBe(arn);
    expect(mock).toHaveReceivedCommandWith(StartExecutionCommand, {
      stateMachineArn: stateMachineArns.drain,
    });
  });

  it('sends the same bytes whatever the order of the keys', async () => {
    mock.on(StartExecutionCommand).resolves({ executionArn });
    await workflow.start('failover', 'fo-1', { a: 1, b: 2 });
    await workflow.start('failover', 'fo-1', { b: 2, a: 1 });
    const [first, second] = mock.commandCalls(StartExecutionCommand);
    expect(second?.args[0].input.input).toBe(first?.args[0].input.input);
  });

  it('takes a name that was used before for an execution that was started', async () => {
    mock.on(StartExecutionCommand).rejects(awsError('ExecutionAlreadyExists'));
    expect(await workflow.start('failover', 'fo-1', {})).toBe(executionArn);
  });

  it.each([
    ['StateMachineDoesNotExist', 'CloudRefusedError'],
    ['ExecutionLimitExceeded', 'CloudThrottledError'],
    ['AccessDeniedException', 'NotAuthorizedError'],
  ])('throws %s as %s', async (code, name) => {
    mock.on(StartExecutionCommand).rejects(awsError(code));
    await expect(workflow.start('failover', 'fo-1', {})).rejects.toMatchObject({ name });
  });

  it('does not claim to have started anything when the answer was lost', async () => {
    mock.on(StartExecutionCommand).rejects(lostConnection());
    await expect(workflow.start('failover', 'fo-1', {})).rejects.toMatchObject({
      name: 'CloudAmbiguousError',
    });
  });
});

describe('looking at an execution', () => {
  it.each(['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED', 'PENDING_REDRIVE'] as const)(
    'answers %s',
    async (status) => {
      mock.on(DescribeExecutionCommand).resolves({ status });
      expect(await workflow.status(executionArn)).toBe(status);
      expect(mock).toHaveReceivedCommandExactlyOnceWith(DescribeExecutionCommand, { executionArn });
    },
  );

  it('answers UNKNOWN only when Step Functions says so', async () => {
    mock.on(DescribeExecutionCommand).rejects(awsError('ExecutionDoesNotExist'));
    expect(await workflow.status(executionArn)).toBe('UNKNOWN');
    mock.on(DescribeExecutionCommand).rejects(awsError('ThrottlingException'));
    await expect(workflow.status(executionArn)).rejects.toMatchObject({
      name: 'CloudThrottledError',
    });
  });

  it.each([undefined, 'DREAMING' as 'RUNNING'])(
    'does not guess about the status %s',
    async (status) => {
      mock.on(DescribeExecutionCommand).resolves(status === undefined ? {} : { status });
      await expect(workflow.status(executionArn)).rejects.toMatchObject({
        name: 'CloudUnavailableError',
      });
    },
  );
});

describe('ARNs of executions', () => {
  it('follow from the state machine’s, in every partition', () => {
    expect(workflow.arnOf('failover', 'fo-1')).toBe(executionArn);
    const arn = 'arn:aws-us-gov:states:us-gov-west-1:123456789012:stateMachine:x';
    expect(
      createWorkflow({ client, stateMachineArns: { failover: arn, drain: arn } }).arnOf(
        'drain',
        'y',
      ),
    ).toBe('arn:aws-us-gov:states:us-gov-west-1:123456789012:execution:x:y');
  });

  it.each(['', 'failover', executionArn, `${stateMachineArn}:prod`])(
    'do not follow from %j',
    (arn) => {
      expect(() =>
        createWorkflow({ client, stateMachineArns: { ...stateMachineArns, drain: arn } }),
      ).toThrow(expect.objectContaining({ name: 'ParseError' }));
    },
  );
});
