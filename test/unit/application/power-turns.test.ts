import { describe, expect, it } from 'vitest';
import { createFenceAgent } from '../../../src/application/fence-agent.ts';
import type { EpochMs, InstanceId } from '../../../src/domain/ids.ts';
import { bucketOf, type PacedApi } from '../../../src/domain/pace.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import { checksOf, cluster, factsOf, ids, signalOf, t } from '../../support/build.ts';

const input = { incidentId: ids.incident, token: 1 };
const fence = (world: World) => createFenceAgent(world.deps)(input);
const down = { kind: 'Down', at: t(0), why: ['EC2 says stopped'], whyNot: [] } as const;
const { fullMs, tokenMs } = bucketOf('StopInstances', 70);

/** Others have drawn so much that the next stop may be made only after this. */
const emptied = async (world: World, forMs: number): Promise<EpochMs> => {
  const tokens = Math.ceil((fullMs + forMs) / tokenMs) - 1;
  const last = await world.deps.pace.draw('StopInstances', tokens, world.clock.now());
  return (last + tokenMs) as EpochMs;
};

/** Counts what is drawn from now on, by API. */
const countDraws = (world: World): Map<PacedApi, number> => {
  const counts = new Map<PacedApi, number>();
  const { pace } = world.deps;
  const draw = pace.draw.bind(pace);
  pace.draw = (api, tokens, now) => {
    counts.set(api, (counts.get(api) ?? 0) + 1);
    return draw(api, tokens, now);
  };
  return counts;
};

/** Incidents of other agents, so that there is a crowd. */
const crowd = async (world: World): Promise<void> => {
  for (const n of [1, 2, 3]) {
    const instanceId = `i-0c0${n}` as InstanceId;
    await world.ledger.admit(cluster, signalOf({ instanceId, key: `event-${n}` }));
  }
};

const hung = async (): Promise<World> => {
  const world = createWorld();
  await world.given({ facts: factsOf() });
  world.hang();
  return world;
};

const stops = (world: World) => world.book.calls.filter(({ call }) => call === 'StopInstances');
const recover = (world: World): void => {
  world.cloud.checks.set(ids.failed, checksOf());
  world.dcos.silent.delete(ids.agent);
};

/** Notes when EC2 was asked to stop. */
const stoppedAt = (world: World): number[] => {
  const times: number[] = [];
  const stop = world.cloud.stop.bind(world.cloud);
  world.cloud.stop = (...command) => {
    times.push(world.clock.now());
    return stop(...command);
  };
  return times;
};

describe.each([
  { among: 'a few', gather: async () => undefined },
  { among: 'a crowd', gather: crowd },
])('a stop among $among', ({ gather }) => {
  it('is made no sooner than its turn, and not much later', async () => {
    const world = await hung();
    await gather(world);
    const turn = await emptied(world, 5_000);
    const times = stoppedAt(world);
    expect((await fence(world)).kind).toBe('fenced');
    expect(times).toHaveLength(1);
    expect((times[0] ?? 0) - turn).toBeGreaterThanOrEqual(0);
    expect((times[0] ?? 0) - turn).toBeLessThan(1_000);
  });
});

describe('a stop in a crowd', () => {
  it('keeps its place in the queue while the workflow waits, however long', async () => {
    const world = await hung();
    await crowd(world);
    const turn = await emptied(world, 300_000);
    const times = stoppedAt(world);
    const drawn = countDraws(world);
    const decision = await fence(world);
    expect(decision.kind).toBe('waiting');
    const waitMs = decision.kind === 'waiting' ? decision.waitSeconds * 1000 : 0;
    expect(stops(world)).toEqual([]);
    expect((await world.incident()).fence?.turn).toEqual({ api: 'StopInstances', at: turn });
    // Those behind it have drawn meanwhile.
    await world.deps.pace.draw('StopInstances', 500, world.clock.now());
    world.clock.advance(waitMs);
    expect((await fence(world)).kind).toBe('fenced');
    expect(drawn.get('StopInstances')).toBe(2);
    expect((times[0] ?? 0) - turn).toBeLessThan(2_000);
    expect((await world.incident()).fence).not.toHaveProperty('turn');
  });

  it('has its reasons looked at again when the turn has come', async () => {
    const world = await hung();
    await crowd(world);
    await emptied(world, 300_000);
    const decision = await fence(world);
    if (decision.kind !== 'waiting') throw new Error(decision.kind);
    recover(world);
    world.clock.advance(decision.waitSeconds * 1000);
    await fence(world);
    expect(stops(world)).toEqual([]);
  });

  it('draws again when its turn was missed: others have had the bucket', async () => {
    const world = await hung();
    await crowd(world);
    await emptied(world, 300_000);
    const decision = await fence(world);
    if (decision.kind !== 'waiting') throw new Error(decision.kind);
    world.clock.advance(decision.waitSeconds * 1000 + 60_000);
    const later = await emptied(world, 8_000);
    const times = stoppedAt(world);
    await fence(world);
    expect(times[0]).toBeGreaterThanOrEqual(later);
  });
});

describe('a turn', () => {
  it('is not taken in a crowd by whoever is still in doubt', async () => {
    const world = await hung();
    await crowd(world);
    recover(world);
    const drawn = countDraws(world);
    await fence(world);
    expect(drawn.get('StopInstances')).toBeUndefined();
  });

  it('is taken once for a command, whoever looks how often before it', async () => {
    const world = await hung();
    await crowd(world);
    const drawn = countDraws(world);
    expect((await fence(world)).kind).toBe('fenced');
    expect(drawn.get('StopInstances')).toBe(1);
  });
});

describe('a place in the queue of detaches', () => {
  it('is kept until its turn, though what was written before it comes late', async () => {
    const world = await hung();
    await crowd(world);
    world.cloud.setInstance(ids.failed, { state: 'stopped' });
    await world.ledger.save(ids.incident, 1, { verdict: down }, world.clock.now());
    await world.deps.pace.draw('DetachVolume', 500, world.clock.now());
    const save = world.ledger.save.bind(world.ledger);
    let saves = 0;
    // The first write of the invocation is on its way for long.
    world.ledger.save = async (...write) => {
      saves += 1;
      if (saves === 1) for (let n = 0; n < 20; n += 1) await new Promise(setImmediate);
      return save(...write);
    };
    expect((await fence(world)).kind).toBe('waiting');
    expect((await world.incident()).fence?.detachFrom).toBeGreaterThan(world.clock.now());
  });
});
