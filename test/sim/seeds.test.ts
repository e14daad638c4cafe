import { expect, it } from 'vitest';
import { runSeeds } from '../../emulator/sim/run.ts';

/** More of them run in the pipeline: npm run sim -- --seeds 1..10000 */
const SEEDS = 30;

it(`breaks no promise in ${SEEDS} worlds full of faults`, async () => {
  const { events, faults, seeds, violations } = await runSeeds({ from: 1, to: SEEDS });
  expect(violations).toEqual([]);
  expect(seeds).toBe(SEEDS);
  // A checker that sees nothing finds nothing.
  expect(events).toBeGreaterThan(SEEDS * 300);
  expect(Object.values(faults).filter((hits) => hits > 0).length).toBeGreaterThan(25);
}, 200_000);
