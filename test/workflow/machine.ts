import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectDir } from '../support/project-files.ts';

/** As much of the Amazon States Language as the checks look into; asl-validator knows the rest. */
export interface Catcher {
  ErrorEquals: string[];
  ResultPath?: string;
  Next: string;
}
export interface Retrier {
  ErrorEquals: string[];
  IntervalSeconds?: number;
  BackoffRate?: number;
  MaxAttempts?: number;
  MaxDelaySeconds?: number;
  JitterStrategy?: string;
}
export interface Rule {
  Variable?: string;
  StringEquals?: string;
  And?: object[];
  Next: string;
}
export interface State {
  Type: string;
  Comment?: string;
  Next?: string;
  End?: boolean;
  Resource?: string;
  Parameters?: Record<string, unknown>;
  ItemSelector?: Record<string, unknown>;
  ResultPath?: string;
  SecondsPath?: string;
  TimeoutSeconds?: number;
  TimeoutSecondsPath?: string;
  Retry?: Retrier[];
  Catch?: Catcher[];
  Choices?: Rule[];
  Default?: string;
  ItemProcessor?: Machine;
  Error?: string;
  ErrorPath?: string;
  Cause?: string;
  CausePath?: string;
}
export interface Machine {
  Comment?: string;
  QueryLanguage?: string;
  StartAt: string;
  States: Record<string, State>;
}

const folder = join(projectDir, 'statemachines');

/** Every state machine of the project by file name, as it is written. */
export const machineFiles: readonly { file: string; machine: Machine }[] = readdirSync(folder)
  .filter((name) => name.endsWith('.asl.json'))
  .map((file) => ({ file, machine: JSON.parse(readFileSync(join(folder, file), 'utf8')) }));

export interface Placed {
  readonly name: string;
  readonly state: State;
  /** The Map it is an item's state of, if it is. */
  readonly within?: string;
}

/** Every state, those of a Map's items included. */
export const placedStates = ({ States }: Machine, within?: string): Placed[] =>
  Object.entries(States).flatMap(([name, state]) => [
    { name, state, ...(within !== undefined && { within }) },
    ...(state.ItemProcessor === undefined ? [] : placedStates(state.ItemProcessor, name)),
  ]);

export const tasksOf = (machine: Machine): Placed[] =>
  placedStates(machine).filter(({ state }) => state.Type === 'Task');

/** @throws RangeError for a state that does not exist: a planted fault would plant nothing */
export const stateOf = (machine: Machine, wanted: string): State => {
  const found = placedStates(machine).find(({ name }) => name === wanted)?.state;
  if (found === undefined) throw new RangeError(`no state ${wanted}`);
  return found;
};

export const catchAll = 'States.ALL';

/** Where a task's error goes once its retries are used up; undefined: the execution fails. */
export const caughtBy = ({ Catch = [] }: State, error: string): string | undefined =>
  Catch.find(({ ErrorEquals }) => ErrorEquals.includes(error) || ErrorEquals.includes(catchAll))
    ?.Next;

/** One way from one state to the next. */
export interface Edge {
  readonly from: string;
  readonly to: string;
  /** The decision kind or error name that takes it; `condition`, `otherwise` for a Default. */
  readonly on?: string;
}

export const edgesOf = (machine: Machine): Edge[] =>
  placedStates(machine).flatMap(({ name: from, state }) => [
    ...(state.Next === undefined ? [] : [{ from, to: state.Next }]),
    ...(state.Choices ?? []).map(({ StringEquals: on = 'condition', Next: to }) => ({
      from,
      to,
      on,
    })),
    ...(state.Default === undefined ? [] : [{ from, to: state.Default, on: 'otherwise' }]),
    ...(state.Catch ?? []).flatMap(({ ErrorEquals, Next: to }) =>
      ErrorEquals.map((on) => ({ from, to, on })),
    ),
    ...(state.ItemProcessor === undefined ? [] : [{ from, to: state.ItemProcessor.StartAt }]),
  ]);
