import type { Cancel, Time } from '../../../emulator/core/time.ts';

/** Time that passes only when told to, effect by effect in order. */
export class ManualTime implements Time {
  #now: number;
  #effects: { at: number; effect: () => void }[] = [];

  constructor(startAt = Date.UTC(2026, 10, 22, 21)) {
    this.#now = startAt;
  }

  now(): number {
    return this.#now;
  }

  after(delayMs: number, effect: () => void): Cancel {
    const entry = { at: this.#now + delayMs, effect };
    const later = this.#effects.findIndex(({ at }) => at > entry.at);
    this.#effects.splice(later === -1 ? this.#effects.length : later, 0, entry);
    return () => {
      this.#effects = this.#effects.filter((other) => other !== entry);
    };
  }

  pass(ms: number): void {
    const until = this.#now + ms;
    let next = this.#effects[0];
    while (next !== undefined && next.at <= until) {
      this.#effects.shift();
      this.#now = next.at;
      next.effect();
      next = this.#effects[0];
    }
    this.#now = until;
  }
}
