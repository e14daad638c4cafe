import type { Note } from '../domain/note.ts';
import type { ZoneShift } from '../domain/zone-shift.ts';
import type { ClusterLedger, OwnershipLedger } from '../ports/ledger.ts';
import type { Log } from '../ports/system.ts';

export interface TellNoteDeps {
  readonly ledger: Pick<OwnershipLedger, 'ownership'> & Pick<ClusterLedger, 'inventory'>;
  readonly log: Log;
}

export type Told =
  | { readonly kind: 'noted'; readonly about: Note['about']; readonly says: string }
  | { readonly kind: 'ignored'; readonly why: string };

/** Does the ledger know anything that the note names? One that names nothing is everybody's. */
const isOurs = async (
  { ledger }: TellNoteDeps,
  { instanceIds, volumeIds }: Note,
): Promise<boolean> => {
  if (instanceIds.length + volumeIds.length === 0) return true;
  const known = await Promise.all([
    ...instanceIds.map((instanceId) => ledger.inventory(instanceId)),
    ...volumeIds.map((volumeId) => ledger.ownership(volumeId)),
  ]);
  return known.some((record) => record !== undefined);
};

/**
 * What people should hear of goes to the log, and its `kind` is a metric with an alarm. Nothing is
 * changed and no incident is opened: no failover would mend it.
 */
export const createTellNote =
  (deps: TellNoteDeps) =>
  async (note: Note): Promise<Told> => {
    const { about, instanceIds, says, volumeIds } = note;
    if (!(await isOurs(deps, note))) {
      return { kind: 'ignored', why: `${says}: nothing of this cluster` };
    }
    deps.log.warn('people should know', { about, says, instanceIds, volumeIds });
    return { kind: 'noted', about, says };
  };

export interface RememberShiftDeps {
  readonly ledger: Pick<ClusterLedger, 'rememberZoneShift'>;
  readonly log: Log;
  readonly cluster: string;
}

/** Keeps the shift for whoever decides about that zone; by itself it changes nothing. */
export const createRememberShift =
  ({ cluster, ledger, log }: RememberShiftDeps) =>
  async (shift: ZoneShift) => {
    const { away, says, zoneId } = shift;
    const outcome = await ledger.rememberZoneShift(cluster, shift);
    log.warn('zone shift', { zoneId, away, says, outcome });
    return { kind: 'zoneShift' as const, zoneId, away, outcome };
  };
