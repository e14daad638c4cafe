import { uuid } from '../../core/aws-event.ts';
import type { Caller, Service } from '../../core/wire.ts';
import { createJsonService, type JsonInput, JsonRefusal, optionalText, text } from '../json-protocol.ts';
import {
  type Execution,
  type ExecutionStatus,
  type Machine,
  runExecution,
  type Transition,
} from './execution.ts';
import { historyOf } from './history.ts';
import { createTaskTokens, type TaskDeps, TaskError } from './tasks.ts';

export interface States extends Service {
  executions(): readonly Execution[];
  /** Called for every step of every execution, at its emulated time. */
  onTransition(listener: (transition: Transition) => void): void;
  /** Called when an execution starts and when it ends. */
  onStatus(listener: (execution: Execution) => void): void;
}

const INPUT_BYTES_MAX = 262_144;
/** Characters Step Functions forbids in names, beside white space and control characters. */
const FORBIDDEN = /[\s?*<>{}[\]"#%\\^|~`$&,;:/\p{Cc}]/u;

const seconds = (epochMs: number): number => epochMs / 1000;

const paged = <T>(items: readonly T[], input: JsonInput): { page: T[]; nextToken?: string } => {
  const from = Number(input.nextToken ?? 0);
  const size = Number(input.maxResults || 100);
  const page = items.slice(from, from + size);
  return from + size < items.length ? { page, nextToken: String(from + size) } : { page };
};

const described = (execution: Execution): object => ({
  executionArn: execution.arn,
  stateMachineArn: execution.machine.arn,
  name: execution.name,
  status: execution.status,
  startDate: seconds(execution.startedAt),
  ...(execution.stoppedAt === undefined ? {} : { stopDate: seconds(execution.stoppedAt) }),
});

/**
 * The Step Functions API (JSON 1.0) over the state machine files themselves. STANDARD only: a name
 * given twice with the same input while running is one execution, in every other case
 * ExecutionAlreadyExists (Step Functions guide, StartExecution).
 */
export const createStates = (deps: TaskDeps & { machines: readonly Machine[] }): States => {
  const { time, rng, iam } = deps;
  const executions = new Map<string, Execution>();
  const tokens = createTaskTokens(rng.fork('tokens'));
  const ids = rng.fork('ids');
  const transitionListeners: ((transition: Transition) => void)[] = [];
  const statusListeners: ((execution: Execution) => void)[] = [];
  const announce = (execution: Execution): void => {
    for (const listener of statusListeners) listener(execution);
  };

  const allow = (action: string, arn: string, caller: Caller): void => {
    const why = iam.denial(`states:${action}`, [{ arn }], caller);
    if (why) throw new JsonRefusal('AccessDeniedException', why);
  };
  const machineOf = (arn: string): Machine => {
    const machine = deps.machines.find((m) => m.arn === arn);
    if (machine) return machine;
    throw new JsonRefusal('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
  };
  const executionOf = (input: JsonInput, action: string, caller: Caller): Execution => {
    const arn = text(input, 'executionArn');
    allow(action, arn, caller);
    const execution = executions.get(arn);
    if (execution) return execution;
    throw new JsonRefusal('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
  };

  const begin = (machine: Machine, arn: string, name: string, input: string): Execution => {
    const execution: Execution = {
      arn,
      name,
      machine,
      input,
      status: 'RUNNING',
      startedAt: time.now(),
      history: [],
      abort: () => {
        Object.assign(execution, { status: 'ABORTED', stoppedAt: time.now() });
      },
    };
    executions.set(arn, execution);
    const onTransition = (transition: Transition): void => {
      for (const listener of transitionListeners) listener(transition);
    };
    // In its own turn, so that the caller has the answer before the first state is entered.
    time.after(0, () => {
      if (execution.status !== 'RUNNING') return announce(execution);
      void runExecution(execution, { ...deps, tokens, onTransition }).then(() =>
        announce(execution),
      );
    });
    announce(execution);
    return execution;
  };

  const startExecution = (input: JsonInput, caller: Caller): object => {
    const machine = machineOf(text(input, 'stateMachineArn'));
    allow('StartExecution', machine.arn, caller);
    const name = optionalText(input, 'name') ?? uuid(ids);
    if (name.length > 80 || FORBIDDEN.test(name)) {
      throw new JsonRefusal('InvalidName', `Invalid Name: '${name}'`);
    }
    const data = optionalText(input, 'input') ?? '{}';
    if (Buffer.byteLength(data) > INPUT_BYTES_MAX) {
      throw new JsonRefusal('ValidationException', 'the input is longer than 262144 bytes');
    }
    try {
      JSON.parse(data);
    } catch (cause) {
      throw new JsonRefusal('InvalidExecutionInput', `Invalid State Machine Execution Input: ${cause}`);
    }
    const arn = `${machine.arn.replace(':stateMachine:', ':execution:')}:${name}`;
    const existing = executions.get(arn);
    if (existing && (existing.status !== 'RUNNING' || existing.input !== data)) {
      throw new JsonRefusal('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
    }
    const { startedAt } = existing ?? begin(machine, arn, name, data);
    return { executionArn: arn, startDate: seconds(startedAt) };
  };

  const settle = (token: string, result: { output: unknown } | { error: TaskError }): object => {
    const outcome = tokens.settle(token, result);
    if (outcome === 'unknown') throw new JsonRefusal('InvalidToken', 'Invalid Token');
    if (outcome === 'too late') throw new JsonRefusal('TaskTimedOut', 'Task Timed Out');
    return {};
  };

  return {
    executions: () => [...executions.values()],
    onTransition: (listener) => transitionListeners.push(listener),
    onStatus: (listener) => statusListeners.push(listener),
    ...createJsonService({
      version: '1.0',
      rng: rng.fork('requests'),
      operations: {
        StartExecution: startExecution,
        DescribeExecution: (input, caller) => {
          const execution = executionOf(input, 'DescribeExecution', caller);
          const { output, error, cause } = execution;
          return { ...described(execution), input: execution.input, output, error, cause };
        },
        StopExecution: (input, caller) => {
          const execution = executionOf(input, 'StopExecution', caller);
          const { error, cause } = input;
          if (execution.status === 'RUNNING') Object.assign(execution, { error, cause });
          execution.abort();
          return { stopDate: seconds(execution.stoppedAt ?? time.now()) };
        },
        ListExecutions: (input, caller) => {
          const machine = machineOf(text(input, 'stateMachineArn'));
          allow('ListExecutions', machine.arn, caller);
          const status = optionalText(input, 'statusFilter') as ExecutionStatus | undefined;
          const wanted = [...executions.values()].filter(
            (e) => e.machine === machine && (!status || e.status === status),
          );
          const { page, nextToken } = paged(wanted.reverse(), input);
          return { executions: page.map(described), nextToken };
        },
        GetExecutionHistory: (input, caller) => {
          const execution = executionOf(input, 'GetExecutionHistory', caller);
          const events = historyOf(execution.history);
          const { page, nextToken } = paged(input.reverseOrder ? events.reverse() : events, input);
          return { events: page, nextToken };
        },
        DescribeStateMachine: (input, caller) => {
          const machine = machineOf(text(input, 'stateMachineArn'));
          allow('DescribeStateMachine', machine.arn, caller);
          return {
            stateMachineArn: machine.arn,
            name: machine.name,
            status: 'ACTIVE',
            type: 'STANDARD',
            roleArn: machine.roleArn,
            definition: JSON.stringify(machine.definition),
            creationDate: seconds(machine.createdAt),
          };
        },
        ListStateMachines: () => ({
          stateMachines: deps.machines.map(({ arn, name, createdAt }) => ({
            stateMachineArn: arn,
            name,
            type: 'STANDARD',
            creationDate: seconds(createdAt),
          })),
        }),
        SendTaskSuccess: (input, caller) => {
          allow('SendTaskSuccess', '*', caller);
          let output: unknown;
          try {
            output = JSON.parse(text(input, 'output'));
          } catch (cause) {
            throw new JsonRefusal('InvalidOutput', `Invalid Output: ${cause}`);
          }
          return settle(text(input, 'taskToken'), { output });
        },
        SendTaskFailure: (input, caller) => {
          allow('SendTaskFailure', '*', caller);
          const error = optionalText(input, 'error') ?? 'States.TaskFailed';
          const cause = optionalText(input, 'cause') ?? '';
          return settle(text(input, 'taskToken'), { error: new TaskError(error, cause) });
        },
      },
    }),
  };
};
