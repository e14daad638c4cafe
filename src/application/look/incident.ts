import type { EpochMs, IncidentId, InstanceId, VolumeId } from '../../domain/ids.ts';
import type { Approval, AuditRecord, Incident } from '../../domain/incident.ts';
import { stageOf } from '../../domain/message.ts';
import type { OrderRecord } from '../../domain/order.ts';
import type { Ownership } from '../../domain/ownership.ts';
import { phaseTimes, summarise } from '../../domain/summary.ts';
import { phasesOf, timelineOf } from '../../domain/timeline.ts';
import type { IncidentLedger, OrderLedger, OwnershipLedger } from '../../ports/ledger.ts';
import type { Clock } from '../../ports/system.ts';
import { refused } from './refused.ts';

export interface IncidentViewDeps {
  readonly ledger: Pick<IncidentLedger, 'audit' | 'incident' | 'lastIncidentOf'> &
    Pick<OrderLedger, 'orders'> &
    Pick<OwnershipLedger, 'history' | 'ownership'>;
  readonly scope: { readonly cluster: string };
  readonly clock: Clock;
}

/** A call as people ask for it: with its outcome in one word. */
const callOf = ({ outcome, ...intent }: AuditRecord) => ({
  ...intent,
  outcome: outcome?.kind ?? ('open' as const),
  ...(outcome === undefined ? {} : { concludedAt: outcome.at }),
  ...(outcome?.kind === 'accepted' && outcome.requestId !== undefined
    ? { requestId: outcome.requestId }
    : {}),
  ...(outcome !== undefined && outcome.kind !== 'accepted' ? { error: outcome.error } : {}),
});

const orderOf = ({ outcome, ...order }: OrderRecord) => ({
  ...order,
  outcome: outcome?.kind ?? ('open' as const),
  ...(outcome === undefined ? {} : { says: outcome.says }),
});

/** What a person is asked. The task token is nobody's to see. */
const askedOf = ({ plan: _plan, taskToken: _token, ...asked }: Approval) => asked;

/** Those it was to move; what came while it was fenced is among them. */
const volumeIdsOf = ({ facts }: Incident): readonly VolumeId[] =>
  facts?.volumes.map(({ volumeId }) => volumeId) ?? [];

interface VolumeStory {
  readonly volumeId: VolumeId;
  readonly name: string;
  readonly now?: Ownership;
  readonly before: readonly Ownership[];
}

const readVolume = async (
  { ledger }: IncidentViewDeps,
  volumeId: VolumeId,
): Promise<VolumeStory> => {
  // In this order: a claim between the two moves the record to where the second read finds it.
  const now = await ledger.ownership(volumeId);
  const kept = await ledger.history(volumeId);
  const before = kept.filter(({ epoch }) => epoch !== now?.epoch).sort((a, b) => a.epoch - b.epoch);
  const name = now?.name ?? before.at(-1)?.name ?? '';
  return { volumeId, name, ...(now === undefined ? {} : { now }), before };
};

/** What is on record beside the incident itself. */
interface Read {
  readonly calls: readonly AuditRecord[];
  readonly orders: readonly OrderRecord[];
  readonly volumes: readonly VolumeStory[];
}

/** The whole of it as one document. Pure. */
const documentOf = (incident: Incident, { calls, orders, volumes }: Read, at: EpochMs) => {
  const { executionArn, executionName, token } = incident;
  const { approval, closedAt, drain, facts, fence, handOff, hold, quarantine, recovery, verdict } =
    incident;
  const ownerships = volumes.flatMap(({ before, now }) => (now ? [...before, now] : before));
  const story = { incident, calls, orders, ownerships, at };
  return {
    kind: 'incident' as const,
    version: 1 as const,
    at,
    id: incident.id,
    cluster: incident.cluster,
    instanceId: incident.instanceId,
    n: incident.n,
    mode: incident.mode ?? ('failover' as const),
    status: incident.status,
    stage: stageOf(incident),
    summary: summarise(incident),
    openedAt: incident.openedAt,
    updatedAt: incident.updatedAt,
    ...(closedAt === undefined ? {} : { closedAt }),
    execution: {
      name: executionName,
      ...(executionArn === undefined ? {} : { arn: executionArn }),
      token,
    },
    times: phaseTimes(incident),
    phases: phasesOf(story),
    timeline: timelineOf(story),
    signals: incident.signals,
    ...(verdict === undefined ? {} : { verdict }),
    ...(facts === undefined ? {} : { facts }),
    ...(drain === undefined ? {} : { drain }),
    ...(fence === undefined ? {} : { fence }),
    ...(handOff === undefined ? {} : { handOff }),
    ...(recovery === undefined ? {} : { recovery }),
    ...(quarantine === undefined ? {} : { quarantine }),
    ...(hold === undefined ? {} : { hold }),
    ...(approval === undefined ? {} : { approval: askedOf(approval) }),
    acknowledged: incident.acknowledged ?? [],
    ...(incident.operatorHold === undefined ? {} : { operatorHold: incident.operatorHold }),
    orders: orders.map(orderOf),
    calls: calls.map(callOf),
    volumes,
  };
};

const show = async (deps: IncidentViewDeps, incident: Incident) => {
  const [calls, orders, volumes] = await Promise.all([
    deps.ledger.audit(incident.id),
    deps.ledger.orders({ incidentId: incident.id }),
    Promise.all(volumeIdsOf(incident).map((volumeId) => readVolume(deps, volumeId))),
  ]);
  return documentOf(incident, { calls, orders, volumes }, deps.clock.now());
};

/** One incident with all that is on record of it. */
export const showIncident = async (deps: IncidentViewDeps, id: IncidentId) => {
  const isOurs = id.startsWith(`${deps.scope.cluster}#`);
  const incident = isOurs ? await deps.ledger.incident(id) : undefined;
  if (incident !== undefined) return show(deps, incident);
  return refused(
    isOurs
      ? `the ledger has no incident ${id}`
      : `${id} is an incident of another cluster than ${deps.scope.cluster}`,
  );
};

/** The same of the instance's last incident, which is the open one where one is open. */
export const showIncidentOf = async (deps: IncidentViewDeps, instanceId: InstanceId) => {
  const last = await deps.ledger.lastIncidentOf(deps.scope.cluster, instanceId);
  return last === undefined
    ? refused(`the ledger knows no incident of ${instanceId}`)
    : show(deps, last);
};

/** Every epoch a volume has had, and the one it has. */
export const showHistory = async (deps: IncidentViewDeps, volumeId: VolumeId) => {
  const { before, name, now } = await readVolume(deps, volumeId);
  const epochs = now === undefined ? before : [...before, now];
  if (epochs.length === 0) return refused(`the ledger knows nothing of ${volumeId}`);
  return {
    kind: 'history' as const,
    version: 1 as const,
    at: deps.clock.now(),
    cluster: deps.scope.cluster,
    volumeId,
    name,
    epochs,
  };
};
