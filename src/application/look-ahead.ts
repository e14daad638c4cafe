import type { Facts, Incident } from '../domain/incident.ts';
import type { ComputeReads } from '../ports/compute.ts';
import type { IncidentLedger } from '../ports/ledger.ts';
import type { Orchestrator } from '../ports/orchestrator.ts';
import type { Clock, Log } from '../ports/system.ts';
import { lookAhead } from './placement.ts';

export interface LookAheadDeps {
  readonly clock: Clock;
  readonly compute: Pick<ComputeReads, 'instancesOfCluster' | 'volumeConditions' | 'volumesNamed'>;
  readonly ledger: Pick<IncidentLedger, 'save'>;
  readonly log: Log;
  readonly orchestrator: Pick<Orchestrator, 'agents' | 'apps'>;
}

/** Uses the wait. Whatever comes of it, the fence goes on: HandOff checks for itself if it must. */
export const lookAheadMeanwhile = async (
  { clock, compute, ledger, log, orchestrator }: LookAheadDeps,
  { id, token, acknowledged }: Incident,
  facts: Facts,
): Promise<void> => {
  try {
    const moving = { facts, acknowledged };
    const placement = await lookAhead(compute, orchestrator, moving, clock.now);
    if (placement !== undefined) await ledger.save(id, token, { placement }, clock.now());
  } catch (error) {
    const problem = error instanceof Error ? error.message : 'unknown';
    log.warn('placement not looked at ahead', { incidentId: id, problem });
  }
};
