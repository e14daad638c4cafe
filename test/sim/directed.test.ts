import { describe, expect, it } from 'vitest';
import { faultKinds, planFor } from '../../emulator/sim/plan.ts';
import { playSeed, type SeedResult } from '../../emulator/sim/seed.ts';

/** Some faults need a world in which they can strike at all: the first such seed is taken. */
const SEEDS_MAX = 4;

const struck = async (id: string): Promise<SeedResult> => {
  for (let seed = 1; ; seed++) {
    const result = await playSeed(planFor({ seed, faults: [id] }));
    if ((result.hits[id] ?? 0) > 0 || seed === SEEDS_MAX) return result;
  }
};

/** Where the right end is not that the app is back. */
const ENDS: Readonly<Record<string, RegExp>> = {
  'EC-08': /held: protected-from-stop/,
  'EC-16': /held: cannot-be-stopped/,
  'EC-18': /held: weak-fence/,
  'EB-16': /held: (?:duplicate-volume-name|placement-could-leave-zone)/,
};

describe('each fault that can be injected, alone', () => {
  it.each(faultKinds.map(({ id }) => id))(
    '%s breaks no promise',
    async (id) => {
      const { hits, incidents, violations } = await struck(id);
      expect(violations).toEqual([]);
      expect(hits[id] ?? 0, `${id} never struck`).toBeGreaterThan(0);
      if (ENDS[id]) expect(incidents.join(' ')).toMatch(ENDS[id]);
    },
    60_000,
  );
});
