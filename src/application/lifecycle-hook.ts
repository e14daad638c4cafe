import { hookIn } from '../domain/announced.ts';
import type { Incident, LifecycleHook } from '../domain/incident.ts';
import { limits } from '../domain/policy.ts';
import type { HookAnswer, LifecycleHooks } from '../ports/auto-scaling.ts';
import { type CallDeps, makeCalls, type PlannedCall } from './calls.ts';

const hookCall = (
  call: string,
  { instanceId }: Incident,
  { group, hook }: LifecycleHook,
  make: () => Promise<HookAnswer>,
): PlannedCall<HookAnswer> => ({
  intent: { call, target: instanceId, parameters: { group, hook } },
  make,
  outcome: (answer) =>
    answer.kind === 'accepted' ? answer.receipt : { refused: `no action waits (${answer.code})` },
});

/**
 * Keeps the lifecycle hook waiting while the move goes on. A help: one that is over lets the group
 * terminate the machine, which is seen as what it is. Answers the incident as it is then.
 */
export const keepWaiting = async (
  deps: CallDeps & { readonly autoScaling: Pick<LifecycleHooks, 'heartbeat'> },
  incident: Incident,
  actor: string,
): Promise<Incident> => {
  const hook = hookIn(incident.signals);
  const now = deps.clock.now();
  const last = incident.drain?.heartbeatAt ?? 0;
  if (hook === undefined || now - last < limits.heartbeatMs) return incident;
  const call = hookCall('RecordLifecycleActionHeartbeat', incident, hook, () =>
    deps.autoScaling.heartbeat(hook, incident.instanceId),
  );
  const drain = { ...incident.drain, heartbeatAt: now };
  await makeCalls(deps, incident, actor, [call], { drain });
  return { ...incident, drain };
};

/** Nothing of ours is on the machine any more: its group need not wait. */
export const letGo = (
  autoScaling: Pick<LifecycleHooks, 'completeHook'>,
  incident: Incident,
): PlannedCall<HookAnswer>[] => {
  const hook = hookIn(incident.signals);
  if (hook === undefined) return [];
  const { instanceId } = incident;
  return [
    hookCall('CompleteLifecycleAction', incident, hook, () =>
      autoScaling.completeHook(hook, instanceId),
    ),
  ];
};
