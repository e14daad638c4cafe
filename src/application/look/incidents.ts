import { incidentIdOf } from '../../domain/ids.ts';
import type { Incident } from '../../domain/incident.ts';
import { stageOf } from '../../domain/message.ts';
import { summarise } from '../../domain/summary.ts';
import type { ClusterLedger, IncidentLedger, QuarantineLedger } from '../../ports/ledger.ts';
import type { Clock } from '../../ports/system.ts';
import { inTurns } from './in-turns.ts';

export interface IncidentsDeps {
  readonly ledger: Pick<IncidentLedger, 'incident' | 'lastIncidentOf' | 'openIncidents'> &
    Pick<ClusterLedger, 'watched'> &
    Pick<QuarantineLedger, 'quarantines'>;
  readonly scope: { readonly cluster: string };
  readonly clock: Clock;
}

/** So many past incidents of one instance are shown. */
const pastMax = 20;

/** An incident on one line. Pure. */
export const lineOf = (incident: Incident) => {
  const { closedAt, hold, verdict } = incident;
  return {
    id: incident.id,
    instanceId: incident.instanceId,
    n: incident.n,
    mode: incident.mode ?? ('failover' as const),
    status: incident.status,
    stage: stageOf(incident),
    ...(verdict === undefined ? {} : { verdict: verdict.kind }),
    openedAt: incident.openedAt,
    updatedAt: incident.updatedAt,
    ...(closedAt === undefined ? {} : { closedAt }),
    summary: summarise(incident),
    ...(hold === undefined || incident.status !== 'held'
      ? {}
      : {
          hold: {
            reason: hold.reason,
            says: hold.says,
            since: hold.since,
            retryAt: hold.retryAt,
          },
        }),
  };
};

const isOver = ({ status }: Incident): boolean => status === 'recovered' || status === 'cancelled';

const existing = (read: readonly (Incident | undefined)[]): readonly Incident[] =>
  read.filter((incident) => incident !== undefined);

/** What is listed may not exist yet, or be over with its end still to be told. */
export const readOpen = async ({ ledger, scope }: IncidentsDeps): Promise<readonly Incident[]> => {
  const ids = await ledger.openIncidents(scope.cluster);
  const read = await inTurns(ids, (id) => ledger.incident(id));
  return existing(read)
    .filter((incident) => !isOver(incident))
    .sort((a, b) => a.openedAt - b.openedAt);
};

/** Those of every agent that is watched, in quarantine, or has an open incident. */
const readPast = async (
  deps: IncidentsDeps,
  open: readonly Incident[],
): Promise<readonly Incident[]> => {
  const { ledger, scope } = deps;
  const [watched, quarantines] = await Promise.all([
    ledger.watched(scope.cluster),
    ledger.quarantines(scope.cluster),
  ]);
  const known = new Set([
    ...watched,
    ...quarantines.map(({ instanceId }) => instanceId),
    ...open.map(({ instanceId }) => instanceId),
  ]);
  const last = await inTurns([...known], (id) => ledger.lastIncidentOf(scope.cluster, id));
  const earlier = last.flatMap((incident) => {
    if (incident === undefined) return [];
    const { instanceId, n } = incident;
    const first = Math.max(1, n - pastMax + 1);
    return Array.from({ length: n - first }, (_, i) =>
      incidentIdOf(scope.cluster, instanceId, first + i),
    );
  });
  const read = [...last, ...(await inTurns(earlier, (id) => ledger.incident(id)))];
  return existing(read)
    .filter(isOver)
    .sort((a, b) => b.openedAt - a.openedAt);
};

/** The open incidents, and if asked for those that are over. */
export const showIncidents = async (deps: IncidentsDeps, all: boolean) => {
  const open = await readOpen(deps);
  const past = all ? await readPast(deps, open) : [];
  return {
    kind: 'incidents' as const,
    version: 1 as const,
    at: deps.clock.now(),
    cluster: deps.scope.cluster,
    incidents: [...open, ...past].map(lineOf),
  };
};
