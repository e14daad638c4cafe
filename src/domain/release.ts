import type { EpochMs, InstanceId, VolumeId } from './ids.ts';
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

/**
 * So many volumes of an agent are released by one invocation: the intents of their detaches are
 * written, and their calls made, within the seconds that the read before them is good for.
 */
export const releasedAtOnce = 40;

/** One group for all of an agent's volumes, as a rule. */
export const releaseGroups = (volumeIds: readonly VolumeId[]): (readonly VolumeId[])[] => {
  const count = Math.ceil(volumeIds.length / releasedAtOnce);
  return Array.from({ length: count }, (_, n) =>
    volumeIds.slice(n * releasedAtOnce, (n + 1) * releasedAtOnce),
  );
};

/** A terminated instance lets go of its volumes by itself; DetachVolume would only queue behind. */
const terminateReleasesMs = 15_000;
/** Added to the wait with every refusal, up to a minute. */
const refusedRepeatMs = 2_000;
const refusedRepeatMaxMs = 60_000;

const isDown = (instance: Instance): boolean =>
  instance.state === 'stopped' || instance.state === 'terminated';

const isRefused = (detach: AuditRecord): boolean => detach.outcome?.kind === 'refused';
const isAccepted = (detach: AuditRecord): boolean => detach.outcome?.kind === 'accepted';
const isForced = (detach: AuditRecord): boolean => detach.parameters.force === true;

/** What EC2 has accepted it shows: an attachment that is still whole was never asked to go. */
const isWhole = ({ volume }: ReleaseView): boolean =>
  volume?.attachments.every(({ state }) => state === 'attached') ?? false;

/** What to ask for now, if anything; undefined: what was asked for has not had its time yet. */
const nextDetach = (view: ReleaseView): { readonly force: boolean } | undefined => {
  const { detaches, now, policy } = view;
  const last = detaches.at(-1);
  if (last === undefined) return { force: false };
  const sinceLastMs = now - last.intendedAt;
  const refusals = detaches.filter(isRefused).length;
  // A refusal may be a stale read of ours, or a throttle: asked again, but ever more rarely.
  if (isRefused(last) && sinceLastMs < Math.min(refusals * refusedRepeatMs, refusedRepeatMaxMs)) {
    return undefined;
  }
  const made = detaches.filter((detach) => !isRefused(detach));
  const [first] = made;
  if (first === undefined) return { force: false };
  // An intent whose call was never made (a crash before it) is made good at once: a detach that
  // names the fenced instance is harmless to repeat.
  const answered = isRefused(last) || isAccepted(last);
  if (!answered && made.length < 3 && sinceLastMs >= 1_000) return { force: false };
  if (!detaches.some(isAccepted) && isWhole(view)) {
    return sinceLastMs >= limits.detachRepeatMs ? { force: false } : undefined;
  }
  const sinceFirstMs = now - first.intendedAt;
  const plain = made.filter((detach) => !isForced(detach)).length;
  if (plain < 2) return sinceFirstMs >= limits.detachRepeatMs ? { force: false } : undefined;
  const mayForce = policy.forceDetach === 'after-proof' && !made.some(isForced);
  return mayForce &&
    sinceFirstMs >= limits.detachForceMs &&
    sinceLastMs >= limits.detachForceMs - limits.detachRepeatMs
    ? { force: true }
    : undefined;
};

const whileAttached = (view: ReleaseView, instance: Instance): ReleaseStep => {
  const { detaches, now, provenAt } = view;
  const [first] = detaches;
  if (
    first === undefined &&
    instance.state === 'terminated' &&
    now - provenAt < terminateReleasesMs
  ) {
    return { kind: 'look' };
  }
  const next = nextDetach(view);
  if (next !== undefined) return { kind: 'detach', ...next };
  return first !== undefined && now - first.intendedAt >= limits.detachStuckMs
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
  if (holders.length === 0) {
    // In error it is let go of like any other, but nobody is told to use it.
    return volume.state === 'error'
      ? { kind: 'held', reason: 'volume-not-usable', says: 'EC2 reports the volume in error' }
      : { kind: 'look' };
  }
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
