import { type PlanRequest, planFor } from './plan.ts';
import type { Play } from './pool.ts';
import { playSeed, type SeedResult } from './seed.ts';

/** Plays seeds on a thread of the pool. */
export const play: Play<PlanRequest, { trace: boolean }, SeedResult> = (request, options) =>
  playSeed(planFor(request), options);
