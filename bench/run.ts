import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import Table from 'cli-table3';
import { Command, CommanderError } from 'commander';
import type { Sample } from './sample.ts';
import { type Spread, spreadOf } from './statistics.ts';
import type { StormOptions, StormResult, SweepResult } from './storm.ts';

/** What must hold over the seeds of `hung`, ms (README, "How fast"). */
const BUDGET = { warmP50: 2_000, warmP99: 5_000, coldMore: 1_500 } as const;

/** A storm: so many agents at once, and how near to the floor it must end. */
const STORM: StormOptions = { seed: 1, agents: 100, volumesEach: 4, background: 0.3 };
const STORM_BUDGET = { rejectedShare: 0.01, ratio: 1.05, firstTwelveMoreMs: 5_000 } as const;
/** A large cluster, for what the sweep asks for. */
const SWEEP: StormOptions = { seed: 1, agents: 1_000, volumesEach: 4, background: 0 };
const SWEEP_SHARE = 0.1;

interface Crowds {
  storm: StormResult;
  sweep: SweepResult;
}

interface Result {
  seeds: number;
  /** Runs that did not end recovered, or lost a row, or saw a foreign write. */
  failed: Sample[];
  /** The world's own durations, drawn before each run. */
  drawsMs: Record<string, Spread>;
  warm: { overheadMs: Spread; floorMs: Spread; phasesMs: Record<string, Spread>; ec2Calls: Spread };
  cold: { overheadMs: Spread };
  /** Total over floor, the median of the ratios. */
  ratioP50: number;
  withinBudget: boolean;
}

const play = (jobs: { seed: number; cold: boolean }[], done: () => void): Promise<Sample[]> =>
  new Promise((resolve, reject) => {
    const samples: Sample[] = [];
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: { jobs } });
    worker.on('message', (one: Sample) => {
      samples.push(one);
      done();
    });
    worker.on('error', reject);
    worker.on('exit', () => resolve(samples));
  });

const measure = async (seeds: number): Promise<Sample[]> => {
  const jobs = [false, true].flatMap((cold) =>
    Array.from({ length: seeds }, (_, index) => ({ seed: index + 1, cold })),
  );
  const threads = Math.min(availableParallelism(), jobs.length);
  let finished = 0;
  const done = (): void => {
    finished += 1;
    if (process.stderr.isTTY) process.stderr.write(`\r${finished} of ${jobs.length} failovers`);
  };
  const shares = Array.from({ length: threads }, (_, thread) =>
    jobs.filter((_job, index) => index % threads === thread),
  );
  const samples = (await Promise.all(shares.map((share) => play(share, done)))).flat();
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  return samples.sort((a, b) => a.seed - b.seed);
};

const playCrowd = <T>(what: 'storm' | 'sweep', options: StormOptions): Promise<T> =>
  new Promise((resolve, reject) => {
    const workerData = { what, options };
    const worker = new Worker(new URL('./storm-worker.ts', import.meta.url), { workerData });
    worker.on('message', resolve);
    worker.on('error', reject);
  });

const measureCrowds = async (): Promise<Crowds> => {
  const says = `a storm of ${STORM.agents} agents, and a sweep of ${SWEEP.agents}: some minutes`;
  if (process.stderr.isTTY) process.stderr.write(says);
  const [storm, sweep] = await Promise.all([
    playCrowd<StormResult>('storm', STORM),
    playCrowd<SweepResult>('sweep', SWEEP),
  ]);
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K');
  return { storm, sweep };
};

const stormKept = (storm: StormResult): boolean => {
  const { failedExecutions, firstTwelveFloorMs, firstTwelveMs, floorMs, makespanMs } = storm;
  return (
    storm.rejectedShare <= STORM_BUDGET.rejectedShare &&
    failedExecutions === 0 &&
    storm.recovered === storm.agents &&
    storm.lostRows === 0 &&
    storm.foreignWrites === 0 &&
    (makespanMs ?? Number.POSITIVE_INFINITY) <= floorMs * STORM_BUDGET.ratio &&
    (firstTwelveMs ?? Number.POSITIVE_INFINITY) <=
      firstTwelveFloorMs + STORM_BUDGET.firstTwelveMoreMs
  );
};

const seconds = (ms: number | null): string => (ms === null ? 'never' : (ms / 1000).toFixed(1));

