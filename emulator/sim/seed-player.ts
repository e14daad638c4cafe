import { installLeanSdk } from './lean-sdk/install.ts';
import { type PlanRequest, planFor } from './plan.ts';
import type { Play } from './pool.ts';
import type { Sdk } from './sdk.ts';
import { playSeed, type SeedResult } from './seed.ts';

interface Options {
  trace: boolean;
  /** The same for as long as the thread lives: the functions are loaded once. */
  sdk: Sdk;
}

/** Plays seeds on a thread of the pool. */
export const play: Play<PlanRequest, Options, SeedResult> = (request, { trace, sdk }) => {
  if (sdk === 'lean') installLeanSdk();
  return playSeed(planFor(request), { trace }).catch((error: unknown) => {
    throw new Error(`seed ${request.seed} could not be played`, { cause: error });
  });
};
