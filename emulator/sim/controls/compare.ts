import { playAll } from '../pool.ts';
import { type GroundRule, groundRules } from './ground-rules.ts';
import type { ControlRequest, ControlResult } from './play.ts';
import { type SystemName, systemNames } from './systems.ts';

/** One system over all seeds; what is counted is runs, in a thousand. */
export interface Row {
  system: SystemName;
  seeds: number;
  violations: Record<GroundRule, number>;
  /** Runs in a thousand that lost acknowledged rows, and rows in all. */
  lossy: number;
  lostRows: number;
  /** Undefined where nothing failed. */
  downtimeMs: { p50: number; p90: number; p99: number } | undefined;
  /** Of a thousand in which an app with volumes failed: not back after an hour. */
  downAtEnd: number;
  /** Everything else that ebs-failover promises: what it broke, of it alone. */
  promises: string[];
}

const percentile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;

const perThousand = <T>(items: readonly T[], fits: (item: T) => boolean): number =>
  items.length === 0 ? 0 : Math.round((items.filter(fits).length / items.length) * 1000);

const rules = Object.keys(groundRules) as GroundRule[];

/** Adds up what one system did. */
const rowOf = (system: SystemName, results: readonly ControlResult[]): Row => {
  const failures = results.filter(({ downMs }) => downMs !== undefined);
  const times = failures.map(({ downMs = 0 }) => downMs).sort((a, b) => a - b);
  const [p50, p90, p99] = [0.5, 0.9, 0.99].map((share) => percentile(times, share));
  return {
    system,
    seeds: results.length,
    violations: Object.fromEntries(
      rules.map((rule) => [rule, perThousand(results, ({ broken }) => rule in broken)]),
    ) as Row['violations'],
    lossy: perThousand(results, ({ lostRows }) => lostRows > 0),
    lostRows: results.reduce((sum, { lostRows }) => sum + lostRows, 0),
    downtimeMs: times.length === 0 ? undefined : { p50: p50 ?? 0, p90: p90 ?? 0, p99: p99 ?? 0 },
    downAtEnd: perThousand(failures, (result) => result.downAtEnd),
    promises: results.flatMap(({ seed, promises }) => promises.map((id) => `${id} seed ${seed}`)),
  };
};

/** Plays the same worlds once by each system. */
export const compare = async (options: {
  seeds: readonly number[];
  threads?: number;
}): Promise<Row[]> => {
  const { seeds, threads } = options;
  const requests = seeds.flatMap((seed) => systemNames.map((system) => ({ seed, system })));
  const results: ControlResult[] = [];
  await playAll<ControlRequest, undefined, ControlResult>(
    new URL('./play.ts', import.meta.url),
    requests,
    { options: undefined, ...(threads === undefined ? {} : { threads }) },
    (result) => results.push(result),
  );
  const bySeed = results.sort((a, b) => a.seed - b.seed);
  return systemNames.map((name) =>
    rowOf(
      name,
      bySeed.filter(({ system }) => system === name),
    ),
  );
};

const seconds = (ms: number | undefined): string =>
  ms === undefined ? '-' : `${Math.round(ms / 1000)} s`;

const COLUMNS: readonly [title: string, of: (row: Row) => string][] = [
  ['system', ({ system }) => system],
  ['seeds', ({ seeds }) => String(seeds)],
  ...rules.map((rule): [string, (row: Row) => string] => [
    rule,
    ({ violations }) => String(violations[rule]),
  ]),
  ['lossy', ({ lossy }) => String(lossy)],
  ['rows lost', ({ lostRows }) => String(lostRows)],
  ['down p50', ({ downtimeMs }) => seconds(downtimeMs?.p50)],
  ['p90', ({ downtimeMs }) => seconds(downtimeMs?.p90)],
  ['p99', ({ downtimeMs }) => seconds(downtimeMs?.p99)],
  ['down at end', ({ downAtEnd }) => String(downAtEnd)],
];

/** One line a system. */
export const table = (rows: readonly Row[]): string => {
  const cells = [
    COLUMNS.map(([title]) => title),
    ...rows.map((r) => COLUMNS.map(([, of]) => of(r))),
  ];
  const widths = COLUMNS.map((_, i) => Math.max(...cells.map((line) => line[i]?.length ?? 0)));
  const lines = cells.map((line) =>
    line
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join('  '),
  );
  return [
    ...lines,
    '',
    'S1 to S8, lossy and down at end: runs in 1,000. Down at end: not back after an hour.',
    ...rules.map((rule) => `${rule}  ${groundRules[rule]}`),
  ].join('\n');
};
