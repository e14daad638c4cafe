import { createRng } from '../../emulator/core/random.ts';
import { createVirtualTime } from '../../emulator/core/virtual-time.ts';
import { loadInfra } from '../../emulator/infra.ts';
import type { Outcome } from '../../emulator/services/lambda/invocation.ts';
import { type AslMachine, readDefinition } from '../../emulator/services/states/definition.ts';
import {
  type EventLog,
  type Execution,
  runExecution,
} from '../../emulator/services/states/execution.ts';
import { createTaskTokens, type TaskTokens } from '../../emulator/services/states/tasks.ts';
import { projectDir } from '../support/project-files.ts';
import { contracts, fileOf, type MachineFile, type Step } from './contract.ts';
import { catchAll, type Edge, edgesOf, type Machine, stateOf } from './machine.ts';
import { logicalIdOf } from './project.ts';

const infra = loadInfra({
  folder: `${projectDir}/infra`,
  account: '123456789012',
  region: 'us-east-1',
  stack: 'paths',
  parameters: { ClusterName: 'demo', DcosUrl: 'https://dcos.internal' },
});
const deployedAs = (file: MachineFile) => {
  const { arn, properties } = infra.resource(logicalIdOf(file));
  return { arn, substitutions: properties.DefinitionSubstitutions as Record<string, string> };
};

interface Thrown {
  readonly throws: string;
  readonly message?: string;
}
/** What a function answers to one call: a decision, an error, a crash, or nothing at all. */
export type Answer =
  | { readonly kind: string; readonly [key: string]: unknown }
  | Thrown
  | { readonly crashes: true }
  /** Nobody ever answers the task token it was given. */
  | { readonly silent: true }
  | { readonly hangs: true };
export type Script = Readonly<Record<string, readonly Answer[]>>;

/** What one execution did. */
export interface Run {
  /** `SUCCEEDED` or `FAILED`. */
  readonly status: string;
  readonly output: unknown;
  readonly error: string | undefined;
  readonly cause: string | undefined;
  /** The states entered, in order, without those of items. */
  readonly path: readonly string[];
  /** The states each item entered, by its place in the Map; of several Maps the last one's. */
  readonly items: readonly (readonly string[])[];
  /** What each call of a function was given, in order. */
  readonly calls: readonly { readonly task: string; readonly input: unknown }[];
  /** The ways it took, as `waysOf` labels them. */
  readonly taken: readonly string[];
  /** Virtual time from start to end. */
  readonly tookMs: number;
}

const taskOf = (key: string): string => `${key.charAt(0).toUpperCase()}${key.slice(1)}`;

const isThrown = (answer: Answer): answer is Thrown => 'throws' in answer;

const outcomeOf = (answer: Answer): Outcome | Promise<never> => {
  if ('hangs' in answer) return new Promise(() => {});
  if ('silent' in answer) return { ok: true, payload: { kind: 'waits' } };
  if ('crashes' in answer) {
    const failure = { errorType: 'Runtime.ExitError', errorMessage: 'signal: killed' };
    return { ok: false, crashed: true, failure };
  }
  if (isThrown(answer)) {
    const { throws: errorType, message: errorMessage = 'scripted' } = answer;
    return { ok: false, crashed: false, failure: { errorType, errorMessage } };
  }
  return { ok: true, payload: answer };
};

/**
 * Functions that answer as written, in place of Lambda. Both sides are held to the contract: what
 * the workflow passes must parse as the step's input, what the script says as its output.
 */
const scripted = (script: Script, contract: Readonly<Record<string, Step>>, tokens: TaskTokens) => {
  const left = new Map(Object.entries(script).map(([task, answers]) => [task, [...answers]]));
  const calls: { task: string; input: unknown }[] = [];
  const problems: string[] = [];
  const answerTo = (task: string, input: unknown): Answer => {
    calls.push({ task, input });
    const answer = left.get(task)?.shift();
    const step = contract[task];
    if (step === undefined || answer === undefined) {
      problems.push(`${task} is called once more than scripted`);
      return { throws: 'UnscriptedCall' };
    }
    const says = 'kind' in answer ? step.output.safeParse(answer).error?.message : undefined;
    if (says !== undefined) problems.push(`${task} cannot answer that: ${says}`);
    const parsed = step.input.safeParse(input);
    if (parsed.success) return answer;
    return { throws: 'ParseError', message: parsed.error.message };
  };
  return {
    calls,
    /** What went otherwise than written, unused answers included. */
    problems: () => [
      ...problems,
      ...[...left].flatMap(([task, rest]) => rest.map(() => `${task} is never asked again`)),
    ],
    functions: {
      find: (arn: string) => infra.functions.find((spec) => spec.arn === arn),
      invoke: async ({ key }: { key: string }, payload: string): Promise<Outcome> => {
        const input = JSON.parse(payload);
        const answer = answerTo(taskOf(key), input);
        // Whoever is given a token answers by it, and soon.
        if ('kind' in answer && answer.kind === 'waits') {
          tokens.settle(input.taskToken, { output: { kind: 'answered' } });
        }
        return outcomeOf(answer);
      },
      kill: () => false,
      coolDown: () => {},
      redeploy: () => {},
      records: () => [],
    },
  };
};

