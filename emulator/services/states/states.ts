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
import { readDefinition } from './definition.ts';
import {
  type Execution,
  lastEntered,
  type Machine,
  runExecution,
  type Transition,
} from './execution.ts';
import { createReadOperations } from './read-operations.ts';
import {
  createTaskTokens,
  PAYLOAD_BYTES_MAX,
  type TaskDeps,
  TaskError,
  type TaskTokens,
} from './tasks.ts';

export interface States extends Service {
  executions(): readonly Execution[];
  /** Called for every step of every execution, at its emulated time. */
  onTransition(listener: (transition: Transition) => void): void;
  /** Called when an execution starts and when it ends. */
  onStatus(listener: (execution: Execution) => void): void;
}

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

  const launch = (execution: Execution, from?: ReturnType<typeof lastEntered>): void => {
    execution.abort = () => {
      Object.assign(execution, { status: 'ABORTED', stoppedAt: time.now() });
    };
    announce(execution);
    // In its own turn, so that the caller has the answer before the first state is entered.
    time.after(0, () => {
      if (execution.status !== 'RUNNING') return announce(execution);
      void runExecution(execution, deps, from).then(() => announce(execution));
    });
  };

  const begin = (machine: Machine, arn: string, name: string, input: string): Execution => {
    const execution: Execution = {
      arn,
      name,
      machine,
      definition: machine.definition,
      input,
      status: 'RUNNING',
      startedAt: time.now(),
      history: [],
      events: 0,
      redrives: 0,
      abort: () => {},
    };
    executions.set(arn, execution);
    launch(execution);
    return execution;
  };

  const start = (machine: Machine, input: JsonInput): Execution => {
    const name = optionalText(input, 'name') ?? uuid(ids);
    if (name.length > NAME_LENGTH_MAX || FORBIDDEN.test(name)) {
      throw new JsonRefusal('InvalidName', `Invalid Name: '${name}'`);
    }
    const data = optionalText(input, 'input') ?? '{}';
    if (Buffer.byteLength(data) > PAYLOAD_BYTES_MAX) {
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

  /** Again from the state it ended in, with what that state had been given. */
  const redrive = (execution: Execution): void => {
    const { arn, status } = execution;
    if (status === 'RUNNING' || status === 'SUCCEEDED') {
      const why = `Execution is not redrivable: '${arn}' is ${status}`;
      throw new JsonRefusal('ExecutionNotRedrivable', why);
    }
    execution.status = 'RUNNING';
    execution.redrives += 1;
    for (const end of ['stoppedAt', 'error', 'cause'] as const) delete execution[end];
    launch(execution, lastEntered(execution));
  };
  return { executions, start, redrive };
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
  const starter = createStarter({ ...deps, tokens, onTransition }, (execution) => {
    for (const listener of statusListeners) listener(execution);
  });
  const { executions, start, redrive } = starter;
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
      RedriveExecution: (input, caller) => {
        redrive(executionFor(input, 'RedriveExecution', caller));
        return { redriveDate: time.now() / 1000 };
      },
      UpdateStateMachine: (input, caller) => {
        const machine = machineFor(input, 'UpdateStateMachine', caller);
        const source = text(input, 'definition');
        parseJson('InvalidDefinition', source);
        machine.definition = readDefinition(source, {});
        return { updateDate: time.now() / 1000 };
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
