import { describe, expect, it } from 'vitest';
import { installLeanSdk } from '../../emulator/sim/lean-sdk/install.ts';
import { faultKinds, planFor } from '../../emulator/sim/plan.ts';
import { playSeed, type SeedResult } from '../../emulator/sim/seed.ts';

installLeanSdk();

/** Some faults need a world in which they can strike at all: the first such seed is taken. */
const SEEDS_MAX = 4;

const struck = async (id: string): Promise<SeedResult> => {
  for (let seed = 1; ; seed++) {
    const result = await playSeed(planFor({ seed, faults: [id] }));
    if ((result.hits[id] ?? 0) > 0 || seed === SEEDS_MAX) return result;
  }
};

/** What the failure model expects of a fault, beyond that it breaks no promise. */
interface Expected {
  /** How the incidents end. */
  incidents?: RegExp;
  /** What they are held for on the way. */
  holds?: RegExp;
  /** Calls that must be made, and calls that must not. */
  changes?: RegExp;
  never?: RegExp;
  /** How often the incident changed hands. */
  tokens?: RegExp;
  /** So many messages about storms stand in the channel. */
  digests?: number;
  /** The app runs again, with its volumes. */
  served?: true;
}

const back: Expected = { incidents: /^recovered/, served: true };
/** By the execution that began with it, and by none beside it. */
const backByTheSame: Expected = { ...back, tokens: /^1/ };
/** By another one, under a higher token. */
const backByAnother: Expected = { ...back, tokens: /^[2-9]/ };

/** A pattern alone is how the incidents end. */
const ENDS: Readonly<Record<string, RegExp | Expected>> = {
  'EC-06': /recovered/,
  'EC-07': { incidents: /recovered|held: volume-lost/ },
  'EC-08': /held: protected-from-stop/,
  'EC-12': { incidents: /recovered/, changes: /^fenceAgent StopInstances \S+ SkipOsShutdown$/m },
  'EC-14': { incidents: /recovered/, holds: /fence-stuck/, never: /DetachVolume .* Force/ },
  'EC-16': /held: (?:cannot-be-stopped|terminate-would-delete-data)|recovered/,
  'EC-17': /recovered/,
  'EC-18': /held: weak-fence/,
  'DB-08': back,
  'DB-09': { incidents: /recovered.*held: ledger-rewound/ },
  'OP-09': back,
  // The healthy ones that were named a hundred times are let go.
  'EV-08': { incidents: /^(?:(?:cancelled|recovered) ?)+$/, served: true },
  'MR-07': back,
  // Marked gone while it still waits to be removed: nobody waits for its turn.
  'MR-09': { ...back, changes: /^handOff MARK_AGENT_GONE/m },
  'MR-10': back,
  // Kept waiting while there is something to move, and no longer.
  'AS-03': { ...back, changes: /^(?:assessDrain|drainAgent) RecordLifecycleActionHeartbeat/m },
  'AS-05': { incidents: /^(?:(?:cancelled|recovered) ?)+$/, served: true },
  'AZ-01': back,
  'SL-07': { incidents: /^(?:recovered ?)+$/, holds: /storm/, digests: 1, served: true },
  // While it lasts nothing can be fenced, let alone moved.
  'AZ-02': { holds: /storm|fence-stuck|blind/ },
  'CK-03': back,
  // Kept from work, or held where this Mesos cannot; the new owner is left alone either way.
  'ZM-02': {
    incidents: /^recovered (?:recovered|held: returned-agent)/,
    changes: /^closeIncident CreateTags/m,
    served: true,
  },
  // Each time it is started it is fenced again, with nothing to detach.
  'ZM-03': {
    incidents: /^recovered recovered/,
    changes: /DetachVolume[\s\S]*^fenceAgent StopInstances/m,
    never: /StopInstances[\s\S]*DetachVolume/,
    served: true,
  },
  'ZM-04': { ...back, incidents: /^recovered recovered/ },
  'ZM-06': back,
  'LM-CC': back,
  'LM-DEP': backByTheSame,
  'SF-03': backByAnother,
  'SF-04': backByAnother,
  'DB-06': backByAnother,
  'AZ-05': back,
  'CK-01': back,
  'CK-02': back,
  'CK-04': backByTheSame,
  'ZM-01': backByAnother,
  'ZM-05': back,
  'EB-09': { incidents: /held: duplicate-volume-name/, never: /MARK_AGENT_GONE/ },
  'EB-08': /held: multi-attach/,
  'EB-10': { holds: /volume-not-usable/, changes: /^releaseVolume DetachVolume/m },
  // All three of them: the one that came late is marked, released, and not left there.
  'EB-11': {
    ...back,
    changes: /^fenceAgent CreateTags (\S+)$[\s\S]*^releaseVolume DetachVolume \1 /m,
  },
  'EB-13': { incidents: /held: recovery-not-seen/, changes: /^releaseVolume DetachVolume/m },
  'EB-14': { incidents: /held: (?:managed-volume|volume-stuck)/, never: /DetachVolume/ },
  'EB-15': { incidents: /recovered/, holds: /volume-not-usable/ },
  'EB-16': /held: (?:duplicate-volume-name|placement-could-leave-zone)/,
  'TG-02': { incidents: /held: ambiguous-scope/, never: /StopInstances|DetachVolume/ },
  'TG-04': { incidents: /held: ambiguous-scope/, never: /StopInstances|DetachVolume/ },
  'TG-05': /recovered/,
  // Nothing is done while the setting is wrong, and all of it once it is right again.
  'TG-06': /recovered/,
  'TG-07': /recovered/,
};

const expectedOf = (id: string): Expected => {
  const end = ENDS[id] ?? {};
  return end instanceof RegExp ? { incidents: end } : end;
};

describe('each fault that can be injected, alone', () => {
  it.each(faultKinds.map(({ id }) => id))(
    '%s breaks no promise',
    async (id) => {
      const result = await struck(id);
      const { changes, hits, holds, incidents, messages, served, tokens, violations } = result;
      const expected = expectedOf(id);
      expect(violations).toEqual([]);
      expect(hits[id] ?? 0, `${id} never struck`).toBeGreaterThan(0);
      expect(incidents.join(' ')).toMatch(expected.incidents ?? /^/);
      expect(holds.join(' ')).toMatch(expected.holds ?? /^/);
      expect(changes.join('\n')).toMatch(expected.changes ?? /^/);
      expect(tokens.join(' ')).toMatch(expected.tokens ?? /^/);
      const digests = messages.filter((message) => message.includes('storm'));
      if (expected.digests !== undefined) expect(digests).toHaveLength(expected.digests);
      if (expected.served) expect(served).toBe(true);
      if (expected.never) expect(changes.join('\n')).not.toMatch(expected.never);
    },
    60_000,
  );
});
