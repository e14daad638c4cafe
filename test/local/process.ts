import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const PROGRAM = fileURLToPath(new URL('../../emulator/local-cli.ts', import.meta.url));

/** A started `npm run local`, seen as a person sees it. */
export interface Running {
  readonly child: ChildProcess;
  /** The exported variables it printed. */
  readonly variables: Readonly<Record<string, string>>;
  /** What it printed so far, one entry per line of news or text: wrapped lines are joined. */
  lines(): string[];
  /** The same, letter by letter. */
  stdout(): string;
  stderr(): string;
  /** Resolves to the exit code, or the signal that killed it. */
  readonly ended: Promise<number | string | null>;
}

const endOf = (child: ChildProcess): Promise<number | string | null> =>
  new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal)));

/** Node is the one that runs the tests; nothing of the test's environment changes what is printed. */
export const launch = (...argv: readonly string[]): Omit<Running, 'variables'> => {
  const child = spawn(process.execPath, [PROGRAM, ...argv], {
    env: { ...process.env, NO_COLOR: undefined, FORCE_COLOR: undefined },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const read = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      read[name] += text;
    });
  }
  return {
    child,
    ended: endOf(child),
    lines: () => read.stdout.replace(/\n {20}/g, ' ').split('\n'),
    stdout: () => read.stdout,
    stderr: () => read.stderr,
  };
};

/** Waits for the words that end the welcome. Rejects with what was said instead. */
export const launchReady = async (...argv: readonly string[]): Promise<Running> => {
  const running = launch(...argv);
  const { stdout } = running.child;
  const ready = new Promise<void>((resolve) => {
    stdout?.on('data', () => {
      if (running.lines().some((line) => line.startsWith('curl '))) resolve();
    });
  });
  const ended = running.ended.then((code) => {
    throw new Error(`ended with ${code}: ${running.stderr()}`);
  });
  await Promise.race([ready, ended]);
  const exported = running.lines().flatMap((line) => {
    const [, name, value] = /^export (\w+)=(.+)$/.exec(line) ?? [];
    return name && value ? [[name, value] as const] : [];
  });
  return { ...running, variables: Object.fromEntries(exported) };
};
