import type { InstanceId } from '../domain/ids.ts';
import type { Incident, Signal } from '../domain/incident.ts';
import type { Instance } from '../domain/machine.ts';
import { isDown } from '../domain/verdict.ts';
import type { ClusterLedger, IncidentLedger } from '../ports/ledger.ts';
import { type Admitted, createIntake, type IntakeDeps } from './intake.ts';
import { isSeenTo } from './lost-events.ts';

export interface WakeDeps extends IntakeDeps {
  readonly ledger: IntakeDeps['ledger'] &
    Pick<IncidentLedger, 'openIncidentOf' | 'lastIncidentOf'> &
    Pick<ClusterLedger, 'inventory'>;
}

export type Woken =
  | Admitted
  | { readonly kind: 'idle'; readonly instanceId: InstanceId; readonly why: string };

/** The last incident has moved what this start of the machine had, or found nothing to move. */
const isSettled = (last: Incident | undefined, instance: Instance): boolean =>
  isSeenTo(last, instance) ||
  (last?.verdict?.kind === 'Down' && (last.facts?.launchTime ?? '') >= instance.launchTime);

/** Why there is nothing to open an incident for; undefined: there is. */
const whyIdle = async (
  { compute, ledger, scope }: WakeDeps,
  instanceId: InstanceId,
): Promise<string | undefined> => {
  const [instance, last] = await Promise.all([
    compute.instance(instanceId),
    ledger.lastIncidentOf(scope.cluster, instanceId),
  ]);
  if (instance === undefined) return 'EC2 does not know it, and no incident of it is open';
  if (!isDown(instance.state)) return `EC2 says ${instance.state}, and no incident of it is open`;
  return isSettled(last, instance) ? `incident ${last?.id} has seen to it` : undefined;
};

/**
 * Weaker reasons to look than a signal: each joins the open incident of its instance, and wakes it
 * if it is held. Where none is open, EC2 is asked at once, and only a machine that is down and that
 * no incident has seen to opens one: most of what comes here is the echo of a stop of our own.
 */
export const createWake = (deps: WakeDeps) => {
  const admit = createIntake(deps);
  const wake = async (signal: Signal): Promise<readonly Woken[]> => {
    const { instanceId } = signal;
    if ((await deps.ledger.openIncidentOf(instanceId)) !== undefined) return admit([signal]);
    const why = await whyIdle(deps, instanceId);
    if (why === undefined) return admit([signal]);
    deps.log.info('woken for nothing', { instanceId, says: signal.says, why });
    return [{ kind: 'idle', instanceId, why }];
  };
  return async (signals: readonly Signal[]): Promise<Woken[]> => {
    const woken: Woken[] = [];
    for (const signal of signals) woken.push(...(await wake(signal)));
    return woken;
  };
};
