import type { Cancel, Time } from '../core/time.ts';
import type { Marathon } from './marathon.ts';
import type { Master } from './master.ts';

/** Marathon's `--reconciliation_initial_delay` and `--reconciliation_interval`. */
const FIRST_MS = 15_000;
const INTERVAL_MS = 600_000;

/**
 * Marathon asks the master about its tasks every ten minutes. Ticks that could find nothing new
 * do not take place.
 */
export class Reconciliation {
  readonly #time: Time;
  readonly #master: Master;
  readonly #marathon: Marathon;
  readonly #startedAt: number;
  #next: Cancel | undefined;

  constructor(time: Time, master: Master, marathon: Marathon) {
    this.#time = time;
    this.#master = master;
    this.#marathon = marathon;
    this.#startedAt = time.now();
  }

  /** To the first tick that is at least `afterMs` away. */
  toNextMs(afterMs: number): number {
    const first = this.#startedAt + FIRST_MS;
    const wanted = this.#time.now() + afterMs;
    const ticks = Math.max(0, Math.ceil((wanted - first) / INTERVAL_MS));
    return first + ticks * INTERVAL_MS - this.#time.now();
  }

  /** The next tick will have something to find. */
  wanted(): void {
    this.#next ??= this.#time.after(this.toNextMs(1), () => {
      this.#next = undefined;
      this.#tick();
    });
  }

  #tick(): void {
    if (this.#master.dropsUpdates) {
      this.wanted();
      return;
    }
    for (const { task } of [...this.#marathon.instances]) {
      if (task === undefined) continue;
      const { id: taskId, agentId } = task;
      const state = this.#master.reconcile(taskId, agentId);
      if (state === undefined) {
        this.wanted();
        continue;
      }
      this.#marathon.statusUpdate({
        taskId,
        agentId,
        state,
        source: 'SOURCE_MASTER',
        reason: 'REASON_RECONCILIATION',
        message: 'Reconciliation: Latest task state',
        at: this.#time.now(),
      });
    }
  }
}
