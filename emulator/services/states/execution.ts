import { StateMachine } from 'aws-local-stepfunctions';
import { isoTime } from '../../core/time.ts';
import type { AslMachine } from './definition.ts';
import { createTaskHandlers, type TaskDeps, type TaskTokens } from './tasks.ts';

/** One entry of the engine's log; the engine exports no name for it. */
export type EventLog =
  ReturnType<StateMachine['run']>['eventLogs'] extends AsyncGenerator<infer Event> ? Event : never;

export type ExecutionStatus = 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';

/** A deployed state machine. */
export interface Machine {
  arn: string;
  name: string;
  roleArn: string;
  accessKeyId: string;
  definition: AslMachine;
  createdAt: number;
}

export interface Execution {
  arn: string;
  name: string;
  machine: Machine;
  /** The machine's when it started: a later one does not concern it, nor its redrives. */
  definition: AslMachine;
  /** As given, byte for byte: names are idempotent only for the same input. */
  input: string;
  status: ExecutionStatus;
  startedAt: number;
  stoppedAt?: number;
  output?: string;
  error?: string;
  cause?: string;
  /** The engine's own log, timestamps in epoch ms. */
  history: EventLog[];
  /**
   * As Step Functions counts them: three for each call of a function. Whoever cannot wait for a long
   * history may set it.
   */
  events: number;
  redrives: number;
  abort: () => void;
}

/** One step of an execution, for live timelines and traces. */
export interface Transition {
  at: number;
  executionArn: string;
  /** The engine's event: `StateEntered`, `StateExited`, `StateFailed`, `ExecutionSucceeded`, ... */
  kind: EventLog['type'];
  state?: string;
  error?: string;
  output?: unknown;
}

const transitionOf = (executionArn: string, event: EventLog): Transition => ({
  at: event.timestamp,
  executionArn,
  kind: event.type,
  ...('state' in event ? { state: event.state.name } : {}),
  ...('Error' in event ? { error: event.Error } : {}),
  ...('state' in event && event.type === 'StateExited' ? { output: event.state.output } : {}),
});

const TERMINAL: Partial<Record<string, ExecutionStatus>> = {
  ExecutionAbortedError: 'ABORTED',
  ExecutionTimeoutError: 'TIMED_OUT',
};

/** Step Functions guide, quotas: the execution fails when its history is full. */
const HISTORY_EVENTS_MAX = 25_000;
/** LambdaFunctionScheduled, LambdaFunctionStarted, LambdaFunctionSucceeded or ...Failed. */
const EVENTS_PER_CALL = 3;

/** The top-level state an execution was in when it ended, and what it had been given. */
export const lastEntered = ({
  history,
}: Execution): { state: string; input: unknown } | undefined => {
  const entered = history.findLast(
    (event) => event.type === 'StateEntered' && event.index === undefined,
  );
  if (entered?.type !== 'StateEntered') return undefined;
  return { state: entered.state.name, input: entered.state.input };
};

/**
 * Starts the engine on the execution's own definition, or in the state given; resolves when the
 * execution has ended.
 */
export const runExecution = (
  execution: Execution,
  deps: TaskDeps & {
    tokens: TaskTokens;
    onTransition: (transition: Transition) => void;
  },
  from?: { state: string; input: unknown },
): Promise<void> => {
  const { machine, arn, name } = execution;
  const definition = from ? { ...execution.definition, StartAt: from.state } : execution.definition;
  const { time, tokens } = deps;
  // Filled by the context object while a state's parameters are read, and taken by the task of
  // that very state: the engine does both in one synchronous piece.
  let issued: string | undefined;
  const tokenOf = new Map<string, string>();
  const context = {
    Execution: { Id: arn, Name: name, RoleArn: machine.roleArn },
    StateMachine: { Id: machine.arn, Name: machine.name },
    State: {
      get EnteredTime() {
        return isoTime(time.now());
      },
    },
    Task: {
      get Token() {
        issued = tokens.issue();
        return issued;
      },
    },
  };
  const takeToken = (stateName: string): string => {
    const token = issued ?? tokens.issue();
    issued = undefined;
    tokenOf.set(stateName, token);
    return token;
  };
  const count = (events: number): void => {
    execution.events += events;
    if (execution.events < HISTORY_EVENTS_MAX || isFull) return;
    isFull = true;
    execution.abort();
  };
  let isFull = false;
  const taskResourceLocalHandlers = createTaskHandlers(definition, {
    ...deps,
    onCall: () => count(EVENTS_PER_CALL),
    accessKeyId: machine.accessKeyId,
    alive: () => execution.status === 'RUNNING',
    takeToken,
  });
  const engine = new StateMachine(
    definition as unknown as ConstructorParameters<typeof StateMachine>[0],
    { validationOptions: { noValidate: true } },
  );
  const input = from ? from.input : JSON.parse(execution.input);
  const run = engine.run(input as never, {
    context,
    overrides: { taskResourceLocalHandlers: taskResourceLocalHandlers as never },
  });
  execution.abort = () => {
    // Nobody waits any more: an answer that comes now is too late.
    for (const token of tokenOf.values()) tokens.expire(token);
    run.abort();
  };

  const follow = async (): Promise<void> => {
    for await (const event of run.eventLogs) {
      execution.history.push(event);
      if (event.type !== 'StateFailed' && event.type !== 'StateRetried') count(1);
      if (event.type === 'StateFailed' || event.type === 'StateExited') {
        const token = tokenOf.get(event.state.name);
        if (token) tokens.expire(token);
      }
      deps.onTransition(transitionOf(arn, event));
    }
  };
  const finish = async (): Promise<void> => {
    try {
      execution.output = JSON.stringify(await run.result);
      execution.status = 'SUCCEEDED';
    } catch (error) {
      const thrown = error instanceof Error ? error : new Error(String(error));
      execution.status = isFull ? 'FAILED' : (TERMINAL[thrown.name] ?? 'FAILED');
      if (isFull) {
        execution.error = 'States.Runtime';
        execution.cause = 'The execution reached the maximum number of history events.';
      } else if (execution.status === 'FAILED') {
        const cause = thrown.cause instanceof Error ? thrown.cause : thrown;
        execution.error = cause.name;
        execution.cause = cause.message;
      }
    }
    execution.stoppedAt = time.now();
  };
  return Promise.all([follow(), finish()]).then(() => undefined);
};
