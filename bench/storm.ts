import { unmarshall } from '@aws-sdk/util-dynamodb';
import { createVirtualTime, type VirtualTime } from '../emulator/core/virtual-time.ts';
import { catalogMysql } from '../emulator/scenes/apps.ts';
import { createWorld, type World } from '../emulator/world.ts';

/*
 * A mass failure inside a zone: many agents, each with one app on several volumes, stopped at once,
 * with room beside them for all. What it takes until every volume may be handed on, against what
 * EC2's documented request buckets allow at best.
 */

export interface StormOptions {
  seed: number;
  agents: number;
  volumesEach: number;
  /** What others in the account use up of every bucket, 0 to 1. */
  background: number;
}

export interface StormResult extends StormOptions {
  /** The service's own calls since the failure, by API, and how many of them were throttled. */
  calls: Record<string, { made: number; throttled: number }>;
  /** Share of the throttled among all of them. */
  rejectedShare: number;
  /** The agents' own calls that were throttled meanwhile. */
  othersThrottled: number;
  failedExecutions: number;
  recovered: number;
  /** Until all volumes are released, and until those of the first twelve agents are; null: never. */
  makespanMs: number | null;
  firstTwelveMs: number | null;
  floorMs: number;
  firstTwelveFloorMs: number;
  lostRows: number;
  foreignWrites: number;
}

const START_MS = Date.parse('2026-11-23T03:00:00Z');
/** Adoption takes so many volumes a minute; one more sweep knows the inventory. */
const ADOPTED_A_MINUTE = 100;
const warmUpMs = ({ agents, volumesEach }: StormOptions): number =>
  (1 + Math.ceil((agents * volumesEach) / ADOPTED_A_MINUTE)) * 60_000 + 10_000;
const HORIZON_MS = 30 * 60_000;
const WARM_MS = 130_000;
const TWELVE = 12;
/** DetachVolume, documented: so many at once, and so many a second. */
const DETACH = { burst: 50, perSecond: 5 } as const;

interface Failing {
  instanceId: string;
  volumeIds: string[];
}

/**
 * No more than two fit on one of the world's agents, of four processors each: REX-Ray has eleven device
 * names there, and a third app's launch would fail for want of one, however many agents are empty.
 */
const APP_CPUS = 2;

const appOf = (n: number, volumesEach: number): object => ({
  ...catalogMysql,
  id: `/mysql-${n}`,
  cpus: APP_CPUS,
  container: {
    ...catalogMysql.container,
    docker: {
      ...catalogMysql.container.docker,
      portMappings: [{ containerPort: 3306, hostPort: 0, protocol: 'tcp' }],
    },
    volumes: Array.from({ length: volumesEach }, (_, index) => ({
      containerPath: `/var/lib/mysql${index}`,
      external: {
        name: `mysql-${n}-${index}`,
        provider: 'dvdi',
        options: { 'dvdi/driver': 'rexray' },
      },
      mode: 'RW',
    })),
  },
});

const seedAgent = (world: World, name: string): string => {
  const instanceId = world.ec2.seedInstance({
    availabilityZone: `${world.infra.region}a`,
    tags: { 'ebs-failover:cluster': 'demo', role: 'mesos-slave', Name: name },
  });
  world.dcos.addAgent({ instanceId });
  return instanceId;
};

const setUp = (world: World, { agents, volumesEach }: StormOptions): Failing[] => {
  const failing = Array.from({ length: agents }, (_, n) => {
    const instanceId = seedAgent(world, `agent-${n}`);
    const volumeIds = Array.from({ length: volumesEach }, (_unused, index) =>
      world.ec2.seedVolume({
        availabilityZone: `${world.infra.region}a`,
        sizeGiB: 16,
        name: `mysql-${n}-${index}`,
        attachedTo: { instanceId, device: `/dev/xvd${'fghijklmnop'[index] ?? 'f'}` },
      }),
    );
    return { instanceId, volumeIds };
  });
  for (const [n, { instanceId }] of failing.entries()) {
    world.dcos.placeApp(appOf(n, volumesEach), instanceId);
  }
  for (let n = 0; n < agents; n++) seedAgent(world, `spare-${n}`);
  return failing;
};

/**
 * When the volumes of each agent are free at best, ms after the failure, in order: a machine is down
 * when its stop ends, and its detaches take the next tokens of what others leave of the bucket.
 */
const floors = (world: World, failing: readonly Failing[], background: number): number[] => {
  const { durations } = world;
  const burst = DETACH.burst * (1 - background);
  const perMs = (DETACH.perSecond * (1 - background)) / 1_000;
  const down = failing
    .map(({ instanceId, volumeIds }) => ({
      atMs: durations.stopMs(instanceId, 'skip'),
      detachMs: volumeIds.map((id) => durations.detachMs(id)),
    }))
    .sort((a, b) => a.atMs - b.atMs);
  let tokens = burst;
  let now = 0;
  const ends = down.map(({ atMs, detachMs }) => {
    const free = detachMs.map((ms) => {
      const at = Math.max(now, atMs);
      tokens = Math.min(burst, tokens + (at - now) * perMs);
      const waitMs = Math.max(0, (1 - tokens) / perMs);
      now = at + waitMs;
      tokens += waitMs * perMs - 1;
      return now + ms;
    });
    return Math.max(...free);
  });
  return ends.sort((a, b) => a - b);
};

const isThrottled = (outcome: string): boolean => outcome === 'RequestLimitExceeded';

