import type { AgentId } from '../domain/ids.ts';
import type {
  Facts,
  HoldReason,
  Incident,
  IncidentVolume,
  Protection,
} from '../domain/incident.ts';
import type { Instance } from '../domain/machine.ts';
import type { AutoScaling, GroupMembership } from '../ports/auto-scaling.ts';
import type { ComputeReads, Receipt, Safekeeping } from '../ports/compute.ts';
import type { Orchestrator } from '../ports/orchestrator.ts';
import type { Log } from '../ports/system.ts';
import { answerOf, type CallDeps, intentLastsMs, makeCalls, type PlannedCall } from './calls.ts';
import { awaitTurn, type CrowdDeps } from './crowd.ts';

export interface ProtectionDeps extends CallDeps, CrowdDeps {
  readonly compute: Pick<ComputeReads, 'instance'> & Pick<Safekeeping, 'keepOnTermination'>;
  readonly autoScaling: Pick<AutoScaling, 'enterStandby' | 'suspendReplacement'>;
  readonly orchestrator: Pick<Orchestrator, 'deactivate'>;
  readonly log: Log;
}

const actor = 'ProtectData';

const keepCall = (
  deps: ProtectionDeps,
  instance: Instance,
  volumes: readonly IncidentVolume[],
): PlannedCall<Receipt> => ({
  intent: {
    call: 'ModifyInstanceAttribute',
    target: instance.instanceId,
    parameters: {
      deleteOnTermination: false,
      devices: volumes.map((volume) => volume.device).join(' '),
    },
  },
  make: () => deps.compute.keepOnTermination(instance.instanceId, volumes),
  outcome: (receipt) => receipt,
});

/** Volumes that a termination of the instance would delete, by a fresh read of its mappings. */
const deletable = (instance: Instance, volumes: readonly IncidentVolume[]): IncidentVolume[] =>
  volumes.filter((volume) =>
    instance.devices.some((d) => d.volumeId === volume.volumeId && d.deleteOnTermination),
  );

const standbyCall = (
  deps: ProtectionDeps,
  incident: Incident,
  group: GroupMembership,
): PlannedCall<Protection['autoScaling']> => {
  // Without room above the minimum the group launches a replacement, which is welcome.
  const decrementDesired = group.desired > group.min;
  return {
    intent: {
      call: 'EnterStandby',
      target: incident.instanceId,
      parameters: { group: group.group, decrementDesired },
    },
    make: async () => {
      const { group: name } = group;
      const answer = await deps.autoScaling.enterStandby(name, incident.instanceId, {
        decrementDesired,
      });
      return answer.kind === 'accepted'
        ? { kind: 'standby', group: name }
        : { kind: 'replacement-accepted', group: name };
    },
    outcome: (answer) => (answer.kind === 'standby' ? {} : { refused: 'the group refused' }),
  };
};

const suspendCall = (
  deps: ProtectionDeps,
  group: string,
): PlannedCall<Protection['autoScaling']> => ({
  intent: { call: 'SuspendProcesses', target: group, parameters: { process: 'ReplaceUnhealthy' } },
  make: async () => {
    await deps.autoScaling.suspendReplacement(group);
    return { kind: 'suspended', group };
  },
  outcome: () => ({}),
});

/**
 * Keeps the group from terminating a stopped member: Standby, else no replacement of unhealthy
 * members, else the replacement is accepted and written down (its volumes are kept anyway).
 */
export const shelter = async (
  deps: ProtectionDeps,
  incident: Incident,
  group: GroupMembership | undefined,
): Promise<Protection['autoScaling']> => {
  if (group === undefined) return { kind: 'none' };
  if (['Standby', 'EnteringStandby'].includes(group.lifecycleState)) {
    return { kind: 'standby', group: group.group };
  }
  if (group.lifecycleState === 'InService') {
    const calls = [standbyCall(deps, incident, group)];
    const [standby] = await makeCalls(deps, incident, actor, calls);
    if (answerOf(standby).kind === 'standby') return answerOf(standby);
  }
  if (group.lifecycleState.startsWith('Terminat')) {
    return { kind: 'replacement-accepted', group: group.group };
  }
  const [suspended] = await makeCalls(deps, incident, actor, [suspendCall(deps, group.group)]);
  return answerOf(suspended);
};

/** Stops offers from a dying agent. A help, never the proof: failing is recorded and no more. */
export const blockNewWork = async (
  deps: ProtectionDeps,
  incident: Incident,
  facts: Facts,
): Promise<AgentId[]> => {
  const calls = facts.agentIds.map(
    (agentId): PlannedCall<boolean> => ({
      intent: { call: 'DEACTIVATE_AGENT', target: agentId, parameters: {} },
      make: () => deps.orchestrator.deactivate(agentId),
      outcome: (done) => (done ? {} : { refused: 'not known to this Mesos or this agent' }),
    }),
  );
  const results = await makeCalls(deps, incident, actor, calls);
  return facts.agentIds.filter((agentId, index) => {
    const result = results[index];
    if (result?.kind === 'failed') deps.log.warn('agent not deactivated', { agentId });
    return result?.kind === 'answered' && result.answer;
  });
};

/** A read is good for so long, less the time to write the intent. */
const oldMs = 2_000 - intentLastsMs;

/** Sets DeleteOnTermination=false where it is not, and believes only the read after it. */
export const keepData = async (
  deps: ProtectionDeps,
  incident: Incident,
  instance: Instance,
  volumes: readonly IncidentVolume[],
): Promise<{ reason: HoldReason; says: string } | undefined> => {
  const doomed = deletable(instance, volumes);
  if (doomed.length === 0) return undefined;
  const names = doomed.map((volume) => volume.volumeId).join(', ');
  if (instance.state === 'shutting-down' || instance.state === 'terminated') {
    deps.log.error('termination deletes data volumes', { volumes: names });
    return undefined;
  }
  const waitedMs = await awaitTurn(deps, 'ModifyInstanceAttribute', 1);
  if (waitedMs > oldMs) {
    // What was read before the wait may have changed; the flags, too.
    const now = await deps.compute.instance(incident.instanceId);
    if (now === undefined || now.launchTime !== instance.launchTime) {
      const says = 'EC2 shows another incarnation than the one that was assessed; looking again';
      return { reason: 'unknown-incarnation', says };
    }
  }
  const [kept] = await makeCalls(deps, incident, actor, [keepCall(deps, instance, doomed)]);
  answerOf(kept);
  const after = await deps.compute.instance(incident.instanceId);
  return after !== undefined && deletable(after, volumes).length === 0
    ? undefined
    : {
        reason: 'terminate-would-delete-data',
        says: `${names} still read DeleteOnTermination=true after it was set to false`,
      };
};
