import type { World } from '../../world.ts';
import { isBack } from '../liveness.ts';
import type { Memory } from '../record.ts';
import type { SimStage } from '../stage.ts';

export interface Downtime {
  /** Time in all, since it was watched, in which the app did not serve its own rows. */
  totalMs(): number;
  isDown(): boolean;
}

/** Watches the app from now on, at every change of a machine, a volume or a task. */
export const watchDowntime = (world: World, stage: SimStage, memory: Memory): Downtime => {
  const { time, dcos, ec2 } = world;
  let [total, downSince]: [number, number | undefined] = [0, undefined];
  const isHealthy = (): boolean =>
    dcos.truth().tasks.some(({ appId, healthy }) => appId === stage.app.id && healthy === true);
  const look = (): void => {
    const up = isBack(world, memory, stage.app) && isHealthy();
    if (!up) downSince ??= time.now();
    if (!up || downSince === undefined) return;
    total += time.now() - downSince;
    downSince = undefined;
  };
  // The change is complete, and the memory knows of it, only a moment later.
  const soon = (): void => void time.after(1, look);
  ec2.subscribe(soon);
  ec2.onState(soon);
  dcos.onChange(soon);
  soon();
  return {
    totalMs: () => total + (downSince === undefined ? 0 : time.now() - downSince),
    isDown: () => downSince !== undefined,
  };
};