const callsSince = (
  world: World,
  since: number,
): Pick<StormResult, 'calls' | 'rejectedShare' | 'othersThrottled'> => {
  const calls: StormResult['calls'] = {};
  let made = 0;
  let throttled = 0;
  let othersThrottled = 0;
  for (const { api, at, caller, outcome } of world.ec2.calls()) {
    if (at < since) continue;
    const isRejected = isThrottled(outcome);
    if (caller.accessKeyId === 'AGENT') {
      if (isRejected) othersThrottled += 1;
      continue;
    }
    const of = calls[api] ?? { made: 0, throttled: 0 };
    calls[api] = of;
    of.made += 1;
    made += 1;
    if (!isRejected) continue;
    of.throttled += 1;
    throttled += 1;
  }
  return { calls, rejectedShare: throttled / Math.max(1, made), othersThrottled };
};

const releasedAt = async (world: World): Promise<Map<string, number>> => {
  const table = world.infra.resource('LedgerTable').ref;
  const items = await world.dynamodb.scan(table);
  return new Map(
    items.flatMap((raw) => {
      const { pk, sk, releasedAt: at } = unmarshall(raw as Parameters<typeof unmarshall>[0]);
      const isOurs = sk === 'OWNER' && typeof pk === 'string' && typeof at === 'number';
      return isOurs ? [[pk.replace('VOLUME#', ''), at] as const] : [];
    }),
  );
};

const statusOf = ({ status, output }: { status: string; output?: string | undefined }): string => {
  if (status !== 'SUCCEEDED') return status;
  const end: unknown = JSON.parse(output ?? '{}');
  return typeof end === 'object' && end !== null && 'status' in end ? String(end.status) : 'joined';
};

const play = async (
  world: World,
  time: VirtualTime,
  options: StormOptions,
): Promise<StormResult> => {
  const failing = setUp(world, options);
  world.ec2.background(options.background);
  await time.run({ until: () => false, horizonMs: warmUpMs(options) });
  const failedAt = time.now();
  for (const { instanceId } of failing) world.ec2.stop(instanceId, { skipOsShutdown: true });
  const statuses = (): string[] => world.states.executions().map(statusOf);
  const isOver = (): boolean => {
    const all = statuses();
    return all.length >= failing.length && !all.includes('RUNNING');
  };
  await time.run({ until: isOver, horizonMs: HORIZON_MS });
  const released = await time.busy(releasedAt(world));
  const free = failing
    .map(({ volumeIds }) =>
      Math.max(...volumeIds.map((id) => (released.get(id) ?? Number.POSITIVE_INFINITY) - failedAt)),
    )
    .sort((a, b) => a - b);
  const best = floors(world, failing, options.background);
  const nth = (of: readonly number[], n: number): number => of[Math.min(n, of.length) - 1] ?? 0;
  const finite = (ms: number): number | null => (Number.isFinite(ms) ? ms : null);
  const guests = world.dcos.guests.report();
  const all = statuses();
  return {
    ...options,
    ...callsSince(world, failedAt),
    failedExecutions: all.filter((s) => !['recovered', 'joined', 'cancelled'].includes(s)).length,
    recovered: all.filter((s) => s === 'recovered').length,
    makespanMs: finite(nth(free, free.length)),
    firstTwelveMs: finite(nth(free, TWELVE)),
    floorMs: nth(best, best.length),
    firstTwelveFloorMs: nth(best, TWELVE),
    lostRows: guests.reduce((sum, guest) => sum + guest.lostRows, 0),
    foreignWrites: guests.reduce((sum, guest) => sum + guest.foreignWrites, 0),
  };
};

/** EC2 calls of the sweep in one quiet minute, by API, and what share of the bucket's refill that is. */
export interface SweepResult {
  agents: number;
  volumes: number;
  callsPerMinute: Record<string, number>;
  /** Of the refill of the read buckets, the largest. */
  shareOfBucket: number;
}

/** Calls a minute that the bucket of a read fills again for (EC2 User Guide, with filters). */
const READS_PER_MINUTE = 20 * 60;
const QUIET_MINUTES = 3;

/** What the sweep asks EC2 for in a quiet cluster. One at a time per process. */
export const countSweep = async (options: StormOptions): Promise<SweepResult> => {
  const time = createVirtualTime(START_MS, options.seed);
  try {
    const world = await createWorld({ seed: options.seed, time, tables: {} });
    // Half of the agents carry the volumes, so that all of them are as many as asked for.
    setUp(world, { ...options, agents: options.agents / 2, volumesEach: options.volumesEach * 2 });
    await time.run({ until: () => false, horizonMs: WARM_MS });
    const since = time.now();
    await time.run({ until: () => false, horizonMs: QUIET_MINUTES * 60_000 });
    const counts = world.network.counts(
      ({ at, functionName, service }) =>
        at >= since && service === 'ec2' && functionName === 'sweep',
    );
    const perMinute = Object.entries(counts.ec2 ?? {}).map(
      ([api, calls]) => [api, Math.round(calls / QUIET_MINUTES)] as const,
    );
    return {
      agents: options.agents,
      volumes: options.agents * options.volumesEach,
      callsPerMinute: Object.fromEntries(perMinute),
      shareOfBucket: Math.max(0, ...perMinute.map(([, calls]) => calls)) / READS_PER_MINUTE,
    };
  } finally {
    time.uninstall();
  }
};

/** Plays one storm on virtual time. One at a time per process: the clock is the process's own. */
export const playStorm = async (options: StormOptions): Promise<StormResult> => {
  const time = createVirtualTime(START_MS, options.seed);
  try {
    const world = await createWorld({ seed: options.seed, time, tables: {} });
    return await play(world, time, options);
  } finally {
    time.uninstall();
  }
};
