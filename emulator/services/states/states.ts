import { uuid } from '../../core/aws-event.ts';
import type { Caller, Service } from '../../core/wire.ts';
import {
  createJsonService,
  type JsonInput,
  JsonRefusal,
  optionalText,
  text,
  tryParse,
} from '../json-protocol.ts';
import { type Execution, type Machine, runExecution, type Transition } from './execution.ts';
import { createReadOperations } from './read-operations.ts';
import { createTaskTokens, type TaskDeps, TaskError, type TaskTokens } from './tasks.ts';

export interface States extends Service {
  executions(): readonly Execution[];
  /** Called for every step of every execution, at its emulated time. */
  onTransition(listener: (transition: Transition) => void): void;
  /** Called when an execution starts and when it ends. */
  onStatus(listener: (execution: Execution) => void): void;
}

const INPUT_BYTES_MAX = 262_144;
const NAME_LENGTH_MAX = 80;
/** Characters Step Functions forbids in names, beside white space and control characters. */
const FORBIDDEN = /[\s?*<>{}[\]"#%\\^|~`$&,;:/\p{Cc}]/u;

type StatesDeps = TaskDeps & { machines: readonly Machine[] };

const parseJson = (code: string, source: string): unknown => {
  const parsed = tryParse(source);
  if (!parsed) throw new JsonRefusal(code, `Invalid JSON: '${source.slice(0, 100)}'`);
  return parsed.value;
};

/** Starts executions and keeps them; names are idempotent as StartExecution promises. */
const createStarter = (
  deps: StatesDeps & { tokens: TaskTokens; onTransition: (transition: Transition) => void },
  announce: (execution: Execution) => void,
) => {
  const { time, rng } = deps;
  const executions = new Map<string, Execution>();
  const ids = rng.fork('ids');

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
    announce(execution);
    // In its own turn, so that the caller has the answer before the first state is entered.
    time.after(0, () => {
      if (execution.status !== 'RUNNING') return announce(execution);
      void runExecution(execution, deps).then(() => announce(execution));
    });
    return execution;
  };

  const start = (machine: Machine, input: JsonInput): Execution => {
    const name = optionalText(input, 'name') ?? uuid(ids);
    if (name.length > NAME_LENGTH_MAX || FORBIDDEN.test(name)) {
      throw new JsonRefusal('InvalidName', `Invalid Name: '${name}'`);
    }
    const data = optionalText(input, 'input') ?? '{}';
    if (Buffer.byteLength(data) > INPUT_BYTES_MAX) {
      throw new JsonRefusal('ValidationException', 'the input is longer than 262144 bytes');
    }
    parseJson('InvalidExecutionInput', data);
    const arn = `${machine.arn.replace(':stateMachine:', ':execution:')}:${name}`;
    const existing = executions.get(arn);
    if (existing && (existing.status !== 'RUNNING' || existing.input !== data)) {
      throw new JsonRefusal('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);
    }
    return existing ?? begin(machine, arn, name, data);
  };
  return { executions, start };
};

/**
 * The Step Functions API (JSON 1.0) over the state machine files themselves. STANDARD only: a name
 * given twice with the same input while running is one execution, in every other case
 * ExecutionAlreadyExists (Step Functions guide, StartExecution).
 */
export const createStates = (deps: StatesDeps): States => {
  const { time, rng, iam, machines } = deps;
  const tokens = createTaskTokens(rng.fork('tokens'));
  const transitionListeners: ((transition: Transition) => void)[] = [];
  const statusListeners: ((execution: Execution) => void)[] = [];
  const onTransition = (transition: Transition): void => {
    for (const listener of transitionListeners) listener(transition);
  };
  const { executions, start } = createStarter({ ...deps, tokens, onTransition }, (execution) => {
    for (const listener of statusListeners) listener(execution);
  });
  const allow = (action: string, arn: string, caller: Caller): void => {
    const why = iam.denial(`states:${action}`, [{ arn }], caller);
    if (why) throw new JsonRefusal('AccessDeniedException', why);
  };
  const machineFor = (input: JsonInput, action: string, caller: Caller): Machine => {
    const arn = text(input, 'stateMachineArn');
    allow(action, arn, caller);
    const machine = machines.find((m) => m.arn === arn);
    if (machine) return machine;
    throw new JsonRefusal('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);
  };
  const executionFor = (input: JsonInput, action: string, caller: Caller): Execution => {
    const arn = text(input, 'executionArn');
    allow(action, arn, caller);
    const execution = executions.get(arn);
    if (execution) return execution;
    throw new JsonRefusal('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);
  };
  const settle = (token: string, result: { output: unknown } | { error: TaskError }): object => {
    const outcome = tokens.settle(token, result);
    if (outcome === 'unknown') throw new JsonRefusal('InvalidToken', 'Invalid Token');
    if (outcome === 'too late') throw new JsonRefusal('TaskTimedOut', 'Task Timed Out');
    return {};
  };

  const service = createJsonService({
    version: '1.0',
    rng: rng.fork('requests'),
    operations: {
      ...createReadOperations({ machines, executions, machineFor, executionFor }),
      StartExecution: (input, caller) => {
        const { arn, startedAt } = start(machineFor(input, 'StartExecution', caller), input);
        return { executionArn: arn, startDate: startedAt / 1000 };
      },
      StopExecution: (input, caller) => {
        const execution = executionFor(input, 'StopExecution', caller);
        const { error, cause } = input;
        if (execution.status === 'RUNNING') Object.assign(execution, { error, cause });
        execution.abort();
        return { stopDate: (execution.stoppedAt ?? time.now()) / 1000 };
      },
      SendTaskSuccess: (input, caller) => {
        allow('SendTaskSuccess', '*', caller);
        const output = parseJson('InvalidOutput', text(input, 'output'));
        return settle(text(input, 'taskToken'), { output });
      },
      SendTaskFailure: (input, caller) => {
        allow('SendTaskFailure', '*', caller);
        const name = optionalText(input, 'error') ?? 'States.TaskFailed';
        const error = new TaskError(name, optionalText(input, 'cause') ?? '');
        return settle(text(input, 'taskToken'), { error });
      },
    },
  });
  return {
    ...service,
    executions: () => [...executions.values()],
    onTransition: (listener) => transitionListeners.push(listener),
    onStatus: (listener) => statusListeners.push(listener),
  };
};
