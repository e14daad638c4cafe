import type { App } from './app-definition.ts';

interface Delay {
  ms: number;
  /** Epoch ms before which nothing is launched. */
  until: number;
  /** Since when a task of the app runs; a task that outlives its delay ends the delay. */
  runningSince: number | undefined;
}

/** Marathon's rate limiter: each failure of an app makes the next launch wait longer. */
export class LaunchDelays {
  readonly #delays = new Map<string, Delay>();

  /** Epoch ms from which the app may be launched; 0 = at once. */
  until(appId: string): number {
    return this.#delays.get(appId)?.until ?? 0;
  }

  failed(app: App, now: number): void {
    const { seconds, factor, maxSeconds } = app.backoff;
    const before = this.#delays.get(app.id);
    const survived = before?.runningSince !== undefined && now - before.runningSince > before.ms;
    const ms =
      before === undefined || survived
        ? seconds * 1000
        : Math.min(before.ms * factor, maxSeconds * 1000);
    this.#delays.set(app.id, { ms, until: now + ms, runningSince: undefined });
  }

  running(appId: string, now: number): void {
    const delay = this.#delays.get(appId);
    if (delay !== undefined) delay.runningSince ??= now;
  }

  reset(appId: string): void {
    this.#delays.delete(appId);
  }
}
