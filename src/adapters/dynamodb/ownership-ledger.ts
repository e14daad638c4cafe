import { isDeepStrictEqual } from 'node:util';
import type { EpochMs, IncidentId, VolumeId } from '../../domain/ids.ts';
import type { Ownership } from '../../domain/ownership.ts';
import type { OwnershipLedger } from '../../ports/ledger.ts';
import { epochKey, epochPrefix, ownerKey, volumePk } from './keys.ts';
import { epochRecord, ownerRecord, ownershipOptionals, schemaVersion } from './records.ts';
import { type Condition, type LedgerDeps, LedgerTable } from './table.ts';

type Claim = Ownership & { readonly incidentId: IncidentId; readonly token: number };

/** The record still stands where the claimer saw it. */
const standsAt = (seen: Ownership | undefined): Condition => {
  if (seen === undefined) return { when: 'attribute_not_exists(#pk)' };
  const { epoch, state, incidentId } = seen;
  const stands = '#schema = :schema AND #epoch = :epoch AND #state = :state';
  const values = { schema: schemaVersion, epoch, state };
  return incidentId === undefined
    ? { when: `${stands} AND attribute_not_exists(#incidentId)`, values }
    : { when: `${stands} AND #incidentId = :incidentId`, values: { ...values, incidentId } };
};

/** The record is under this incident and epoch, not moved on by a later token or to an owner. */
const mayAdvance = (next: Ownership): Condition => {
  const { incidentId, epoch, token, owner } = next;
  const sameOwner = next.state === 'owned' && owner !== undefined;
  return {
    when: [
      '#incidentId = :incidentId AND #epoch = :epoch',
      ...(token === undefined ? [] : ['(attribute_not_exists(#token) OR #token <= :token)']),
      sameOwner ? '(#state <> :owned OR #owner = :owner)' : '#state <> :owned',
    ].join(' AND '),
    values: {
      incidentId,
      epoch,
      owned: 'owned',
      ...(token !== undefined && { token }),
      ...(sameOwner && { owner }),
    },
  };
};

/**
 * A claim supersedes the record and remembers it in the same write, as `previous`; the claim after
 * that first moves `previous` to an item of its own. So no crash loses an epoch, and no write of a
 * claimer that comes too late can alter history.
 */
class DynamoOwnershipLedger implements OwnershipLedger {
  readonly #table: LedgerTable;

  constructor(deps: LedgerDeps) {
    this.#table = new LedgerTable(deps);
  }

  async adopt(
    first: Ownership & { readonly state: 'owned'; readonly epoch: 0 },
    at: EpochMs,
  ): Promise<'recorded' | 'known'> {
    const record = { ...first, updatedAt: at };
    const absent = { when: 'attribute_not_exists(#pk)' };
    if (await this.#table.put(ownerKey(first.volumeId), record, absent)) return 'recorded';
    const item = await this.#item(first.volumeId);
    return isDeepStrictEqual(item?.current, first) ? 'recorded' : 'known';
  }

  async ownership(volumeId: VolumeId): Promise<Ownership | undefined> {
    return (await this.#item(volumeId))?.current;
  }

  async claim(
    current: Ownership | undefined,
    next: Claim,
    at: EpochMs,
  ): Promise<'claimed' | 'lost'> {
    if (next.epoch <= (current?.epoch ?? 0)) {
      throw new RangeError(`epoch ${next.epoch} of ${next.volumeId} does not rise`);
    }
    const item = await this.#item(next.volumeId);
    if (isDeepStrictEqual(item?.current, next)) return 'claimed';
    if (item?.previous) await this.#keep(item.previous);
    const record = { ...next, previous: item?.current, updatedAt: at };
    const written = await this.#table.put(ownerKey(next.volumeId), record, standsAt(current));
    return written ? 'claimed' : 'lost';
  }

  async advance(
    next: Ownership & { readonly incidentId: IncidentId },
    at: EpochMs,
  ): Promise<'saved' | 'lost'> {
    const change = {
      set: { ...next, updatedAt: at },
      remove: ownershipOptionals.filter((field) => next[field] === undefined),
    };
    const key = ownerKey(next.volumeId);
    const saved = await this.#table.update(key, change, mayAdvance(next), ownerRecord);
    if (saved !== undefined) return 'saved';
    // Refused for a record this version cannot read is no lost race: this read throws.
    await this.#item(next.volumeId);
    return 'lost';
  }

  async history(volumeId: VolumeId): Promise<Ownership[]> {
    // In this order: a claim between the two reads moves `previous` to where the second finds it.
    const previous = (await this.#item(volumeId))?.previous;
    const kept = await this.#table.list(volumePk(volumeId), epochPrefix, epochRecord);
    const missing = previous && !kept.some(({ epoch }) => epoch === previous.epoch);
    return missing ? [...kept, previous] : kept;
  }

  #item(volumeId: VolumeId) {
    return this.#table.get(ownerKey(volumeId), ownerRecord);
  }

  /** Refused means kept before, with the same content: a superseded record never changes. */
  async #keep(superseded: Ownership): Promise<void> {
    const key = epochKey(superseded.volumeId, superseded.epoch);
    await this.#table.put(key, { ...superseded }, { when: 'attribute_not_exists(#pk)' });
  }
}

/** Permission to hand a volume on, in DynamoDB. Every method is safe to repeat. */
export const createOwnershipLedger = (deps: LedgerDeps): OwnershipLedger =>
  new DynamoOwnershipLedger(deps);
