import { installLeanSdk } from '../../../emulator/sim/lean-sdk/install.ts';
import { type PlanRequest, planFor } from '../../../emulator/sim/plan.ts';
import type { Play } from '../../../emulator/sim/pool.ts';
import { playSeed } from '../../../emulator/sim/seed.ts';
import { mutants } from './catalogue.ts';
import type { Mutant } from './mutant.ts';
import { createPlanting } from './planting.ts';

/** A world that gave a planted bug away: how to play it again, and the promise it broke. */
export interface Caught extends Required<PlanRequest> {
  invariant: string;
  says: string;
}

/** One planted bug, and the worlds to try until one gives it away. */
export interface Hunt {
  mutant: string;
  worlds: readonly PlanRequest[];
}

export interface HuntResult {
  mutant: string;
  caught?: Caught;
}

installLeanSdk();
const plant = createPlanting();

/** Worlds that have what exposes the bug come first: which seed it is does not matter. */
const likelyFirst = (
  worlds: readonly PlanRequest[],
  { asks = false, faults = [] }: Pick<Mutant, 'asks' | 'faults'>,
): PlanRequest[] => {
  const isLikely = (world: PlanRequest): boolean => {
    const plan = planFor(world);
    const isAsked = asks && plan.traits.approver !== undefined;
    return isAsked || plan.faults.some(({ id }) => faults.includes(id));
  };
  const likely = worlds.filter(isLikely);
  return [...likely, ...worlds.filter((world) => !likely.includes(world))];
};

/** Plays a planted bug on a thread of the pool: world after world, to the first broken promise. */
export const play: Play<Hunt, undefined, HuntResult> = async ({ mutant: name, worlds }) => {
  const mutant = mutants.find((known) => known.name === name);
  if (mutant === undefined) throw new RangeError(`no such mutant: ${name}`);
  plant(mutant);
  for (const world of likelyFirst(worlds, mutant)) {
    const { plan, violations } = await playSeed(planFor(world));
    const [first] = violations;
    if (first === undefined) continue;
    const { invariant, says } = first;
    const { seed, scene } = plan;
    const faults = plan.faults.map(({ id }) => id);
    return { mutant: name, caught: { seed, scene, faults, invariant, says } };
  }
  return { mutant: name };
};
