import { expect, it } from 'vitest';
import { runSeeds } from '../../emulator/sim/run.ts';

/** .ci/run plays those after these. */
const SEEDS = 300;

it(`breaks no promise in ${SEEDS} worlds full of faults`, async () => {
  const { events, faults, seeds, simulatedHours, unexplained, violations } = await runSeeds({
    from: 1,
    to: SEEDS,
  });
  const struck = Object.values(faults).filter((hits) => hits > 0).length;
  console.info(`${seeds} seeds, ${events} events, ${simulatedHours} h, ${struck} kinds of faults`);
  expect(violations).toEqual([]);
  expect(unexplained).toBe(0);
  expect(seeds).toBe(SEEDS);
  // A checker that sees nothing finds nothing.
  expect(events).toBeGreaterThan(SEEDS * 300);
  expect(struck / Object.keys(faults).length).toBeGreaterThan(0.9);
}, 900_000);
