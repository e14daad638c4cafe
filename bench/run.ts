import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import Table from 'cli-table3';
import { Command, CommanderError } from 'commander';
import type { Sample } from './sample.ts';
import { type Spread, spreadOf } from './statistics.ts';

/** What must hold over the seeds of `hung`, ms (README, "How fast"). */
const BUDGET = { warmP50: 2_000, warmP99: 5_000, coldMore: 1_500 } as const;

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
    .allowExcessArguments(false)
    .exitOverride();
  const { seeds: text, json } = command.parse().opts<{ seeds: string; json: boolean }>();
  const seeds = Number(text);
  if (!Number.isSafeInteger(seeds) || seeds < 1) {
    process.stderr.write(`--seeds '${text}' is no positive whole number\n`);
    return 2;
  }
  const result = summarise(await measure(seeds), seeds);
  if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
  else print(result);
  return result.withinBudget ? 0 : 1;
};

try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? 0 : 2;
}
