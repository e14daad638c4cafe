import { modeOf } from '../domain/announced.ts';
import { SignalRefusedError } from '../domain/errors.ts';
import type { InstanceId } from '../domain/ids.ts';
import type { Incident, Signal } from '../domain/incident.ts';
import { type Scope, whyNotOurs } from '../domain/scope.ts';
import type { ComputeReads } from '../ports/compute.ts';
import type { ClusterLedger, IncidentLedger } from '../ports/ledger.ts';
import type { Clock, Log, Metrics } from '../ports/system.ts';
import type { Functions, Workflow } from '../ports/workflow.ts';

export interface IntakeDeps {
  readonly ledger: Pick<IncidentLedger, 'admit' | 'takeOver'> & Pick<ClusterLedger, 'inventory'>;
  readonly compute: Pick<ComputeReads, 'instance'>;
  readonly workflow: Pick<Workflow, 'start'>;
  readonly functions: Functions;
  readonly scope: Scope;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

export type Admitted =
  | { readonly kind: 'opened' | 'joined' | 'woken'; readonly incidentId: string }
  | { readonly kind: 'refused'; readonly instanceId: InstanceId; readonly why: string };

/**
 * Is the instance an agent of this cluster? The inventory answers without a read of EC2, and still
 * does when a terminated instance has lost its tags. Throws SignalRefusedError for an instance that
 * nobody knows: the signal is then kept in the dead-letter queue.
 */
export const whyRefused = async (
  deps: Pick<IntakeDeps, 'ledger' | 'compute' | 'scope'>,
  instanceId: InstanceId,
): Promise<string | undefined> => {
  if ((await deps.ledger.inventory(instanceId)) !== undefined) return undefined;
  const instance = await deps.compute.instance(instanceId);
  if (instance === undefined) {
    throw new SignalRefusedError(
      instanceId,
      'is unknown to EC2 and to the inventory (unknown-incarnation)',
    );
  }
  return whyNotOurs(instance.tags, deps.scope);
};

/**
 * Starts the execution the ledger allocated for this token, in the workflow of its mode. Repeating it is harmless: the name is
 * the guard.
 */
export const startExecution = (
  workflow: Pick<Workflow, 'start'>,
  incident: Incident,
): Promise<string> =>
  workflow.start(modeOf(incident), incident.executionName, {
    incidentId: incident.id,
    instanceId: incident.instanceId,
    token: incident.token,
  });

const admit = async (deps: IntakeDeps, signal: Signal): Promise<Admitted> => {
  const { clock, ledger, log, metrics, scope, workflow } = deps;
  const why = await whyRefused(deps, signal.instanceId);
  if (why !== undefined) {
    log.info('signal refused', { instanceId: signal.instanceId, why });
    metrics.count('SignalRefused');
    return { kind: 'refused', instanceId: signal.instanceId, why };
  }
  const admitted = await ledger.admit(scope.cluster, signal);
  const { incident } = admitted;
  if (admitted.kind === 'opened') {
    await Promise.all([startExecution(workflow, incident), deps.functions.warm()]);
    metrics.count('IncidentOpened');
    return { kind: 'opened', incidentId: incident.id };
  }
  // Not bound to an execution it has been woken already, a moment ago: that one will read this signal.
  const isWaiting = incident.status === 'held' && incident.executionArn !== undefined;
  if (isWaiting && admitted.added) {
    const taken = await ledger.takeOver(incident.id, incident.token, clock.now(), {}, 'held');
    if (taken !== 'lost') {
      await startExecution(workflow, taken);
      return { kind: 'woken', incidentId: incident.id };
    }
  }
  // Opened a moment ago and not running yet: its opener may have died before it started it.
  if (incident.executionArn === undefined) await startExecution(workflow, incident);
  return { kind: 'joined', incidentId: incident.id };
};

/**
 * Adds each signal to the one open incident of its instance and makes sure that an execution is on
 * its way. A signal is only a reason to look: nothing about the instance is believed here. One that
 * cannot be admitted does not keep the others out; its error is thrown after them, so that the whole
 * event is delivered again or kept, and repeating the others changes nothing.
 */
export const createIntake =
  (deps: IntakeDeps) =>
  async (signals: readonly Signal[]): Promise<Admitted[]> => {
    const admitted: Admitted[] = [];
    const failures: unknown[] = [];
    for (const signal of signals) {
      try {
        admitted.push(await admit(deps, signal));
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
    return admitted;
  };
