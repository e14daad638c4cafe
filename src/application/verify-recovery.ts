import { tasksLeft } from '../domain/hand-off.ts';
import type { EpochMs } from '../domain/ids.ts';
import type { Facts, HandOff, HoldReason, Incident, Recovery } from '../domain/incident.ts';
import { nextLookMs } from '../domain/looks.ts';
import { type Instance, isFree, type Volume } from '../domain/machine.ts';
import { limits } from '../domain/policy.ts';
import { type AppView, appRecovery, isServing } from '../domain/recovery.ts';
import { isOfCluster, type Scope } from '../domain/scope.ts';
import type { Task } from '../domain/service.ts';
import type { ComputeReads, Receipt, Safekeeping } from '../ports/compute.ts';
import type { PhaseEvents } from '../ports/events.ts';
import type { ClusterLedger, IncidentLedger, OwnershipLedger } from '../ports/ledger.ts';
import type { Orchestrator } from '../ports/orchestrator.ts';
import type { Pace } from '../ports/pace.ts';
import type { Clock } from '../ports/system.ts';
import { answerOf, makeCalls, type PlannedCall } from './calls.ts';
import { tagEpoch } from './claims.ts';
import { inCrowd } from './crowd.ts';
import { hold, loadStepInCrowd, type StepInput } from './step.ts';
import { heldByOperator, type SwitchDeps } from './switches.ts';

export interface VerifyRecoveryDeps extends SwitchDeps {
  readonly ledger: Pick<
    IncidentLedger,
    'incident' | 'openIncidents' | 'save' | 'intend' | 'conclude'
  > &
    Pick<ClusterLedger, 'control'> &
    Pick<OwnershipLedger, 'ownership' | 'advance'>;
  readonly compute: Pick<ComputeReads, 'instancesOfCluster' | 'volumes'> &
    Pick<Safekeeping, 'tagVolume'>;
  readonly orchestrator: Pick<
    Orchestrator,
    'tasks' | 'queue' | 'clearLaunchDelay' | 'replaceUnreachableTask'
  >;
  readonly events: PhaseEvents;
  readonly pace: Pace;
  readonly scope: Scope;
  readonly clock: Clock;
}

export type VerifyDecision =
  | { readonly kind: 'recovered' }
  | { readonly kind: 'waiting'; readonly waitSeconds: number }
  | { readonly kind: 'hold'; readonly reason: HoldReason };

const actor = 'VerifyRecovery';
const invocationMs = 40_000;
/** Mesos sends the update within a second; a missing one is made good after this. */
const updateOverdueMs = 20_000;

interface Picture {
  readonly tasks: readonly Task[];
  readonly volumes: readonly Volume[];
  readonly instances: readonly Instance[];
}

const viewOf = (facts: Facts, handOff: HandOff, picture: Picture, appId: string): AppView => {
  const app = facts.apps.find((a) => a.id === appId);
  return {
    appId,
    hasHealthChecks: app?.hasHealthChecks ?? false,
    failedAgentIds: handOff.agentIds,
    volumeIds: facts.volumes.filter((v) => v.appIds.includes(appId)).map((v) => v.volumeId),
    ...picture,
  };
};

/** EC2 is asked when Marathon says that every app serves, or when what is missing must be named. */
const look = async (
  { clock, compute, orchestrator }: VerifyRecoveryDeps,
  facts: Facts,
  handOff: HandOff,
  isLast: boolean,
): Promise<Picture> => {
  const tasks = await orchestrator.tasks();
  const early: Picture = { tasks, volumes: [], instances: [] };
  const now = clock.now();
  const serve = handOff.appIds.every((id) => isServing(viewOf(facts, handOff, early, id), now));
  if (!serve && !isLast) return early;
  const [volumes, instances] = await Promise.all([
    compute.volumes(facts.volumes.map((volume) => volume.volumeId)),
    compute.instancesOfCluster(),
  ]);
  return { tasks, volumes, instances };
};

/** Marathon waits for no offer while it backs off; it need not, the volume is free. */
const hurry = async (
  deps: VerifyRecoveryDeps,
  incident: Incident,
  appIds: readonly string[],
): Promise<void> => {
  const queue = await deps.orchestrator.queue();
  const delayed = queue.filter((entry) => appIds.includes(entry.appId) && entry.delayMs > 0);
  const calls = delayed.map(
    ({ appId }): PlannedCall<void> => ({
      intent: { call: 'DELETE /v2/queue/delay', target: appId, parameters: {} },
      make: () => deps.orchestrator.clearLaunchDelay(appId),
      outcome: () => ({}),
    }),
  );
  for (const result of await makeCalls(deps, incident, actor, calls)) answerOf(result);
};

/** The update that should have freed the tasks never came: let Marathon replace them. */
const replaceLost = async (
  deps: VerifyRecoveryDeps,
  incident: Incident,
  handOff: HandOff,
  tasks: readonly Task[],
  now: EpochMs,
): Promise<void> => {
  const overdue = now - (handOff.completedAt ?? now) >= updateOverdueMs;
  if (!overdue && handOff.method !== 'wait-unreachable') return;
  const lost = tasksLeft(tasks, handOff.agentIds).filter(
    (task) => task.state === 'TASK_UNREACHABLE',
  );
  const calls = lost.map(
    (task): PlannedCall<void> => ({
      intent: { call: 'DELETE /v2/apps/tasks', target: task.id, parameters: { app: task.appId } },
      make: () => deps.orchestrator.replaceUnreachableTask(task),
      outcome: () => ({}),
    }),
  );
  for (const result of await makeCalls(deps, incident, actor, calls)) answerOf(result);
};

