import { LedgerRewoundError } from '../domain/errors.ts';
import type { EpochMs, IncidentId, VolumeId } from '../domain/ids.ts';
import type { HoldReason, Incident, IncidentVolume } from '../domain/incident.ts';
import { tagValue, type Volume } from '../domain/machine.ts';
import { claimantOf, decideClaim, type Ownership } from '../domain/ownership.ts';
import { clusterTagKey, epochTagKey, isOfCluster, type Scope } from '../domain/scope.ts';
import type { Receipt, Safekeeping } from '../ports/compute.ts';
import type { IncidentLedger, OwnershipLedger } from '../ports/ledger.ts';
import { answerOf, type CallDeps, makeCalls, type PlannedCall } from './calls.ts';

export interface ClaimDeps extends CallDeps {
  readonly ledger: CallDeps['ledger'] & Pick<OwnershipLedger, 'claim'>;
  readonly compute: Pick<Safekeeping, 'tagVolume'>;
  readonly scope: Scope;
}

export interface Claim {
  readonly volume: IncidentVolume;
  readonly current: Ownership | undefined;
  readonly epoch: number;
  readonly tagged: boolean;
}

export interface Stop {
  readonly reason: HoldReason;
  readonly says: string;
}

/** Whose claim is on record, of those incidents that are over: they will not let go any more. */
const claimantsOver = async (
  ledger: Pick<IncidentLedger, 'incident'>,
  incident: Incident,
  records: readonly (Ownership | undefined)[],
): Promise<ReadonlySet<IncidentId>> => {
  const claimants = records.flatMap((record) => claimantOf(record, incident.id) ?? []);
  const found = await Promise.all([...new Set(claimants)].map((id) => ledger.incident(id)));
  const over = found.filter((one) => one?.status === 'recovered' || one?.status === 'cancelled');
  return new Set(over.flatMap((one) => one?.id ?? []));
};

/** Decides the claim of one volume from the ledger and the epoch tag, both just read. */
const planClaim = (
  { scope }: Pick<ClaimDeps, 'scope'>,
  incident: Incident,
  volume: IncidentVolume,
  read: Volume | undefined,
  current: Ownership | undefined,
  over: ReadonlySet<IncidentId>,
): Claim | Stop | undefined => {
  const { volumeId } = volume;
  if (read === undefined) {
    return { reason: 'volume-lost', says: `${volumeId} is gone; restore its latest snapshot` };
  }
  if (!isOfCluster(read, scope.cluster)) {
    return { reason: 'ambiguous-scope', says: `${volumeId} lost its ${clusterTagKey} tag` };
  }
  const tag = Number(tagValue(read.tags, epochTagKey) ?? '0');
  if (!Number.isSafeInteger(tag) || tag < 0) {
    return { reason: 'ambiguous-scope', says: `${volumeId}: the ${epochTagKey} tag is no number` };
  }
  const claimant = claimantOf(current, incident.id);
  const isOver = claimant !== undefined && over.has(claimant);
  const decision = decideClaim(current, incident.id, tag, isOver);
  switch (decision.kind) {
    case 'already-claimed':
      return undefined;
    case 'refuse':
      return {
        reason: 'volume-attached-elsewhere',
        says: `${volumeId} is claimed by incident ${decision.holder}, which is still open`,
      };
    case 'rewound': {
      const error = new LedgerRewoundError(volumeId, decision.ledgerEpoch, decision.tagEpoch);
      return { reason: 'ledger-rewound', says: error.message };
    }
    case 'claim':
      return { volume, current, epoch: decision.epoch, tagged: tag === decision.epoch };
  }
};

export const isStop = (plan: object | undefined): plan is Stop =>
  plan !== undefined && 'reason' in plan;

/** Volumes, and the ledger's records of them, as just read. */
export interface ClaimView {
  readonly volumes: readonly Volume[];
  readonly records: readonly (Ownership | undefined)[];
}

/** The claims still to make on these volumes, or the first reason to make none. */
export const planClaims = async (
  deps: Pick<ClaimDeps, 'scope'> & { readonly ledger: Pick<IncidentLedger, 'incident'> },
  incident: Incident,
  wanted: readonly IncidentVolume[],
  { volumes, records }: ClaimView,
): Promise<readonly Claim[] | Stop> => {
  const over = await claimantsOver(deps.ledger, incident, records);
  const plans = wanted.map((volume) => {
    const read = volumes.find(({ volumeId }) => volumeId === volume.volumeId);
    const current = records.find((record) => record?.volumeId === volume.volumeId);
    return planClaim(deps, incident, volume, read, current, over);
  });
  const stopped = plans.find(isStop);
  if (stopped !== undefined) return stopped;
  return plans.filter((plan): plan is Claim => plan !== undefined && !isStop(plan));
};

/** Writes the high-water mark: no epoch above it has been used. */
export const tagEpoch = (
  { compute }: Pick<ClaimDeps, 'compute'>,
  volumeId: VolumeId,
  epoch: number,
): PlannedCall<Receipt> => ({
  intent: {
    call: 'CreateTags',
    target: volumeId,
    parameters: { key: epochTagKey, value: String(epoch) },
    epoch,
  },
  make: () => compute.tagVolume(volumeId, { [epochTagKey]: String(epoch) }),
  outcome: (receipt) => receipt,
});

export const claimAll = async (
  deps: ClaimDeps,
  incident: Incident,
  actor: string,
  claims: readonly Claim[],
  now: EpochMs,
): Promise<Stop | undefined> => {
  // The tag is the high-water mark outside of the table, so it is written before the first use:
  // by adopt or the end of the last incident, when nobody waited, or else now.
  const tags = claims
    .filter((claim) => !claim.tagged)
    .map(({ volume, epoch }) => tagEpoch(deps, volume.volumeId, epoch));
  for (const result of await makeCalls(deps, incident, actor, tags)) answerOf(result);
  const outcomes = await Promise.all(
    claims.map(({ current, epoch, volume }) =>
      deps.ledger.claim(
        current,
        {
          volumeId: volume.volumeId,
          name: volume.name,
          state: 'claimed',
          epoch,
          from: incident.instanceId,
          incidentId: incident.id,
          token: incident.token,
          ...(current?.owner === undefined ? {} : { owner: current.owner }),
        },
        now,
      ),
    ),
  );
  const lost = claims[outcomes.indexOf('lost')];
  return lost === undefined
    ? undefined
    : {
        reason: 'volume-attached-elsewhere',
        says: `${lost.volume.volumeId} was claimed by somebody else at the same moment`,
      };
};
