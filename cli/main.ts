import { setTimeout as sleep } from 'node:timers/promises';
import { CommanderError } from 'commander';
import { createCloud } from './cloud.ts';
import type { Surroundings } from './context.ts';
import { exitCodes, Problem } from './problem.ts';
import { programFor } from './program.ts';
import { processTerminal } from './terminal.ts';

/** One line, however the error was written. */
const lineOf = (message: string): string =>
  message
    .replace(
      /^error: command-argument value (.*) is invalid for argument '(\w+)'\./,
      '$1 is no $2.',
    )
    .replace(/^error: /, '')
    .replace(/\s+/g, ' ')
    .trim();

/** Whoever read along has seen enough: `| head` is no mistake of anybody's. */
const endQuietly = (): void => {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    process.exit();
  });
};

/** Runs the command; answers its exit code. Errors nobody foresaw end the process with their stack. */
export const main = async (argv: readonly string[]): Promise<number> => {
  endQuietly();
  // The work goes on without its watcher; the exit code is the shell's for an interrupt.
  process.once('SIGINT', () => process.exit(130));
  const surroundings: Surroundings = {
    connect: createCloud,
    env: process.env,
    terminal: processTerminal(),
    sleep: async (ms) => {
      await sleep(ms);
    },
  };
  try {
    await programFor(surroundings).parseAsync(argv, { from: 'user' });
    return exitCodes.done;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return exitCodes.done;
      process.stderr.write(`ebs-failover: ${lineOf(error.message)} (see --help)\n`);
      return exitCodes.usage;
    }
    if (!(error instanceof Problem)) throw error;
    process.stderr.write(`ebs-failover: ${lineOf(error.message)}\n`);
    return error.exitCode;
  }
};