/**
 * Every app is back: the ledger says who owns the volumes now, and by which task. The mark of their
 * next epoch is written while nobody waits for it.
 */
const record = async (
  deps: VerifyRecoveryDeps,
  incident: Incident,
  facts: Facts,
  apps: Recovery['apps'],
  volumes: readonly Volume[],
): Promise<void> => {
  const { clock, ledger, scope } = deps;
  const at = clock.now();
  const marks: PlannedCall<Receipt>[] = [];
  for (const volume of facts.volumes) {
    const app = apps.find((recovered) => volume.appIds.includes(recovered.id));
    const current = await ledger.ownership(volume.volumeId);
    // Claimed or held: DC/OS had relaunched by itself, and took the volume before our next look.
    if (app === undefined || current?.incidentId !== incident.id) continue;
    if (current.state === 'lost') continue;
    const owner = app.toInstanceId;
    const { id: incidentId, token } = incident;
    // Owned already: a run that was cut short before its mark left it to this one.
    if (current.state !== 'owned') {
      await ledger.advance({ ...current, incidentId, token, state: 'owned', owner }, at);
    }
    // Somebody may have taken it out of our scope meanwhile: then it is not ours to mark.
    const read = volumes.find(({ volumeId }) => volumeId === volume.volumeId);
    if (read === undefined || !isOfCluster(read, scope.cluster)) continue;
    marks.push(tagEpoch(deps, volume.volumeId, current.epoch + 1));
  }
  // A mark that could not be written now is written by the next claim.
  await makeCalls(deps, incident, actor, marks);
  await ledger.save(incident.id, incident.token, { recovery: { apps, at } }, at);
};

const conclude = async (
  deps: VerifyRecoveryDeps,
  incident: Incident,
  facts: Facts,
  handOff: HandOff,
  apps: Recovery['apps'],
  volumes: readonly Volume[],
): Promise<VerifyDecision> => {
  await record(deps, incident, facts, apps, volumes);
  if (handOff.heldAppIds.length === 0) return { kind: 'recovered' };
  const says = `${handOff.heldAppIds.join(', ')} wait for a volume that is not released yet`;
  return hold(deps.ledger, incident, { reason: 'volume-stuck', says }, deps.clock.now());
};

/** EC2 tells nobody who asks for it why an attachment failed: a disabled key is a usual reason. */
const lockedUp = (volumes: readonly Volume[]): string[] =>
  volumes
    .filter((volume) => isFree(volume) && volume.kmsKeyId !== undefined)
    .map(
      ({ kmsKeyId, volumeId }) => `${volumeId} is free: see that its key ${kmsKeyId} is enabled`,
    );

/**
 * Completed only when seen: each app RUNNING and healthy on another agent, with its volumes
 * attached there and nowhere else. Until then it keeps Marathon from waiting needlessly.
 */
export const createVerifyRecovery =
  (all: VerifyRecoveryDeps) =>
  async (input: StepInput): Promise<VerifyDecision> => {
    const { clock, events, ledger, scope } = all;
    const switches = { readAt: clock.now() };
    const { incident, control, crowd } = await loadStepInCrowd(ledger, input, scope.cluster);
    const deps = inCrowd({ ...all, switches }, crowd, 'finish');
    const switched = heldByOperator(incident, control, clock.now());
    if (switched !== undefined) return hold(ledger, incident, switched, clock.now());
    const { facts, handOff } = incident;
    if (facts === undefined || handOff === undefined) {
      throw new RangeError('VerifyRecovery before HandOff');
    }
    const started = clock.now();
    const since = handOff.completedAt ?? handOff.startedAt;
    const announced = events.publish('handed-off', incident, started);
    for (;;) {
      const isLast = clock.now() - since >= limits.recoveryMs;
      const picture = await look(deps, facts, handOff, isLast);
      const now = clock.now();
      const found = handOff.appIds.map((appId) =>
        appRecovery(viewOf(facts, handOff, picture, appId), facts.privateIp ?? '', now),
      );
      await announced;
      const back = found.filter((app) => app.kind === 'recovered').map((app) => app.app);
      if (back.length === found.length) {
        return conclude(deps, incident, facts, handOff, back, picture.volumes);
      }
      await replaceLost(deps, incident, handOff, picture.tasks, now);
      await hurry(deps, incident, handOff.appIds);
      if (isLast) {
        const missing = found.flatMap((app) => (app.kind === 'missing' ? [app.says] : []));
        const says = [...missing, ...lockedUp(picture.volumes)].join('; ');
        return hold(ledger, incident, { reason: 'recovery-not-seen', says }, now);
      }
      const waitMs = nextLookMs('recovery', now - since, crowd);
      if (clock.now() + waitMs - started > invocationMs) {
        return { kind: 'waiting', waitSeconds: Math.max(1, Math.ceil(waitMs / 1000)) };
      }
      await clock.sleep(waitMs);
    }
  };
