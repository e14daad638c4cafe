import { LedgerUnavailableError } from '../../domain/errors.ts';
import type { EpochMs, IncidentId } from '../../domain/ids.ts';
import { type Admission, calm, type Storm, type Waiting } from '../../domain/storm.ts';
import type { StormLedger } from '../../ports/ledger.ts';
import { type Key, stormKey } from './keys.ts';
import { stormRecord } from './records.ts';
import { type LedgerDeps, LedgerTable } from './table.ts';

/*
 * Whoever is let through names the version it decided on, so two can never take the same place. Those
 * that wait are a map by incident: a hundred may join and leave at once without getting in each
 * other's way, and a write that lets somebody through touches nobody else's entry.
 */

/** Each round lost means that a storm began or ended meanwhile; nobody loses this often. */
const roundsMax = 10;
/** An item holds 400 KB; who does not fit is held all the same, and goes on last. */
const waitingMax = 1_500;
/** One update names so many entries at most: its expression holds 4 KB. */
const leavingMax = 100;

const absent = { when: 'attribute_not_exists(#pk)' };

class DynamoStormLedger implements StormLedger {
  readonly #table: LedgerTable;

  constructor(deps: LedgerDeps) {
    this.#table = new LedgerTable(deps);
  }

  async storm(cluster: string): Promise<Storm> {
    return (await this.#table.get(stormKey(cluster), stormRecord)) ?? calm;
  }

  async letThrough(
    cluster: string,
    current: Storm,
    incidentId: IncidentId,
    admitted: readonly Admission[],
  ): Promise<'recorded' | 'lost'> {
    const key = stormKey(cluster);
    const version = current.version + 1;
    const first = { ...calm, version, admitted };
    if (current.version === 0 && (await this.#table.put(key, first, absent))) return 'recorded';
    const written = await this.#table.update(
      key,
      { set: { version, admitted }, remove: ['#waiting.#incidentId'] },
      {
        when: '#version = :seen',
        values: { seen: current.version },
        names: { incidentId },
      },
      stormRecord,
    );
    if (written === undefined) return 'lost';
    await this.#end(key, written, admitted.at(-1)?.at ?? (0 as EpochMs));
    return 'recorded';
  }

  async joinStorm(cluster: string, incidentId: IncidentId, waiting: Waiting): Promise<void> {
    const key = stormKey(cluster);
    for (let round = 0; round < roundsMax; round += 1) {
      const storm = await this.storm(cluster);
      const isFull = Object.keys(storm.waiting).length >= waitingMax;
      if (storm.waiting[incidentId] !== undefined || isFull) return;
      if (await this.#join(key, storm, incidentId, waiting)) return;
    }
    const cause = new Error(`the storm of ${cluster} began and ended ${roundsMax} times`);
    throw new LedgerUnavailableError('joinStorm', { cause });
  }

  async leaveStorm(
    cluster: string,
    incidentIds: readonly IncidentId[],
    at: EpochMs,
  ): Promise<void> {
    const key = stormKey(cluster);
    if (incidentIds.length === 0) await this.#end(key, await this.storm(cluster), at);
    for (let start = 0; start < incidentIds.length; start += leavingMax) {
      const some = incidentIds.slice(start, start + leavingMax);
      const left = await this.#table.update(
        key,
        { remove: some.map((_, i) => `#waiting.#id${i}`) },
        {
          when: 'attribute_exists(#pk)',
          names: Object.fromEntries(some.map((id, i) => [`id${i}`, id])),
        },
        stormRecord,
      );
      if (left !== undefined) await this.#end(key, left, at);
    }
  }

  /** False when the storm began, ended or got this very entry meanwhile: look again. */
  async #join(key: Key, storm: Storm, incidentId: IncidentId, waiting: Waiting): Promise<boolean> {
    const goesOn = storm.began !== undefined && storm.ended === undefined;
    const begins = { began: waiting.since, first: incidentId, joined: 1 };
    const first = { ...calm, ...begins, waiting: { [incidentId]: waiting } };
    if (storm.version === 0 && !goesOn && (await this.#table.put(key, first, absent))) return true;
    const entry = { '#waiting.#incidentId': waiting };
    const free = 'attribute_not_exists(#waiting.#incidentId)';
    const joined = await this.#table.update(
      key,
      goesOn
        ? { set: entry, add: { joined: 1 } }
        : { set: { ...entry, ...begins }, remove: ['ended'] },
      {
        when: goesOn
          ? `${free} AND attribute_exists(#began) AND attribute_not_exists(#ended)`
          : `${free} AND (attribute_not_exists(#began) OR attribute_exists(#ended))`,
        names: { incidentId },
      },
      stormRecord,
    );
    return joined !== undefined;
  }

  /** Refused means that somebody has joined meanwhile, or it had ended before. */
  async #end(key: Key, storm: Storm, at: EpochMs): Promise<void> {
    const isOn = storm.began !== undefined && storm.ended === undefined;
    if (!isOn || Object.keys(storm.waiting).length > 0) return;
    const when = 'attribute_not_exists(#ended) AND size(#waiting) = :none';
    await this.#table.update(
      key,
      { set: { ended: at } },
      { when, values: { none: 0 } },
      stormRecord,
    );
  }
}

/** Who was let through a storm and who waits, in DynamoDB. Every method is safe to repeat. */
export const createStormLedger = (deps: LedgerDeps): StormLedger => new DynamoStormLedger(deps);
