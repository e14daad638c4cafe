import { describe, expect, it } from 'vitest';
import { createReleaseVolume } from '../../../src/application/release-volume.ts';
import { CloudThrottledError } from '../../../src/domain/errors.ts';
import type { EpochMs, InstanceId } from '../../../src/domain/ids.ts';
import { bucketOf } from '../../../src/domain/pace.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import { cluster, factsOf, ids, provenFence, signalOf } from '../../support/build.ts';

const input = { incidentId: ids.incident, token: 1, volumeIds: [ids.data] };
const release = (world: World) => createReleaseVolume(world.deps)(input);
const { fullMs, tokenMs } = bucketOf('DetachVolume', 70);

/** Proven down, its volume claimed and attached, three more incidents open, and its turn so far off. */
const provenInCrowd = async (turnMs: number): Promise<{ world: World; turn: EpochMs }> => {
  const world = createWorld();
  const turn = (world.clock.now() + 21_000 + turnMs) as EpochMs;
  await world.given({ facts: factsOf(), fence: { ...provenFence(), detachFrom: turn } });
  await world.claimed();
  world.cloud.setInstance(ids.failed, { state: 'stopped' });
  for (const n of [1, 2, 3]) {
    const instanceId = `i-0c0${n}` as InstanceId;
    await world.ledger.admit(cluster, signalOf({ instanceId, key: `event-${n}` }));
  }
  world.clock.advance(21_000);
  return { world, turn };
};

/** Notes when volumes were looked at and when EC2 was asked to detach; a look takes 300 ms. */
const watched = ({ clock, deps: { compute } }: World, refusals = 0) => {
  const looks: number[] = [];
  const detaches: number[] = [];
  const volumes = compute.volumes.bind(compute);
  const detach = compute.detach.bind(compute);
  compute.volumes = async (wanted) => {
    looks.push(clock.now());
    await clock.sleep(300);
    return volumes(wanted);
  };
  compute.detach = async (...call) => {
    detaches.push(clock.now());
    if (detaches.length <= refusals) {
      throw new CloudThrottledError('DetachVolume', 'RequestLimitExceeded');
    }
    return detach(...call);
  };
  return { looks, detaches };
};

/** Others draw so much that the next detach may be made only after this. */
const emptied = async ({ clock, deps }: World, forMs: number): Promise<EpochMs> => {
  const tokens = Math.ceil((fullMs + forMs) / tokenMs) - 1;
  return ((await deps.pace.draw('DetachVolume', tokens, clock.now())) + tokenMs) as EpochMs;
};

describe('a detach in a crowd', () => {
  it('is made when its turn comes, by a look that was made just before', async () => {
    const { world, turn } = await provenInCrowd(1_500);
    const { detaches, looks } = watched(world);
    expect(await release(world)).toEqual({ kind: 'released' });
    expect(looks[0]).toBeGreaterThanOrEqual(turn - 1_000);
    expect(detaches).toHaveLength(1);
    expect((detaches[0] ?? 0) - turn).toBeGreaterThanOrEqual(0);
    expect((detaches[0] ?? 0) - turn).toBeLessThan(100);
  });

  it('is waited for without a look', async () => {
    const { world, turn } = await provenInCrowd(60_000);
    const { detaches, looks } = watched(world);
    const decision = await release(world);
    if (decision.kind !== 'waiting') throw new Error(decision.kind);
    expect(looks).toEqual([]);
    world.clock.advance(decision.waitSeconds * 1_000);
    expect(await release(world)).toEqual({ kind: 'released' });
    expect((detaches[0] ?? 0) - turn).toBeLessThan(100);
  });

  it('that was throttled goes to the end of the queue once, and is not looked at before', async () => {
    const { world, turn } = await provenInCrowd(0);
    const { detaches, looks } = watched(world, 1);
    const again = await emptied(world, 90_000);
    const decision = await release(world);
    if (decision.kind !== 'waiting') throw new Error(decision.kind);
    expect(world.clock.now() - turn).toBeLessThan(2_000);
    expect(looks).toHaveLength(1);
    // Those behind it have drawn meanwhile.
    await world.deps.pace.draw('DetachVolume', 200, world.clock.now());
    world.clock.advance(decision.waitSeconds * 1_000);
    expect(await release(world)).toEqual({ kind: 'released' });
    expect(detaches).toHaveLength(2);
    expect((detaches[1] ?? 0) - again).toBeGreaterThanOrEqual(0);
    expect((detaches[1] ?? 0) - again).toBeLessThan(100);
  });

  it('is not made by a look that grew old while its turn came', async () => {
    const { world } = await provenInCrowd(400);
    const { clock, deps } = world;
    const { detaches } = watched(world);
    const { intend } = deps.ledger;
    const sleep = clock.sleep.bind(clock);
    let isLate = true;
    // The function stands still where it waits for its turn.
    deps.clock = Object.assign(Object.create(clock) as typeof clock, {
      sleep: async (ms: number) => {
        const isTurn = ms > 0 && ms < 200 && isLate;
        if (isTurn) isLate = false;
        return sleep(isTurn ? 10_000 : ms);
      },
    });
    const intended: number[] = [];
    deps.ledger.intend = async (...call) => {
      intended.push(clock.now());
      return intend.apply(deps.ledger, call);
    };
    expect(await release(world)).toEqual({ kind: 'released' });
    expect(isLate).toBe(false);
    expect(intended).toHaveLength(1);
    expect(detaches).toHaveLength(1);
  });
});
