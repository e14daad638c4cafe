import type { EpochMs, InstanceId } from './ids.ts';
import type { AuditRecord, HoldReason } from './incident.ts';
import { type Instance, isFree, type Volume } from './machine.ts';
import { limits, type Policy } from './policy.ts';

export type ReleaseStep =
  | { readonly kind: 'detach'; readonly force: boolean }
  | { readonly kind: 'look' }
  /** Nothing holds it according to this read; another one must agree. */
  | { readonly kind: 'free' }
  /** Held: the others go on, this one is looked at again while the incident lasts. */
  | { readonly kind: 'held'; readonly reason: HoldReason; readonly says: string }
  | { readonly kind: 'lost'; readonly says: string }
  /** The fenced instance is not what the proof says: back to the fence. */
  | { readonly kind: 'proof-void'; readonly says: string };

export interface ReleaseView {
  readonly now: EpochMs;
  /** undefined: EC2 has no such volume. */
  readonly volume: Volume | undefined;
  /** The fenced instance, read in the same breath; undefined once EC2 has forgotten it. */
  readonly instance: Instance | undefined;
  readonly instanceId: InstanceId;
  readonly provenLaunchTime: string;
  readonly provenAt: EpochMs;
  /** DetachVolume intents for this volume on this incident, oldest first. */
  readonly detaches: readonly AuditRecord[];
  readonly policy: Policy;
}

/** A terminated instance lets go of its volumes by itself; DetachVolume would only queue behind. */
const terminateReleasesMs = 15_000;

const isDown = (instance: Instance): boolean =>
  instance.state === 'stopped' || instance.state === 'terminated';

const whileAttached = (view: ReleaseView, instance: Instance): ReleaseStep => {
  const { now, policy } = view;
  const detaches = view.detaches.filter((d) => d.outcome?.kind !== 'refused');
  const first = detaches[0];
  const last = detaches.at(-1);
  if (first === undefined || last === undefined) {
    const letsGo = instance.state === 'terminated' && now - view.provenAt < terminateReleasesMs;
    return letsGo ? { kind: 'look' } : { kind: 'detach', force: false };
  }
  const sinceFirstMs = now - first.intendedAt;
  const answered = last.outcome?.kind === 'accepted';
  const plain = detaches.filter((d) => d.parameters.force !== true).length;
  // An intent whose call was never made (a crash before it) is made good at once: a detach that
  // names the fenced instance is harmless to repeat.
  if (!answered && detaches.length < 3 && now - last.intendedAt >= 1_000) {
    return { kind: 'detach', force: false };
  }
  const wasForced = detaches.some((d) => d.parameters.force === true);
  if (sinceFirstMs >= limits.detachRepeatMs && plain < 2) return { kind: 'detach', force: false };
  if (sinceFirstMs >= limits.detachForceMs && policy.forceDetach === 'after-proof' && !wasForced) {
    return { kind: 'detach', force: true };
  }
  return sinceFirstMs >= limits.detachStuckMs
    ? {
        kind: 'held',
        reason: 'volume-stuck',
        says: 'EC2 does not let go of it although the instance is down; looked at again later',
      }
    : { kind: 'look' };
};

/**
 * The next step towards releasing one volume, from one fresh read of it and of the fenced instance.
 * Never touches a volume that another instance holds, never detaches from an instance that is not
 * down in the proven incarnation, never forces before a plain detach, a repeat and a deadline. Pure.
 */
export const nextReleaseStep = (view: ReleaseView): ReleaseStep => {
  const { instance, instanceId, volume } = view;
  if (volume === undefined || volume.state === 'deleted' || volume.state === 'deleting') {
    return { kind: 'lost', says: 'EC2 has no such volume any more: restore its latest snapshot' };
  }
  const holders = volume.attachments.filter((attachment) => attachment.state !== 'detached');
  const elsewhere = holders.find((attachment) => attachment.instanceId !== instanceId);
  if (elsewhere !== undefined) {
    return {
      kind: 'held',
      reason: 'volume-attached-elsewhere',
      says: `attached to ${elsewhere.instanceId} by somebody else; it is left there`,
    };
  }
  if (isFree(volume)) return { kind: 'free' };
  if (volume.state === 'error') {
    return { kind: 'held', reason: 'volume-not-usable', says: 'EC2 reports the volume in error' };
  }
  if (holders.length === 0) return { kind: 'look' };
  if (instance === undefined) {
    return {
      kind: 'held',
      reason: 'volume-stuck',
      says: 'attached to an instance EC2 no longer knows',
    };
  }
  if (instance.launchTime !== view.provenLaunchTime || !isDown(instance)) {
    return {
      kind: 'proof-void',
      says: `EC2 says ${instance.state}, launched ${instance.launchTime}: not what was proven down`,
    };
  }
  return whileAttached(view, instance);
};
