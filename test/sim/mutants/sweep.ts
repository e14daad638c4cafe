import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { PlanRequest } from '../../../emulator/sim/plan.ts';
import { playAll } from '../../../emulator/sim/pool.ts';
import { mutants } from './catalogue.ts';
import type { Caught, Hunt, HuntResult } from './sweep-player.ts';

/**
 * Hunts every planted bug, or those named, through the random worlds 1 to 300, each to the first
 * broken promise of any kind, and prints which seed gave it away. `--write` keeps what was found
 * in caught.json; `--replay` plays only those worlds again and answers one line of JSON each.
 */
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: 'string', default: '300' },
    threads: { type: 'string' },
    write: { type: 'boolean', default: false },
    replay: { type: 'boolean', default: false },
  },
});

const unknown = positionals.find((name) => !mutants.some((mutant) => mutant.name === name));
if (unknown !== undefined) throw new RangeError(`no such mutant: ${unknown}`);

const file = new URL('./caught.json', import.meta.url);
const known = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Omit<Caught, 'says'>>;

const all = Array.from({ length: Number(values.seeds) }, (_, index) => ({ seed: index + 1 }));
const recorded = (name: string): PlanRequest[] => {
  const { seed, scene, faults } = known[name] ?? {};
  return seed === undefined || scene === undefined ? [] : [{ seed, scene, faults: faults ?? [] }];
};
const hunts: Hunt[] = mutants
  .filter(({ name }) => positionals.length === 0 || positionals.includes(name))
  .map(({ name }) => ({ mutant: name, worlds: values.replay ? recorded(name) : all }))
  .filter(({ worlds }) => worlds.length > 0);

const say = ({ mutant: name, caught }: HuntResult): string => {
  const expected = mutants.find((mutant) => mutant.name === name)?.invariants ?? [];
  const found = caught
    ? `${caught.seed}`.padStart(3) + ` ${caught.invariant}`.padEnd(4)
    : '  - -  ';
  return `${found} (${expected.join(', ')}) ${name}${caught ? `: ${caught.says}` : ''}`;
};

let count = 0;
const options = {
  options: undefined,
  ...(values.threads && { threads: Number(values.threads) }),
};
const player = new URL('./sweep-player.ts', import.meta.url);
await playAll(player, hunts, options, (result: HuntResult) => {
  process.stdout.write(`${values.replay ? JSON.stringify(result) : say(result)}\n`);
  if (values.replay) return;
  if (result.caught === undefined) delete known[result.mutant];
  else {
    count += 1;
    const { says: _, ...caught } = result.caught;
    known[result.mutant] = caught;
  }
  // At once: a hunt may take long, and be broken off.
  if (values.write) writeFileSync(file, `${JSON.stringify(known, null, 2)}\n`);
});
if (!values.replay) {
  process.stdout.write(`${count} of ${hunts.length} are given away by ${all.length} worlds\n`);
}
