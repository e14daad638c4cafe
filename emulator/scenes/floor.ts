import type { Run } from './run.ts';

/** An app without health checks counts as healthy after this. */
export const RUNNING_IS_HEALTHY_MS = 10_000;
/** A stop that somebody else began may finish in its own way for this long, by policy. */
const FOREIGN_STOP_MS = 60_000;

export const isChecked = ({ options: { app } }: Run): boolean =>
  app === undefined || 'healthChecks' in app;

/** What is left of the stop when the signal comes, by the fastest method policy allows. */
const stopLeftMs = ({ world, stage, failure, failedAt }: Run, signalAt: number): number => {
  const { durations } = world;
  const { instanceId } = stage.failing;
  const skipMs = durations.stopMs(instanceId, 'skip');
  if (failure === 'hung') return skipMs;
  const leftMs = Math.max(0, durations.stopMs(instanceId, 'graceful') - (signalAt - failedAt));
  return failure === 'stopped' ? Math.min(leftMs, FOREIGN_STOP_MS + skipMs) : leftMs;
};

/** What nobody can beat: EC2's and DC/OS's own time from the signal on. */
export const floorOf = (run: Run, signalAt: number): number => {
  const { durations } = run.world;
  const { id, volumeIds } = run.stage.app;
  const detachMs = Math.max(...volumeIds.map((volumeId) => durations.detachMs(volumeId)));
  const healthyMs = isChecked(run) ? durations.attachedToHealthyMs(id) : RUNNING_IS_HEALTHY_MS;
  return (
    stopLeftMs(run, signalAt) +
    detachMs +
    durations.goneToOfferMs(id) +
    durations.launchToAttachedMs(id) +
    healthyMs
  );
};
