import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { planFor } from '../../emulator/sim/plan.ts';
import { runSeeds } from '../../emulator/sim/run.ts';

const SEEDS = 50;

/** Seed -> digest of everything that happened in it, on so many threads. */
const played = async (threads: number): Promise<Record<number, string>> => {
  const digests: Record<number, string> = {};
  await runSeeds({
    from: 1,
    to: SEEDS,
    threads,
    trace: true,
    onSeed: ({ plan, trace, hits, incidents }) => {
      const all = [...trace, JSON.stringify({ hits, incidents })];
      digests[plan.seed] = createHash('sha256').update(all.join('\n')).digest('hex');
    },
  });
  return digests;
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

  it(`gives the same trace, byte for byte, on any number of threads: ${SEEDS} of them`, async () => {
    // On one thread each seed follows the one before it, on three it follows another.
    const [alone, shared] = [await played(1), await played(3)];
    expect(shared).toEqual(alone);
    expect(new Set(Object.values(alone)).size).toBe(SEEDS);
  }, 600_000);
});
