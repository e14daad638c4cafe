import { createRng, drawLogNormalMs } from './random.ts';

/** How the stop was asked for. `force` tries the graceful way first. */
export type StopMethod = 'graceful' | 'skip' | 'force' | 'force-skip';

/**
 * How long the world's own work takes in this seed, decided before the run: every answer depends
 * only on the seed and the named thing, never on when or how often it is asked for. The sum along
 * the fastest path is the floor that no failover service can beat. Milliseconds throughout.
 */
export interface Durations {
  /** From the accepted Stop or Terminate to power off, on a guest that does not block shutdown. */
  stopMs(instanceId: string, method: StopMethod): number;
  /** From the accepted DetachVolume of a quiet volume to `available`. */
  detachMs(volumeId: string): number;
  /** From an agent being marked gone (or its tasks being freed) to a usable offer for its apps. */
  goneToOfferMs(appId: string): number;
  /** From the launch on the new agent to the volume being attached and the task RUNNING. */
  launchToAttachedMs(appId: string): number;
  /** From RUNNING with its volume to the first passed health check. */
  attachedToHealthyMs(appId: string): number;
}

/** Median and 99th percentile, ms; sources in docs/emulator.md. */
export interface DurationTable {
  stop: Record<StopMethod, { p50: number; p99: number }>;
  detach: { p50: number; p99: number };
  goneToOffer: { p50: number; p99: number };
  launchToAttached: { p50: number; p99: number };
  attachedToHealthy: { p50: number; p99: number };
}

export const createDurations = (seed: number, table: DurationTable): Durations => {
  const draw = (label: string, { p50, p99 }: { p50: number; p99: number }): number =>
    drawLogNormalMs(createRng(`${seed}/duration/${label}`), p50, p99);
  return {
    stopMs: (instanceId, method) => draw(`stop/${method}/${instanceId}`, table.stop[method]),
    detachMs: (volumeId) => draw(`detach/${volumeId}`, table.detach),
    goneToOfferMs: (appId) => draw(`goneToOffer/${appId}`, table.goneToOffer),
    launchToAttachedMs: (appId) => draw(`launchToAttached/${appId}`, table.launchToAttached),
    attachedToHealthyMs: (appId) => draw(`attachedToHealthy/${appId}`, table.attachedToHealthy),
  };
};
