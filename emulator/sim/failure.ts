import { createRng } from '../core/random.ts';
import type { World } from '../world.ts';
import type { Plan } from './plan.ts';

export const START_MS = Date.parse('2026-11-23T03:00:00Z');
/** Two sweeps: the first adopts the volumes, the second knows the inventory. */
const WARM_UP_MS = 130_000;
/** A kernel that comes back by itself. */
const FLAKY_MS = [30_000, 400_000] as const;

/** Quiet time before the failure, which does not always come at the same second of a minute. */
export const leadMs = ({ seed }: Plan): number =>
  WARM_UP_MS + createRng(`${seed}/run`).int(0, 59_999);

/** The failure of the plan's scene, now. */
export const breakIt = (plan: Plan, world: World, instanceId: string): void => {
  if (plan.scene === 'stopped') world.ec2.stop(instanceId);
  if (plan.scene === 'terminated') world.ec2.terminate(instanceId);
  if (plan.scene === 'hung' || plan.scene === 'flaky') world.ec2.hang(instanceId);
  if (plan.scene !== 'flaky') return;
  const [min, max] = FLAKY_MS;
  world.time.after(createRng(`${plan.seed}/flaky`).int(min, max), () => {
    if (world.ec2.machine(instanceId)?.powered) world.ec2.thaw(instanceId);
  });
};
