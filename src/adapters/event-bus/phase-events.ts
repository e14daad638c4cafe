import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { Incident } from '../../domain/incident.ts';
import type { Phase, PhaseEvents } from '../../ports/events.ts';
import type { Log, Metrics } from '../../ports/system.ts';
import { failureOf } from '../aws-sdk/error-taxonomy.ts';

/** Subscribers match on these two; renaming either is a new version of the event. */
const phaseEventSource = 'ebs-failover';
const phaseEventDetailType = 'Failover Phase';

/**
 * The `detail` of a phase event, version 1, as published in docs/events.md and src/contracts. Facts of the
 * incident in words, nothing that an app or an operator wrote; whoever needs more reads the ledger. `at` in epoch milliseconds.
 */
export interface PhaseEventDetail {
  readonly version: 1;
  readonly phase: Phase;
  readonly at: number;
  readonly incidentId: string;
  readonly cluster: string;
  readonly instanceId: string;
  readonly status: Incident['status'];
  /** Which take-over of the incident says so. */
  readonly token: number;
  readonly executionName: string;
  readonly verdict?: { readonly kind: string; readonly why: readonly string[] };
  readonly fence?: { readonly method: string; readonly strength: string };
  readonly approval?: { readonly id: string; readonly status: string };
  readonly hold?: { readonly reason: string; readonly says: string };
  readonly apps?: readonly string[];
  readonly volumes?: readonly { readonly volumeId: string; readonly name: string }[];
}

export const phaseEventDetail = (
  phase: Phase,
  incident: Incident,
  at: number,
): PhaseEventDetail => {
  const { approval, verdict, fence, hold, facts } = incident;
  return {
    version: 1,
    phase,
    at,
    incidentId: incident.id,
    cluster: incident.cluster,
    instanceId: incident.instanceId,
    status: incident.status,
    token: incident.token,
    executionName: incident.executionName,
    ...(verdict && { verdict: { kind: verdict.kind, why: verdict.why } }),
    ...(fence?.method &&
      fence.strength && {
        fence: { method: fence.method, strength: fence.strength },
      }),
    ...(approval && { approval: { id: approval.id, status: approval.status } }),
    ...(hold && { hold: { reason: hold.reason, says: hold.says } }),
    ...(facts && {
      apps: facts.apps.map(({ id }) => id),
      volumes: facts.volumes.map(({ volumeId, name }) => ({ volumeId, name })),
    }),
  };
};

export interface PhaseEventsDeps {
  readonly client: EventBridgeClient;
  /** Name or ARN of the bus. */
  readonly bus: string;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** Publishes, or counts `PhaseEventLost`: whatever happens to the bus, the failover goes on. */
export const createPhaseEvents = ({ client, bus, metrics, log }: PhaseEventsDeps): PhaseEvents => {
  const put = async (phase: Phase, incident: Incident, at: number): Promise<string | undefined> => {
    const entry = {
      EventBusName: bus,
      Source: phaseEventSource,
      DetailType: phaseEventDetailType,
      Time: new Date(at),
      Detail: JSON.stringify(phaseEventDetail(phase, incident, at)),
    };
    const answer = await client.send(new PutEventsCommand({ Entries: [entry] }));
    // A 200 may carry entries the bus did not take.
    if (answer.FailedEntryCount === 0) return undefined;
    return answer.Entries?.[0]?.ErrorCode ?? 'FailedEntryCount';
  };
  return {
    async publish(phase, incident, at) {
      const lostBy = await put(phase, incident, at).catch((error) => failureOf(error).code);
      if (lostBy === undefined) return true;
      metrics.count('PhaseEventLost');
      log.warn('phase event lost', { phase, incidentId: incident.id, code: lostBy });
      return false;
    },
  };
};
