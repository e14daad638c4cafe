import type { FenceMethod } from './incident.ts';

/** What is waited for: each takes EC2 and DC/OS its own time. */
export type Wait = 'power-off' | 'shutdown' | 'detach' | 'recovery';

/** Until so long after the beginning, a look every so often. Milliseconds. */
type Pace = readonly [untilMs: number, everyMs: number];

/** Later than any of it should take: slower and slower, and never not at all. */
const overdue: readonly Pace[] = [
  [60_000, 250],
  [180_000, 1_000],
  [600_000, 5_000],
  [Number.POSITIVE_INFINITY, 15_000],
];

/** Few looks while an end is unlikely, many when it is due; see docs/adr/0004. */
const paces: Readonly<Record<Wait, readonly Pace[]>> = {
  'power-off': [[4_000, 1_000], [7_000, 250], [20_000, 30], [30_000, 100], ...overdue],
  shutdown: overdue,
  detach: [[1_000, 500], [6_000, 5], ...overdue],
  // The service is back before we look: nobody waits for this one.
  recovery: [[180_000, 1_000], ...overdue],
};

/**
 * Where many wait at once they share EC2's buckets: fewer looks each, and fewer the more they are
 * while only the power has to go, because an event wakes whoever waits for that.
 */
const crowded = (open: number): Readonly<Record<Wait, readonly Pace[]>> => {
  const rarely: readonly Pace[] = [[Number.POSITIVE_INFINITY, Math.min(60_000, 200 * open)]];
  return {
    'power-off': rarely,
    shutdown: rarely,
    detach: [[1_500, 1_500], [10_000, 500], ...overdue.slice(1)],
    recovery: [[180_000, 5_000], ...overdue.slice(2)],
  };
};

/** How long to wait before the next look. `open`: incidents at once, where they are a crowd. */
export const nextLookMs = (wait: Wait, waitedMs: number, open?: number): number => {
  const all = open === undefined ? paces : crowded(open);
  const pace = all[wait].find(([untilMs]) => waitedMs < untilMs);
  if (pace === undefined) throw new RangeError(`${waitedMs} ms is no time to have waited`);
  return pace[1];
};

/** What a power command leads to; with Force, or without us, the guest shuts down in its own time. */
export const waitAfter = (method: FenceMethod | undefined): Wait =>
  method === 'skip' || method === 'force-skip' || method === 'terminate' ? 'power-off' : 'shutdown';
