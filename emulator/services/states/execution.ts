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

/** Starts the engine on the machine's own definition; resolves when the execution has ended. */
export const runExecution = (
  execution: Execution,
  deps: TaskDeps & { tokens: TaskTokens; onTransition: (transition: Transition) => void },
): Promise<void> => {
  const { machine, arn, name } = execution;
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
  const taskResourceLocalHandlers = createTaskHandlers(machine.definition, {
    ...deps,
    accessKeyId: machine.accessKeyId,
    alive: () => execution.status === 'RUNNING',
    takeToken,
  });
  const engine = new StateMachine(
    machine.definition as unknown as ConstructorParameters<typeof StateMachine>[0],
    { validationOptions: { noValidate: true } },
  );
  const run = engine.run(JSON.parse(execution.input), {
    context,
    overrides: { taskResourceLocalHandlers: taskResourceLocalHandlers as never },
  });
  execution.abort = run.abort;

  const follow = async (): Promise<void> => {
    for await (const event of run.eventLogs) {
      execution.history.push(event);
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
      execution.status = TERMINAL[thrown.name] ?? 'FAILED';
      if (execution.status === 'FAILED') {
        const cause = thrown.cause instanceof Error ? thrown.cause : thrown;
        execution.error = cause.name;
        execution.cause = cause.message;
      }
    }
    execution.stoppedAt = time.now();
  };
  return Promise.all([follow(), finish()]).then(() => undefined);
};
