import { installLeanSdk } from '../../../emulator/sim/lean-sdk/install.ts';
import { mutants } from './catalogue.ts';
import { createPlanting } from './planting.ts';
import { play } from './play.ts';
import { type TroubleName, troubles } from './troubles.ts';

/**
 * Plays the mutants, or the troubles without any, named on the command line, and prints one line
 * of JSON each: `{name, end, violations, error?}`. A process of its own, because a module hook
 * stays for good and the clock is the process's own.
 */
const SEED = 4;
installLeanSdk();
const plant = createPlanting();

const isTrouble = (name: string): name is TroubleName => name in troubles;

for (const name of process.argv.slice(2)) {
  const mutant = mutants.find((known) => known.name === name);
  const trouble = mutant?.trouble ?? name;
  if (!isTrouble(trouble)) throw new RangeError(`no mutant and no trouble: ${name}`);
  plant(mutant);
  const played = await play(trouble, SEED, mutant?.invariants).catch((error: unknown) => ({
    end: 'crashed',
    strikes: 0,
    violations: [],
    error: error instanceof Error ? (error.stack ?? error.message) : String(error),
  }));
  process.stdout.write(`${JSON.stringify({ name, ...played })}\n`);
}
