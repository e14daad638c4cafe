import type { EpochMs } from '../../src/domain/ids.ts';
import type { TellingLedger, ToldOf } from '../../src/ports/telling.ts';

/** Who tells what, in memory. Passes the contract of the real one. */
export class MemoryTelling implements TellingLedger {
  readonly #telling = new Map<string, { readonly until: number; readonly toldAt?: EpochMs }>();
  readonly #quiet = new Map<string, EpochMs>();

  async claimTelling(id: ToldOf, what: string, at: EpochMs, untilAt: EpochMs) {
    const key = `${id} ${what}`;
    const known = this.#telling.get(key);
    if (known?.toldAt !== undefined) return 'told';
    if (known !== undefined && known.until > at) return 'busy';
    this.#telling.set(key, { until: untilAt });
    return 'claimed';
  }

  async recordTold(id: ToldOf, what: string, at: EpochMs): Promise<void> {
    this.#change(`${id} ${what}`, { toldAt: at });
  }

  async told(id: ToldOf): Promise<readonly string[]> {
    return [...this.#telling]
      .filter(([key, { toldAt }]) => key.startsWith(`${id} `) && toldAt !== undefined)
      .map(([key]) => key.slice(`${id} `.length));
  }

  async forgetTold(id: ToldOf, what: string): Promise<void> {
    if ((await this.told(id)).includes(what)) this.#telling.set(`${id} ${what}`, { until: 0 });
  }

  async giveUpTelling(id: ToldOf, what: string): Promise<void> {
    this.#change(`${id} ${what}`, { until: 0 });
  }

  async quietUntil(cluster: string): Promise<EpochMs | undefined> {
    return this.#quiet.get(cluster);
  }

  async keepQuiet(cluster: string, until: EpochMs): Promise<void> {
    this.#quiet.set(cluster, Math.max(until, this.#quiet.get(cluster) ?? 0) as EpochMs);
  }

  #change(key: string, change: { readonly until?: number; readonly toldAt?: EpochMs }): void {
    const known = this.#telling.get(key);
    if (known !== undefined && known.toldAt === undefined) {
      this.#telling.set(key, { ...known, ...change });
    }
  }
}
