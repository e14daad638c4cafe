import type { AgentId, EpochMs } from './ids.ts';
import type { Facts, Fence, HandOff, HoldReason, IncidentVolume } from './incident.ts';
import type { Volume } from './machine.ts';
import type { Ownership } from './ownership.ts';
import type { Policy } from './policy.ts';
import type { DcosCapabilities, MesosAgent, Task } from './service.ts';

export interface HandOffView {
  readonly now: EpochMs;
  readonly facts: Facts;
  readonly fence: Fence;
  readonly records: readonly (Ownership | undefined)[];
  /** Fresh reads of the volumes that are not released. */
  readonly unreleasedVolumes: readonly Volume[];
  readonly policy: Policy;
}

export type Readiness =
  /** Hand over the apps whose volumes are all released; the others are held. */
  | {
      readonly kind: 'ready';
      readonly appIds: readonly string[];
      readonly heldAppIds: readonly string[];
    }
  | { readonly kind: 'wait'; readonly waitMs: number }
  | { readonly kind: 'hold'; readonly reason: HoldReason; readonly says: string };

/** Released, or with its new owner already; what the fenced instance owns was never claimed. */
const isReleased = (volume: IncidentVolume, view: HandOffView, fenced: string): boolean => {
  const record = view.records.find((r) => r?.volumeId === volume.volumeId);
  return record?.state === 'released' || (record?.state === 'owned' && record.owner !== fenced);
};

/**
 * Somebody else has it, alone, after the proof: DC/OS gave the agent up by itself and relaunched, and
 * REX-Ray was there before our next look. The fenced instance cannot write to it any more, and
 * VerifyRecovery says whether its app runs there.
 */
const isTaken = (volume: IncidentVolume, view: HandOffView, fenced: string): boolean => {
  const read = view.unreleasedVolumes.find((v) => v.volumeId === volume.volumeId);
  const [holder] = read?.attachments ?? [];
  return read?.attachments.length === 1 && holder !== undefined && holder.instanceId !== fenced;
};

/** Only the fenced instance still holds it: an app of it can only fail to attach, and back off. */
const isHarmless = (volume: IncidentVolume, view: HandOffView, fenced: string): boolean => {
  const read = view.unreleasedVolumes.find((v) => v.volumeId === volume.volumeId);
  return (
    read !== undefined &&
    read.attachments.length > 0 &&
    read.attachments.every((attachment) => attachment.instanceId === fenced)
  );
};

/** What EC2 says of a volume that time will not mend. */
const whyStuck = (
  view: HandOffView,
  stuck: readonly IncidentVolume[],
): { readonly reason: HoldReason; readonly says: string } | undefined => {
  const read = view.unreleasedVolumes.filter((v) => stuck.some((s) => s.volumeId === v.volumeId));
  const broken = read.find((volume) => volume.state === 'error');
  if (broken !== undefined) {
    const says = `${broken.volumeId} is in error: restore its latest snapshot`;
    return { reason: 'volume-not-usable', says };
  }
  const managed = read.find((volume) => volume.managedBy !== undefined);
  if (managed === undefined) return undefined;
  const says = `${managed.volumeId} is managed by ${managed.managedBy}: EC2 lets nobody else move it`;
  return { reason: 'managed-volume', says };
};

/**
 * May Mesos be told? Only after the fence proof, and after the release of every in-scope volume, or
 * past the partial deadline when each unreleased one is still attached to the fenced instance only
 * and REX-Ray does not preempt. Pure.
 */
export const readyToHandOff = (view: HandOffView, fenced: string): Readiness => {
  const { facts, fence, now, policy } = view;
  if (fence.proof === undefined) {
    const says = 'the fence has no valid proof (any more); it is fenced again first';
    return { kind: 'hold', reason: 'proof-void', says };
  }
  const stuck = facts.volumes.filter(
    (volume) => !isReleased(volume, view, fenced) && !isTaken(volume, view, fenced),
  );
  const heldAppIds = [...new Set(stuck.flatMap((volume) => volume.appIds))];
  const appIds = [...new Set(facts.volumes.flatMap((volume) => volume.appIds))].filter(
    (appId) => !heldAppIds.includes(appId),
  );
  if (stuck.length === 0) return { kind: 'ready', appIds, heldAppIds };
  const lost = view.records.find((record) => record?.state === 'lost');
  if (lost !== undefined) {
    const says = `${lost.volumeId} (${lost.name}): ${lost.says ?? 'EC2 has no such volume'}`;
    return { kind: 'hold', reason: 'volume-lost', says };
  }
  const hopeless = whyStuck(view, stuck);
  if (hopeless?.reason === 'volume-not-usable') return { kind: 'hold', ...hopeless };
  const leftMs = policy.partialDeadlineMs - (now - fence.proof[1].at);
  if (leftMs > 0) return { kind: 'wait', waitMs: leftMs };
  const names = stuck.map((volume) => volume.volumeId).join(', ');
  if (policy.rexrayPreempt === 'on') {
    const says = `${names} not released, and REX-Ray preempt would force it away: nothing is told`;
    return { kind: 'hold', reason: 'volume-stuck', says };
  }
  const harmful = stuck.find((volume) => !isHarmless(volume, view, fenced));
  if (harmful !== undefined) {
    const says = `${harmful.volumeId} is neither released nor with the fenced instance alone`;
    return { kind: 'hold', reason: 'volume-stuck', says };
  }
  return appIds.length === 0
    ? {
        kind: 'hold',
        ...(hopeless ?? {
          reason: 'volume-stuck',
          says: `${names}: no app has all its volumes yet`,
        }),
      }
    : { kind: 'ready', appIds, heldAppIds };
};

/**
 * How this DC/OS is told. Builds with MESOS-9545 answer 200 for an agent that is already
 * unreachable, send no update and never recover from it: there Marathon is told instead.
 */
export const handOffMethod = (
  dcos: DcosCapabilities,
  agentIds: readonly AgentId[],
  listed: readonly MesosAgent[],
): HandOff['method'] => {
  if (!dcos.markAgentGone) return 'wait-unreachable';
  const registered = listed.some((agent) => agentIds.includes(agent.agentId) && !agent.recovered);
  return dcos.markGoneOfUnreachableIsLost && !registered ? 'wait-unreachable' : 'mark-gone';
};

/** Tasks Marathon still believes to be on the failed agent. */
export const tasksLeft = (tasks: readonly Task[], agentIds: readonly AgentId[]): Task[] =>
  tasks.filter((task) => task.agentId !== undefined && agentIds.includes(task.agentId));