const label = ({ from, on, to }: Edge): string =>
  on === undefined ? `${from} -> ${to}` : `${from} -(${on})-> ${to}`;

/** Every way of the machine by its label. */
export const waysOf = (machine: Machine): string[] => [...new Set(edgesOf(machine).map(label))];

/** What the log says about the state an execution, or one of its items, is in. */
interface Place {
  readonly name: string;
  /** The error by which a Catch is leaving it. */
  readonly caught?: string;
}

/** Follows the log: the ways that led from state to state, at the top and in every item. */
const follow = (log: readonly EventLog[], machine: Machine) => {
  const ways = edgesOf(machine);
  const path: string[] = [];
  const items: string[][] = [];
  const taken: string[] = [];
  const places = new Map<number | 'top', Place>();
  const take = ({ name: from, caught }: Place, to: string): void => {
    const errors = stateOf(machine, from).Catch?.flatMap(({ ErrorEquals }) => ErrorEquals) ?? [];
    const way = ways.find(
      (edge) =>
        edge.from === from &&
        edge.to === to &&
        (caught === undefined ? !errors.includes(edge.on ?? '') : edge.on === caught),
    );
    if (way === undefined) throw new RangeError(`the file has no way from ${from} to ${to}`);
    taken.push(label(way));
  };
  let error = '';
  for (const event of log) {
    if (event.type === 'MapIterationStarted') {
      items[event.index] = [];
      places.set(event.index, { name: event.parentState.name });
    } else if (event.type === 'StateFailed') {
      error = event.Error;
    } else if (event.type === 'StateCaught') {
      const { ErrorEquals } = event.catch.catcher;
      const caught = ErrorEquals.includes(error) ? error : catchAll;
      places.set(event.index ?? 'top', { name: event.state.name, caught });
    } else if (event.type === 'StateEntered') {
      const where = event.index ?? 'top';
      const before = places.get(where);
      if (before !== undefined) take(before, event.state.name);
      places.set(where, { name: event.state.name });
      (where === 'top' ? path : (items[where] ?? [])).push(event.state.name);
    }
  }
  return { path, items, taken };
};

const START = Date.UTC(2026, 10, 23, 3);
const DAY_MS = 86_400_000;

const executionOf = (arn: string, definition: AslMachine, input: unknown): Execution => ({
  arn: `${arn.replace(':stateMachine:', ':execution:')}:fo-scripted`,
  name: 'fo-scripted',
  machine: {
    arn,
    name: arn.slice(arn.lastIndexOf(':') + 1),
    roleArn: '',
    accessKeyId: '',
    definition,
    createdAt: START,
  },
  input: JSON.stringify(input),
  status: 'RUNNING',
  startedAt: START,
  definition,
  events: 0,
  redrives: 0,
  history: [],
  abort: () => {},
});

/**
 * Runs the machine on virtual time as the emulated Step Functions do, with functions that answer
 * by the script. Throws if the script does not fit: a call too many, an answer never asked for, or
 * one the function could not give.
 */
export const drive = async (machine: Machine, input: unknown, script: Script): Promise<Run> => {
  const time = createVirtualTime(START);
  try {
    const file = fileOf(machine);
    const { arn, substitutions } = deployedAs(file);
    const rng = createRng(1);
    const tokens = createTaskTokens(rng);
    const { functions, calls, problems } = scripted(script, contracts[file], tokens);
    const definition = readDefinition(JSON.stringify(machine), substitutions);
    const execution = executionOf(arn, definition, input);
    void runExecution(execution, {
      time,
      rng,
      iam: { accessKeyId: () => '', denial: () => undefined },
      functions,
      latency: { p50: 1, p99: 1 },
      tokens,
      onTransition: () => {},
    });
    await time.run({ until: () => execution.status !== 'RUNNING', horizonMs: DAY_MS });
    if (problems().length > 0) throw new Error(problems().join('; '));
    const { status, output, error, cause, stoppedAt = Number.NaN } = execution;
    return {
      status,
      output: output === undefined ? undefined : JSON.parse(output),
      error,
      cause,
      calls,
      tookMs: stoppedAt - START,
      ...follow(execution.history, machine),
    };
  } finally {
    time.uninstall();
  }
};
