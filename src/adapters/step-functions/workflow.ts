import {
  DescribeExecutionCommand,
  SendTaskSuccessCommand,
  type SFNClient,
  type ExecutionStatus as SfnExecutionStatus,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { CloudUnavailableError, ParseError } from '../../domain/errors.ts';
import type { IncidentMode } from '../../domain/incident.ts';
import type { ExecutionStatus, Workflow } from '../../ports/workflow.ts';
import { changing, reading } from '../aws-sdk/calls.ts';

const statusOf: Readonly<Record<SfnExecutionStatus, ExecutionStatus>> = {
  RUNNING: 'RUNNING',
  SUCCEEDED: 'SUCCEEDED',
  FAILED: 'FAILED',
  TIMED_OUT: 'TIMED_OUT',
  ABORTED: 'ABORTED',
  PENDING_REDRIVE: 'PENDING_REDRIVE',
};

/** Equal inputs are equal bytes: Step Functions compares them when a name is used again. */
const canonicalJson = (input: Readonly<Record<string, string | number | boolean>>): string =>
  JSON.stringify(
    Object.fromEntries(Object.entries(input).toSorted(([a], [b]) => (a < b ? -1 : 1))),
  );

/** `arn:aws:states:<region>:<account>:stateMachine:<name>` -> `...:execution:<name>:`. */
const executionArnPrefix = (stateMachineArn: string): string => {
  const parts = /^(arn:[\w-]+:states:[\w-]+:\d{12}:)stateMachine:([^:]+)$/.exec(stateMachineArn);
  if (parts === null) throw new ParseError('state machine ARN', `'${stateMachineArn}' is none`);
  return `${parts[1]}execution:${parts[2]}:`;
};

/** Looks at executions. Throws the domain's cloud errors. */
export const createExecutions = ({
  client,
}: {
  readonly client: SFNClient;
}): Pick<Workflow, 'status'> => ({
  async status(executionArn) {
    const operation = 'DescribeExecution';
    const answer = await reading(
      operation,
      () => client.send(new DescribeExecutionCommand({ executionArn })),
      ({ code }) => (code === 'ExecutionDoesNotExist' ? 'unknown' : undefined),
    );
    if (answer === 'unknown') return 'UNKNOWN';
    const status = answer.status === undefined ? undefined : statusOf[answer.status];
    if (status === undefined) {
      throw new CloudUnavailableError(operation, `unreadable answer: status '${answer.status}'`);
    }
    return status;
  },
});

/** The token was used, its state has ended, or it never was one. */
const lateCodes = ['TaskTimedOut', 'TaskDoesNotExist', 'InvalidToken'];

/** Answers executions that wait. Throws the domain's cloud errors. */
export const createAnswers = ({
  client,
}: {
  readonly client: SFNClient;
}): Pick<Workflow, 'answer'> => ({
  async answer(taskToken) {
    const command = new SendTaskSuccessCommand({ taskToken, output: '{"kind":"answered"}' });
    const answer = await changing(
      'SendTaskSuccess',
      () => client.send(command),
      ({ code }) => (lateCodes.includes(code) ? 'late' : undefined),
    );
    return answer === 'late' ? 'late' : 'accepted';
  },
});

export interface WorkflowDeps {
  readonly client: SFNClient;
  readonly stateMachineArns: Readonly<Record<IncidentMode, string>>;
}

/** Throws the domain's cloud errors, and ParseError for an ARN that is not a state machine's. */
export const createWorkflow = ({ client, stateMachineArns }: WorkflowDeps): Workflow => {
  const prefixes: Readonly<Record<IncidentMode, string>> = {
    failover: executionArnPrefix(stateMachineArns.failover),
    drain: executionArnPrefix(stateMachineArns.drain),
  };
  const arnOf = (mode: IncidentMode, name: string): string => `${prefixes[mode]}${name}`;
  return {
    ...createExecutions({ client }),
    ...createAnswers({ client }),
    arnOf,

    async start(mode, name, input) {
      const command = new StartExecutionCommand({
        stateMachineArn: stateMachineArns[mode],
        name,
        input: canonicalJson(input),
      });
      // Answered for a closed execution too. Names are allocated in the ledger, one per take-over,
      // so whoever meets its own name again has started it before and lost the answer.
      const answer = await changing(
        'StartExecution',
        () => client.send(command),
        ({ code }) => (code === 'ExecutionAlreadyExists' ? 'started-before' : undefined),
      );
      return answer === 'started-before'
        ? arnOf(mode, name)
        : (answer.executionArn ?? arnOf(mode, name));
    },
  };
};
