import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { mutants } from './catalogue.ts';
import type { Caught, HuntResult } from './sweep-player.ts';

/** What `npm run sim:mutants` found; each world is played again here, by its seed and its faults. */
const file = new URL('./caught.json', import.meta.url);
const caught = JSON.parse(readFileSync(file, 'utf8')) as Record<string, Omit<Caught, 'says'>>;
const WORLDS = 300;

/** In a process of its own: module hooks stay for good. */
const script = fileURLToPath(new URL('./sweep.ts', import.meta.url));
const { stdout } = await promisify(execFile)(
  process.execPath,
  [script, '--replay', '--threads', '2'],
  { maxBuffer: 64 << 20 },
);
const results = stdout
  .trimEnd()
  .split('\n')
  .map((line) => JSON.parse(line) as HuntResult);
const found = new Map(results.map(({ mutant, caught: world }) => [mutant, world]));

describe('a planted bug is given away by a random world', () => {
  it.each(Object.entries(caught))('%s', (name, { invariant }) => {
    expect(found.get(name)?.invariant).toBe(invariant);
  });

  it(`for nine of ten, and within the first ${WORLDS}`, () => {
    const names = mutants.map(({ name }) => name);
    expect(Object.keys(caught).filter((name) => !names.includes(name))).toEqual([]);
    expect(Object.keys(caught).length / names.length).toBeGreaterThanOrEqual(0.9);
    for (const { seed } of Object.values(caught)) expect(seed).toBeLessThanOrEqual(WORLDS);
  });

  it('for every one that no world was made for', () => {
    const others = mutants.filter(({ trouble }) => trouble === undefined);
    for (const { name, invariants } of others)
      expect(invariants).toContain(caught[name]?.invariant);
  });
});
