import { describe, expect, it } from 'vitest';
import { planFor } from '../../emulator/sim/plan.ts';
import { runSeeds } from '../../emulator/sim/run.ts';
import { playSeed, type SeedResult } from '../../emulator/sim/seed.ts';

const traceOf = async (seed: number): Promise<string> => {
  const { trace, hits, incidents } = await playSeed(planFor({ seed }), { trace: true });
  return [...trace, JSON.stringify({ hits, incidents })].join('\n');
};

describe('a seed', () => {
  it('decides the plan, fault by fault', () => {
    const plan = planFor({ seed: 7 });
    expect(planFor({ seed: 7 })).toEqual(plan);
    expect(planFor({ seed: 8 })).not.toEqual({ ...plan, seed: 8 });
  });

  it('leaves a fault as it was when another one is taken away', () => {
    const both = planFor({ seed: 3, scene: 'hung', faults: ['EC-11', 'DB-01'] });
    const one = planFor({ seed: 3, scene: 'hung', faults: ['DB-01'] });
    expect(both.faults[1]).toEqual(one.faults[0]);
    expect(both.traits).toEqual(one.traits);
  });

  it.each([6, 12, 21])(
    '%i gives the same trace, byte for byte, whatever ran before it',
    async (seed) => {
      const first = await traceOf(seed);
      await traceOf(seed + 1);
      expect(await traceOf(seed)).toBe(first);
      expect(first.length).toBeGreaterThan(10_000);
    },
    60_000,
  );

  it('gives the same trace on one thread as on two', async () => {
    const run = async (threads: number): Promise<Map<number, string>> => {
      const traces = new Map<number, string>();
      const onSeed = ({ plan, trace }: SeedResult): void => {
        traces.set(plan.seed, trace.join('\n'));
      };
      await runSeeds({ from: 9, to: 12, threads, trace: true, onSeed });
      return traces;
    };
    const [alone, shared] = [await run(1), await run(2)];
    for (const seed of [9, 10, 11, 12]) expect(shared.get(seed)).toBe(alone.get(seed));
  }, 60_000);
});