const printCrowds = ({ storm, sweep }: Crowds): void => {
  const { agents, background, volumesEach } = storm;
  const table = new Table({
    head: ['EC2 calls', 'made', 'throttled'],
    colAligns: ['left', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const [api, { made, throttled }] of Object.entries(storm.calls).sort()) {
    table.push([api, made, throttled]);
  }
  const others = `${(background * 100).toFixed(0)} % of each bucket used by others`;
  const lines = [
    `storm: ${agents} agents with ${volumesEach} volumes each stopped at once, ${others}`,
    table.toString(),
    `throttled: ${(storm.rejectedShare * 100).toFixed(2)} %; failed executions: ${storm.failedExecutions}; ` +
      `recovered: ${storm.recovered} of ${agents}`,
    `first 12 agents free after ${seconds(storm.firstTwelveMs)} s (floor ${seconds(storm.firstTwelveFloorMs)})`,
    `all free after ${seconds(storm.makespanMs)} s (floor ${seconds(storm.floorMs)}), ratio ` +
      ((storm.makespanMs ?? Number.POSITIVE_INFINITY) / storm.floorMs).toFixed(3),
    `budget of the storm (throttled <= 1 %, none failed, all recovered, ratio <= ${STORM_BUDGET.ratio}, first 12 <= ` +
      `floor + 5 s): ${stormKept(storm) ? 'kept' : 'EXCEEDED'}`,
    `sweep, ${sweep.agents} agents and ${sweep.volumes} volumes, EC2 calls a minute: ` +
      `${JSON.stringify(sweep.callsPerMinute)}, ${(sweep.shareOfBucket * 100).toFixed(1)} % of a bucket ` +
      `(at most ${SWEEP_SHARE * 100} %): ${sweep.shareOfBucket <= SWEEP_SHARE ? 'kept' : 'EXCEEDED'}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
};

const spreads = (rows: readonly Record<string, number>[]): Record<string, Spread> =>
  Object.fromEntries(
    Object.keys(rows[0] ?? {}).map((key) => [key, spreadOf(rows.map((row) => row[key] ?? 0))]),
  );

const isGood = ({ outcome, lostRows, foreignWrites, overheadMs }: Sample): boolean =>
  outcome === 'recovered' && lostRows === 0 && foreignWrites === 0 && overheadMs !== null;

const summarise = (samples: readonly Sample[], seeds: number): Result => {
  const good = samples.filter(isGood);
  const warm = good.filter(({ cold }) => !cold);
  const cold = good.filter((each) => each.cold);
  const overhead = (of: readonly Sample[]): Spread => spreadOf(of.map((s) => s.overheadMs ?? 0));
  const warmOverhead = overhead(warm);
  const coldOverhead = overhead(cold);
  const ratios = warm.map((s) => (s.phasesMs?.total ?? 0) / (s.floorMs ?? 1));
  return {
    seeds,
    failed: samples.filter((each) => !isGood(each)),
    drawsMs: spreads(warm.map(({ drawsMs }) => drawsMs)),
    warm: {
      overheadMs: warmOverhead,
      floorMs: spreadOf(warm.map(({ floorMs }) => floorMs ?? 0)),
      phasesMs: spreads(warm.map(({ phasesMs }) => ({ ...phasesMs }))),
      ec2Calls: spreadOf(warm.map(({ ec2Calls }) => ec2Calls)),
    },
    cold: { overheadMs: coldOverhead },
    ratioP50: spreadOf(ratios).p50,
    withinBudget:
      good.length === samples.length &&
      warmOverhead.p50 <= BUDGET.warmP50 &&
      warmOverhead.p99 <= BUDGET.warmP99 &&
      coldOverhead.p50 - warmOverhead.p50 <= BUDGET.coldMore &&
      coldOverhead.p99 - warmOverhead.p99 <= BUDGET.coldMore,
  };
};

const tableOf = (title: string, rows: Record<string, Spread>): string => {
  const table = new Table({
    head: [title, 'min', 'p50', 'p99', 'max'],
    colAligns: ['left', 'right', 'right', 'right', 'right'],
    style: { head: [], border: [], compact: true },
  });
  for (const [name, { min, p50, p99, max }] of Object.entries(rows)) {
    table.push([name, min, p50, p99, max]);
  }
  return table.toString();
};

const print = (result: Result): void => {
  const { warm, cold, drawsMs, seeds, failed, ratioP50, withinBudget } = result;
  const lines = [
    `scene hung, ${seeds} seeds warm and ${seeds} cold; all times ms of virtual time`,
    tableOf('the world draws', { ...drawsMs, 'floor: their sum': warm.floorMs }),
    tableOf('phases, warm', warm.phasesMs),
    tableOf('above the floor', { warm: warm.overheadMs, cold: cold.overheadMs }),
    `total / floor at p50: ${ratioP50.toFixed(3)}; EC2 calls a failover: ${warm.ec2Calls.p50}`,
    `not recovered, rows lost or foreign writes: ${failed.length}`,
    `budget (warm p50 <= ${BUDGET.warmP50}, p99 <= ${BUDGET.warmP99}, cold <= ` +
      `${BUDGET.coldMore} more): ${withinBudget ? 'kept' : 'EXCEEDED'}`,
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
};

const main = async (): Promise<number> => {
  const command = new Command('npm run bench --')
    .description('Measures the failover of a hung agent against what EC2 and DC/OS need alone.')
    .option('--seeds <n>', 'how many worlds', '200')
    .option('--json', 'one document instead of tables', false)
    .option('--crowds', 'only the storm and the sweep', false)
    .allowExcessArguments(false)
    .exitOverride();
  const options = command.parse().opts<{ seeds: string; json: boolean; crowds: boolean }>();
  const { crowds: isOnlyCrowds, json, seeds: text } = options;
  const seeds = Number(text);
  if (!Number.isSafeInteger(seeds) || seeds < 1) {
    process.stderr.write(`--seeds '${text}' is no positive whole number\n`);
    return 2;
  }
  const result = isOnlyCrowds ? undefined : summarise(await measure(seeds), seeds);
  const crowds = await measureCrowds();
  if (json) process.stdout.write(`${JSON.stringify({ ...result, ...crowds })}\n`);
  else {
    if (result !== undefined) print(result);
    printCrowds(crowds);
  }
  const kept = stormKept(crowds.storm) && crowds.sweep.shareOfBucket <= SWEEP_SHARE;
  return (result?.withinBudget ?? true) && kept ? 0 : 1;
};

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
