import { availableParallelism } from 'node:os';
import type { Scene } from './fault.ts';
import { pendingIds } from './pending.ts';
import { faultKinds, type PlanRequest } from './plan.ts';
import { playAll } from './pool.ts';
import type { Sdk } from './sdk.ts';
import type { SeedResult } from './seed.ts';

export interface RunOptions {
  /** Both included. */
  from: number;
  to: number;
  scene?: Scene;
  /** These faults in every seed instead of drawn ones. */
  faults?: readonly string[];
  trace?: boolean;
  threads?: number;
  /** Once true, no further world is begun. */
  isOver?: () => boolean;
  /** `lean` unless told otherwise. */
  sdk?: Sdk;
  /** Told of each seed as it ends, in no order. */
  onSeed?: (result: SeedResult) => void;
}

/** A broken promise and how to see it again. */
export interface Found {
  invariant: string;
  seed: number;
  says: string;
  /** As drawn, and as few of it as still fail. */
  faults: string[];
  shrunk: string[];
  replay: string;
}

/** The document of `--json`. */
export interface Summary {
  seeds: number;
  events: number;
  simulatedHours: number;
  wallMs: number;
  residual: number;
  violations: Found[];
  /** Further seeds that broke a promise and were not shrunk. */
  unexplained: number;
  threads: number;
  /** Faults that should have struck and never did: the random worlds have a hole. */
  missed: string[];
  faults: Record<string, number>;
  pending: readonly string[];
}

const requestFor = (seed: number, { scene, faults }: RunOptions): PlanRequest => ({
  seed,
  ...(scene === undefined ? {} : { scene }),
  ...(faults === undefined ? {} : { faults }),
});

const playSeeds = (
  requests: readonly PlanRequest[],
  {
    threads,
    isOver,
    trace = false,
    sdk = 'lean',
  }: Pick<RunOptions, 'threads' | 'isOver' | 'trace' | 'sdk'>,
  onSeed: (result: SeedResult) => void,
): Promise<void> => {
  const player = new URL('./seed-player.ts', import.meta.url);
  const options = { trace, sdk };
  const pool = { options, ...(threads && { threads }), ...(isOver && { isOver }) };
  return playAll(player, requests, pool, onSeed);
};

/**
 * Leaves out one fault after the other for as long as the same invariant still breaks. The scene
 * stays; each fault keeps its own parameters, because they are drawn under its own name.
 */
const shrink = async (
  request: PlanRequest,
  invariant: string,
  faults: readonly string[],
  sdk: Sdk,
): Promise<readonly string[]> => {
  const smaller = faults.map((id) => faults.filter((other) => other !== id));
  const stillBroken: string[][] = [];
  const requests = smaller.map((fewer) => ({ ...request, faults: fewer }));
  await playSeeds(requests, { sdk }, ({ plan, violations }) => {
    const isSame = violations.some((violation) => violation.invariant === invariant);
    if (isSame) stillBroken.push(plan.faults.map(({ id }) => id));
  });
  // Results come in no order; the first of the list is taken, whoever was quickest.
  const first = smaller.find((fewer) => stillBroken.some((ids) => ids.join() === fewer.join()));
  return first === undefined ? faults : shrink(request, invariant, first, sdk);
};

const explain = async (result: SeedResult, options: RunOptions): Promise<Found[]> => {
  const [first] = result.violations;
  if (first === undefined) return [];
  const { seed, scene, faults } = result.plan;
  const ids = faults.map(({ id }) => id);
  const { sdk = 'lean' } = options;
  const request = requestFor(seed, { ...options, scene });
  const shrunk = await shrink(request, first.invariant, ids, sdk);
  const list = shrunk.length > 0 ? ` --faults ${shrunk.join(',')}` : ' --faults none';
  const spoken = sdk === 'lean' ? '' : ` --sdk ${sdk}`;
  const replay = `npm run sim -- --seeds ${seed} --scenario ${scene}${list}${spoken} --trace`;
  return [{ ...first, seed, faults: ids, shrunk: [...shrunk], replay }].map(
    ({ at: _, ...found }) => found,
  );
};

/** Shrinking takes many runs: where everything is broken, the first few tell why. */
const EXPLAINED_MAX = 20;

/** So many drawn worlds must meet every fault. */
const WHOLE_RUN_SEEDS = 1_000;
const isWhole = ({ scene, faults }: RunOptions, seeds: number): boolean =>
  scene === undefined && faults === undefined && seeds >= WHOLE_RUN_SEEDS;

/** Plays all seeds, shrinks what failed, and adds up. `wallMs` is left to who holds a watch. */
export const runSeeds = async (options: RunOptions): Promise<Omit<Summary, 'wallMs'>> => {
  const { from, to, threads = availableParallelism() } = options;
  const requests = Array.from({ length: to - from + 1 }, (_, i) => requestFor(from + i, options));
  const hits = new Map(faultKinds.map(({ id }) => [id, 0]));
  const failed: SeedResult[] = [];
  let [seeds, events, simulatedMs, residual] = [0, 0, 0, 0];
  await playSeeds(requests, options, (result) => {
    seeds += 1;
    events += result.events;
    simulatedMs += result.simulatedMs;
    residual += result.residual;
    for (const [id, count] of Object.entries(result.hits))
      hits.set(id, (hits.get(id) ?? 0) + count);
    if (result.violations.length > 0) failed.push(result);
    options.onSeed?.(result);
  });
  const violations: Found[] = [];
  failed.sort((a, b) => a.plan.seed - b.plan.seed);
  for (const result of failed.slice(0, EXPLAINED_MAX)) {
    violations.push(...(await explain(result, options)));
  }
  return {
    seeds,
    events,
    simulatedHours: Number((simulatedMs / 3_600_000).toFixed(1)),
    residual,
    violations,
    unexplained: Math.max(0, failed.length - EXPLAINED_MAX),
    threads,
    missed: isWhole(options, seeds)
      ? [...hits].flatMap(([id, count]) => (count === 0 ? [id] : []))
      : [],
    faults: Object.fromEntries(hits),
    pending: pendingIds,
  };
};
