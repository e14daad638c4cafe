import type { AgentId } from '../domain/ids.ts';
import type { Incident } from '../domain/incident.ts';
import { type Scope, whyNotOurs } from '../domain/scope.ts';
import type { AutoScaling } from '../ports/auto-scaling.ts';
import type { ComputeReads } from '../ports/compute.ts';
import type { ClusterLedger, IncidentLedger, OwnershipLedger } from '../ports/ledger.ts';
import type { Orchestrator } from '../ports/orchestrator.ts';
import type { Clock, Log } from '../ports/system.ts';
import { answerOf, makeCalls, type PlannedCall } from './calls.ts';
import { loadIncident, type StepInput } from './step.ts';
import type { SwitchDeps } from './switches.ts';

export interface UndoProtectionDeps extends SwitchDeps {
  readonly ledger: Pick<IncidentLedger, 'incident' | 'save' | 'intend' | 'conclude'> &
    Pick<ClusterLedger, 'control'> &
    Pick<OwnershipLedger, 'ownership' | 'advance'>;
  readonly compute: Pick<ComputeReads, 'instance'>;
  readonly autoScaling: Pick<AutoScaling, 'exitStandby' | 'resumeReplacement'>;
  readonly orchestrator: Pick<Orchestrator, 'reactivate'>;
  readonly scope: Scope;
  readonly clock: Clock;
  readonly log: Log;
}

const actor = 'UndoProtection';

const reactivateCall = (deps: UndoProtectionDeps, agentId: AgentId): PlannedCall<boolean> => ({
  intent: { call: 'REACTIVATE_AGENT', target: agentId, parameters: {} },
  make: () => deps.orchestrator.reactivate(agentId),
  outcome: (done) => (done ? {} : { refused: 'not deactivated, or not known any more' }),
});

/** Its tags were taken away meanwhile: then it is not ours to move, back into its group neither. */
const isStillOurs = async (
  { compute, log, scope }: UndoProtectionDeps,
  { id: incidentId, instanceId }: Incident,
): Promise<boolean> => {
  const instance = await compute.instance(instanceId);
  const why = instance === undefined ? 'is unknown to EC2' : whyNotOurs(instance.tags, scope);
  if (why !== undefined) log.warn('left in Standby', { incidentId, instanceId, why });
  return why === undefined;
};

/** The call that ends what ProtectData did to the Auto Scaling group, if it did anything. */
const groupCall = async (
  deps: UndoProtectionDeps,
  incident: Incident,
): Promise<PlannedCall<boolean>[]> => {
  const done = incident.protection?.autoScaling;
  if (done?.kind === 'standby') {
    if (!(await isStillOurs(deps, incident))) return [];
    return [
      {
        intent: {
          call: 'ExitStandby',
          target: incident.instanceId,
          parameters: { group: done.group },
        },
        make: async () =>
          (await deps.autoScaling.exitStandby(done.group, incident.instanceId)).kind === 'accepted',
        outcome: (left) => (left ? {} : { refused: 'it is not in Standby any more' }),
      },
    ];
  }
  if (done?.kind === 'suspended') {
    return [
      {
        intent: { call: 'ResumeProcesses', target: done.group, parameters: {} },
        make: async () => {
          await deps.autoScaling.resumeReplacement(done.group);
          return true;
        },
        outcome: () => ({}),
      },
    ];
  }
  return [];
};

/** Claimed volumes go back to their owner under the epoch they have; epochs never go down. */
const returnVolumes = async (deps: UndoProtectionDeps, incident: Incident): Promise<void> => {
  const { clock, ledger } = deps;
  for (const volume of incident.facts?.volumes ?? []) {
    const record = await ledger.ownership(volume.volumeId);
    if (record?.state !== 'claimed' || record.incidentId !== incident.id) continue;
    const { id: incidentId, token } = incident;
    const next = { ...record, incidentId, token, owner: incident.instanceId };
    await ledger.advance({ ...next, state: 'owned' }, clock.now());
  }
};

/**
 * Takes back what ProtectData did, for an agent that turned out to be well. DeleteOnTermination
 * stays false: that is how it should have been.
 */
export const createUndoProtection =
  (all: UndoProtectionDeps) =>
  async (input: StepInput): Promise<{ readonly kind: 'undone' }> => {
    const deps = { ...all, switches: {} };
    const incident = await loadIncident(deps.ledger, input);
    const agents = incident.protection?.deactivatedAgentIds ?? [];
    const calls = [
      ...agents.map((agentId) => reactivateCall(deps, agentId)),
      ...(await groupCall(deps, incident)),
    ];
    for (const result of await makeCalls(deps, incident, actor, calls)) answerOf(result);
    await returnVolumes(deps, incident);
    return { kind: 'undone' };
  };
