import { createRng } from '../core/random.ts';
import type { World } from '../world.ts';
import type { Scene } from './fault.ts';
import type { Plan } from './plan.ts';
import type { SimStage } from './stage.ts';

export const START_MS = Date.parse('2026-11-23T03:00:00Z');
/** Two sweeps: the first adopts the volumes, the second knows the inventory. */
const WARM_UP_MS = 130_000;
/** A kernel that comes back by itself. */
const FLAKY_MS = [30_000, 400_000] as const;

/** Quiet time before the failure, which does not always come at the same second of a minute. */
export const leadMs = ({ seed }: Plan): number =>
  WARM_UP_MS + createRng(`${seed}/run`).int(0, 59_999);

const breakMachine = (world: World, scene: Scene, instanceId: string): void => {
  if (scene === 'stopped') world.ec2.stop(instanceId);
  if (scene === 'terminated') world.ec2.terminate(instanceId);
  if (scene === 'hung' || scene === 'flaky') world.ec2.hang(instanceId);
};

/** Whether nobody else has taken it down meanwhile. */
const isUp = (world: World, instanceId: string): boolean =>
  world.ec2.status(instanceId).state === 'running';

/** The failure of the scene, and those that happen beside it. */
export const breakIt = ({ seed, scene, traits }: Plan, world: World, stage: SimStage): void => {
  const { failing, bystander, neighbour } = stage;
  breakMachine(world, scene, failing.instanceId);
  if (scene === 'flaky') {
    const [min, max] = FLAKY_MS;
    world.time.after(createRng(`${seed}/flaky`).int(min, max), () => {
      if (world.ec2.machine(failing.instanceId)?.powered) world.ec2.thaw(failing.instanceId);
    });
  }
  const { alsoFails, neighbourStopsS } = traits;
  if (alsoFails !== undefined) {
    world.time.after(alsoFails.afterS * 1000, () => {
      const { instanceId } = bystander;
      if (isUp(world, instanceId)) breakMachine(world, alsoFails.scene, instanceId);
    });
  }
  if (neighbour !== undefined && neighbourStopsS !== undefined) {
    world.time.after(neighbourStopsS * 1000, () => world.ec2.stop(neighbour.instanceId));
  }
};

/** How long after the failure the last of the others comes, ms. */
export const surroundingsMs = ({ traits }: Plan): number =>
  Math.max(traits.alsoFails?.afterS ?? 0, traits.neighbourStopsS ?? 0) * 1000;
