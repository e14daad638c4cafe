import type { InstanceId } from '../domain/ids.ts';
import type { IncidentLedger } from '../ports/ledger.ts';
import type { Clock, Log, Metrics } from '../ports/system.ts';

export interface AbortedDeps {
  readonly ledger: Pick<IncidentLedger, 'bindExecution' | 'openIncidentOf' | 'takeOver'>;
  readonly cluster: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export type Stopped =
  | { readonly kind: 'stopped'; readonly incidentId: string }
  | { readonly kind: 'ignored'; readonly why: string };

/**
 * A person has aborted an execution. Step Functions ends none of its invocations: the next token takes
 * the right to change anything from them. Nothing is started under it; a person resumes the incident,
 * or the sweep takes it up like every other that nobody works on.
 */
export const createStopAborted =
  ({ clock, cluster, ledger, log, metrics }: AbortedDeps) =>
  async (aborted: {
    readonly instanceId: InstanceId;
    readonly executionArn: string;
  }): Promise<Stopped> => {
    const { executionArn, instanceId } = aborted;
    const incident = await ledger.openIncidentOf(instanceId);
    if (incident?.executionArn !== executionArn || incident.cluster !== cluster) {
      return { kind: 'ignored', why: `${executionArn} holds no open incident` };
    }
    const taken = await ledger.takeOver(incident.id, incident.token, clock.now());
    if (taken === 'lost') return { kind: 'ignored', why: `${incident.id} was just taken over` };
    // Bound to what is over: a signal that comes now finds an execution, and starts none.
    await ledger.bindExecution(taken.id, taken.token, executionArn, clock.now());
    log.warn('execution aborted', { incidentId: incident.id, executionArn });
    metrics.count('ExecutionAborted');
    return { kind: 'stopped', incidentId: incident.id };
  };
