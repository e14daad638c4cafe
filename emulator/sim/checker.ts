import type { SimEvent } from './events.ts';
import { invariants } from './invariants.ts';
import { createMemory, type Memory, remember, type Violation } from './record.ts';

export interface Checker {
  /** Judges the event, then remembers it. Events come in order. */
  see(event: SimEvent): void;
  readonly memory: Memory;
  readonly violations: readonly Violation[];
  /** Changes of the world inside the window that EC2's lack of a compare-and-set leaves. */
  readonly residual: number;
  readonly events: number;
}

/**
 * Judges every event of a run against all invariants, from what the machines did and what the
 * services were asked and answered: what the ledger says is itself under judgement.
 */
export const createChecker = (rules: typeof invariants = invariants): Checker => {
  const judges = Object.entries(rules);
  const memory = createMemory();
  const violations: Violation[] = [];
  let residual = 0;
  let events = 0;
  return {
    see: (event) => {
      events += 1;
      for (const [invariant, all] of judges) {
        for (const rule of all) {
          const found = rule(event, memory);
          if (found?.kind === 'residual') residual += 1;
          if (found?.kind !== 'violation') continue;
          violations.push({ invariant, at: event.at, says: found.says });
        }
      }
      remember(memory, event);
    },
    memory,
    violations,
    get residual() {
      return residual;
    },
    get events() {
      return events;
    },
  };
};
