import type { EpochMs } from '../../src/domain/ids.ts';
import type { Clock } from '../../src/ports/system.ts';

/** Time that passes only while somebody sleeps, or when the test says so. */
export class ManualClock implements Clock {
  #now: EpochMs;
  #agenda: { readonly at: number; readonly happen: () => void }[] = [];

  constructor(now: EpochMs) {
    this.#now = now;
  }

  readonly now = (): EpochMs => this.#now;

  /** Sleeps side by side pass the same time: the first to wake moves the clock for all. */
  readonly sleep = async (delayMs: number): Promise<void> => {
    const wakeAt = this.#now + delayMs;
    await new Promise(setImmediate);
    if (wakeAt > this.#now) this.advance(wakeAt - this.#now);
  };

  /** Something happens in the world after a while, whoever is looking. */
  after(delayMs: number, happen: () => void): void {
    this.#agenda.push({ at: this.#now + delayMs, happen });
  }

  advance(byMs: number): void {
    const until = this.#now + byMs;
    for (;;) {
      const due = this.#agenda.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at);
      const [next] = due;
      if (next === undefined) break;
      this.#agenda = this.#agenda.filter((entry) => entry !== next);
      this.#now = Math.max(this.#now, next.at) as EpochMs;
      next.happen();
    }
    this.#now = until as EpochMs;
  }
}
