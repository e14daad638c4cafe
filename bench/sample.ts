import type { PhasesMs } from '../emulator/scenes/report.ts';
import { playScene } from '../emulator/scenes/scene.ts';
import type { Stage } from '../emulator/scenes/stage.ts';
import type { World } from '../emulator/world.ts';

/** One failover of scene `hung`. Milliseconds. */
export interface Sample {
  seed: number;
  cold: boolean;
  outcome: string;
  overheadMs: number | null;
  floorMs: number | null;
  phasesMs: PhasesMs | null;
  /** What the world drew for this seed before the run. */
  drawsMs: Record<string, number>;
  lostRows: number;
  foreignWrites: number;
  ec2Calls: number;
}

const drawsOf = ({ durations }: World, { app, failing }: Stage): Record<string, number> => ({
  'stop (skip)': durations.stopMs(failing.instanceId, 'skip'),
  detach: Math.max(...app.volumeIds.map((id) => durations.detachMs(id))),
  'mark-gone to offer': durations.goneToOfferMs(app.id),
  'launch to attached': durations.launchToAttachedMs(app.id),
  'attached to healthy': durations.attachedToHealthyMs(app.id),
});

export const sample = async (seed: number, cold: boolean): Promise<Sample> => {
  let drawsMs: Record<string, number> = {};
  const report = await playScene({
    scene: 'hung',
    seed,
    cold,
    prepare: (world, stage) => {
      drawsMs = drawsOf(world, stage);
    },
  });
  const { outcome, overheadMs, floorMs, phasesMs, data, calls } = report;
  const ec2Calls = Object.values(calls.ec2 ?? {}).reduce((sum, n) => sum + n, 0);
  return { seed, cold, outcome, overheadMs, floorMs, phasesMs, drawsMs, ...data, ec2Calls };
};
