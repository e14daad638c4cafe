import type { VolumeId } from './ids.ts';
import type { Signal, Wish } from './incident.ts';
import type { Policy } from './policy.ts';
import type { ScopedVolumes } from './scope.ts';

/** How a person wants it done: the last one who said anything about it. */
export const wishIn = (signals: readonly Signal[]): Wish =>
  signals.findLast(({ wish }) => wish !== undefined)?.wish ?? {};

/** A person takes it upon themselves to pass the guards that only keep things orderly. */
export const isForced = (signals: readonly Signal[]): boolean => wishIn(signals).force === true;

/** What a person has said about the fence goes before what is said for the whole deployment. */
export const policyFor = (policy: Policy, signals: readonly Signal[]): Policy => {
  const { fence } = wishIn(signals);
  if (fence === undefined) return policy;
  return { ...policy, fenceTerminate: fence === 'stop' ? 'never' : 'at-once' };
};

interface Named {
  readonly volumeId: VolumeId;
  readonly appIds: readonly string[];
}

/**
 * Why the volumes a person named cannot be what is moved. A fence takes the whole machine down, so
 * nothing of the cluster may be left on it; a planned move may leave some behind. Pure.
 */
export const whyNotThese = (
  wanted: readonly VolumeId[],
  inScope: readonly Named[],
  mode: 'failover' | 'drain',
): string | undefined => {
  const missing = wanted.filter((id) => !inScope.some(({ volumeId }) => volumeId === id));
  if (missing.length > 0) {
    return `${missing.join(', ')}: not on this machine, or not the cluster's to move`;
  }
  const left = inScope.filter(({ volumeId }) => !wanted.includes(volumeId));
  if (mode === 'drain' || left.length === 0) return undefined;
  const names = left.map(({ appIds, volumeId }) => `${volumeId} of ${appIds.join(', ')}`);
  return (
    `a fence takes the whole machine down, and ${names.join('; ')} would stay on it: name every ` +
    'volume, or none, or move these with mode drain'
  );
};

/** A planned move leaves the machine up: what nobody asked for stays on it. Pure. */
export const onlyWanted = (
  scoped: ScopedVolumes,
  wanted: readonly VolumeId[] | undefined,
): ScopedVolumes => {
  if (wanted === undefined) return scoped;
  const isWanted = ({ volumeId }: Named): boolean => wanted.includes(volumeId);
  const why = 'not among the volumes asked for';
  const left = scoped.inScope.filter((volume) => !isWanted(volume));
  return {
    ...scoped,
    inScope: scoped.inScope.filter(isWanted),
    leftAlone: [...scoped.leftAlone, ...left.map(({ volumeId }) => ({ volumeId, why }))],
  };
};
