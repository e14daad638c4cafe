import type { EpochMs, InstanceId } from '../../domain/ids.ts';
import type { Ownership } from '../../domain/ownership.ts';
import type { DriftLedger } from '../../ports/ledger.ts';
import { ownerKey } from './keys.ts';
import { ownerRecord } from './records.ts';
import { type LedgerDeps, LedgerTable } from './table.ts';

class DynamoDriftLedger implements DriftLedger {
  readonly #table: LedgerTable;

  constructor(deps: LedgerDeps) {
    this.#table = new LedgerTable(deps);
  }

  async follow(current: Ownership, owner: InstanceId, at: EpochMs): Promise<'saved' | 'lost'> {
    const { epoch, incidentId, state, volumeId } = current;
    const same = (name: 'incidentId' | 'owner'): string =>
      current[name] === undefined ? `attribute_not_exists(#${name})` : `#${name} = :${name}`;
    const saved = await this.#table.update(
      ownerKey(volumeId),
      { set: { owner, state: 'owned', updatedAt: at } },
      {
        when: `#epoch = :epoch AND #state = :state AND ${same('incidentId')} AND ${same('owner')}`,
        values: {
          epoch,
          state,
          ...(incidentId !== undefined && { incidentId }),
          ...(current.owner !== undefined && { owner: current.owner }),
        },
      },
      ownerRecord,
    );
    return saved === undefined ? 'lost' : 'saved';
  }
}

/** Ownership that moved without us, in DynamoDB. Safe to repeat. */
export const createDriftLedger = (deps: LedgerDeps): DriftLedger => new DynamoDriftLedger(deps);
