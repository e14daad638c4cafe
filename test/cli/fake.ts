import { createColors } from 'picocolors';
import type { Caller, Cloud, CloudSettings, Execution } from '../../cli/cloud.ts';
import { Problem } from '../../cli/problem.ts';
import { programFor } from '../../cli/program.ts';
import type { Terminal } from '../../cli/terminal.ts';

/** A terminal that remembers what was written to it. */
export const fakeTerminal = (change: Partial<Terminal> = {}) => {
  const printed: string[] = [];
  const told: string[] = [];
  const terminal: Terminal = {
    columns: 80,
    isWatched: false,
    canAsk: false,
    paint: createColors(false),
    print: (text) => void printed.push(text),
    tell: (text) => void told.push(text),
    ...change,
  };
  return { terminal, printed, told };
};

/** Answers of functions in turn, the last one again and again; an Error is thrown. */
export type Script = Readonly<Record<string, readonly unknown[]>>;

/** AWS as the command line sees it, by a script. What is asked of it is in `calls`. */
export const fakeCloud = (script: Script = {}) => {
  const calls: { readonly name: string; readonly input: unknown }[] = [];
  const settings: CloudSettings[] = [];
  const turns = new Map<string, number>();
  const next = (name: string, input?: unknown): unknown => {
    calls.push({ name, input });
    const answers = script[name] ?? [];
    const turn = turns.get(name) ?? 0;
    turns.set(name, turn + 1);
    const answer = answers[Math.min(turn, answers.length - 1)];
    if (answer instanceof Error) throw answer;
    if (answer === undefined) throw new Problem(`nobody expects ${name}`, { is: 'unavailable' });
    return answer;
  };
  const cloud: Cloud = {
    deployment: 'main',
    invoke: async (name, input, answer) => answer.parse(next(name, input)),
    caller: async () => (next('caller') as Caller | undefined) ?? { arn: '', account: '' },
    start: async (machine, input) => String(next(`start ${machine}`, input)),
    execution: async (arn) => next('execution', arn) as Execution,
  };
  return {
    calls,
    cloud,
    connect: (asked: CloudSettings) => {
      settings.push(asked);
      return cloud;
    },
    settings,
  };
};

/** Runs one command on the fakes; rejects with what it ends in, if that is no success. */
export const run = async (
  argv: readonly string[],
  fake: ReturnType<typeof fakeCloud> = fakeCloud(),
  change: { readonly env?: Record<string, string>; readonly terminal?: Partial<Terminal> } = {},
) => {
  const { printed, terminal, told } = fakeTerminal(change.terminal);
  const { env = {} } = change;
  const program = programFor({ connect: fake.connect, env, terminal, sleep: async () => {} });
  let failure: unknown;
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    failure = error;
  }
  const inputs = fake.calls.map(({ input, name }) => [name, input] as const);
  return { printed, told, failure, inputs, settings: fake.settings };
};

/** The one line and the exit code of a command that failed for a reason of its own. */
export const problemIn = (failure: unknown): string => {
  if (!(failure instanceof Problem)) throw failure ?? new Error('it did not fail');
  return `${failure.exitCode} ${failure.message}`;
};
