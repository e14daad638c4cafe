import type { EpochMs, IncidentId, InstanceId, VolumeId } from './ids.ts';
import type { FenceStrength, ProofRead } from './incident.ts';

export type OwnershipState = 'owned' | 'claimed' | 'released' | 'held' | 'lost';

/** The permission record of a volume. EC2 is the truth for attachment, this for hand-off. */
export interface Ownership {
  readonly volumeId: VolumeId;
  readonly name: string;
  readonly state: OwnershipState;
  /** Rises by one with every incident that claims the volume; 0 before the first. */
  readonly epoch: number;
  readonly owner?: InstanceId;
  readonly incidentId?: IncidentId;
  readonly token?: number;
  /** The instance it was claimed from. */
  readonly from?: InstanceId;
  readonly releasedAt?: EpochMs;
  readonly proof?: readonly [ProofRead, ProofRead];
  readonly strength?: FenceStrength;
  readonly says?: string;
}

export type ClaimDecision =
  | { readonly kind: 'claim'; readonly epoch: number }
  | { readonly kind: 'already-claimed'; readonly epoch: number }
  | { readonly kind: 'refuse'; readonly holder: IncidentId }
  | { readonly kind: 'rewound'; readonly ledgerEpoch: number; readonly tagEpoch: number };

const isTaken = ({ state }: Ownership): boolean => state === 'claimed' || state === 'held';

/** The other incident whose claim is on record. */
export const claimantOf = (
  current: Ownership | undefined,
  incidentId: IncidentId,
): IncidentId | undefined =>
  current !== undefined && current.incidentId !== incidentId && isTaken(current)
    ? current.incidentId
    : undefined;

/**
 * May this incident claim the volume, and under which epoch? Once per incident; another open
 * incident's claim stands until that incident is over: `isOver` says so of whoever is on record. A tag above the ledger means that the table
 * was restored from an older copy: epochs could repeat, so nothing goes on.
 */
export const decideClaim = (
  current: Ownership | undefined,
  incidentId: IncidentId,
  tagEpoch: number,
  isOver = false,
): ClaimDecision => {
  const ledgerEpoch = current?.epoch ?? 0;
  // The tag is written before the first use of an epoch, so a crash between the two leaves it one
  // ahead; further ahead can only be an older ledger, and then nothing in it can be believed.
  if (tagEpoch > ledgerEpoch + 1) return { kind: 'rewound', ledgerEpoch, tagEpoch };
  const ours = current?.incidentId === incidentId && current.state !== 'owned';
  if (ours) return { kind: 'already-claimed', epoch: ledgerEpoch };
  const holder = claimantOf(current, incidentId);
  if (holder !== undefined && !isOver) return { kind: 'refuse', holder };
  return { kind: 'claim', epoch: ledgerEpoch + 1 };
};
