import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { Violation } from '../../../emulator/sim/record.ts';
import { mutants, pending } from './catalogue.ts';
import { checkPatches } from './planting.ts';
import { troubles } from './troubles.ts';

interface Line {
  name: string;
  end: string;
  strikes: number;
  violations: Violation[];
  error?: string;
}

const run = promisify(execFile);

/** Plays them in a process of their own; see run.ts. */
const played = async (names: readonly string[]): Promise<Map<string, Line>> => {
  const script = fileURLToPath(new URL('./run.ts', import.meta.url));
  const { stdout } = await run(process.execPath, [script, ...names], { maxBuffer: 64 << 20 });
  const lines = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
  return new Map(lines.map((line) => [line.name, line]));
};

/** Those that a world made for them exposes; the others are for random worlds. */
const directed = mutants.filter(({ trouble }) => trouble !== undefined);
const troubleNames = Object.keys(troubles) as (keyof typeof troubles)[];
const [calm, broken] = await Promise.all([
  played(troubleNames),
  played(directed.map(({ name }) => name)),
]);

describe('the code as it ships', () => {
  it.each(troubleNames)('breaks nothing through the trouble "%s"', (name) => {
    const line = calm.get(name);
    expect(line?.error).toBeUndefined();
    expect(line?.violations).toEqual([]);
    expect(line?.end).toBe(troubles[name].ends);
    expect(line?.strikes).toBeGreaterThan(0);
  });
});

describe('a planted bug is caught', () => {
  it.each(directed)('$name ($invariants)', ({ name, invariants }) => {
    const line = broken.get(name);
    expect(line?.error).toBeUndefined();
    const fired = new Set(line?.violations.map(({ invariant }) => invariant));
    expect([...fired].filter((invariant) => invariants.includes(invariant))).not.toEqual([]);
  });

  it('by most of the list at least, and what cannot be planted yet is counted', () => {
    expect(mutants.length).toBeGreaterThanOrEqual(20);
    expect(pending.length).toBeLessThanOrEqual(1);
    const names = [...mutants, ...pending].map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
  });
});

describe('a patch that no longer applies', () => {
  const [first] = mutants;
  const gone = (exact: string) => ({
    name: 'gone',
    invariants: ['S2'],
    trouble: 'none' as const,
    patches: [{ file: first?.patches[0]?.file ?? '', exact, replacement: '' }],
  });

  it('fails, and every patch of today applies', () => {
    for (const mutant of mutants) expect(() => checkPatches(mutant)).not.toThrow();
    expect(() => checkPatches(gone('no such text in there'))).toThrow(/applies 0 times/);
  });

  it('fails too when it is not clear where', () => {
    expect(() => checkPatches(gone('const '))).toThrow(/not once/);
  });
});
