import { describe, expect, it } from 'vitest';
import { createHandOff } from '../../../src/application/hand-off.ts';
import type { EpochMs, InstanceId } from '../../../src/domain/ids.ts';
import { bucketOf, type PacedApi } from '../../../src/domain/pace.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import { cluster, factsOf, ids, provenFence, signalOf } from '../../support/build.ts';

const input = { incidentId: ids.incident, token: 1 };
const handOff = (world: World) => createHandOff(world.deps)(input);
const { fullMs, tokenMs } = bucketOf('AttachVolume', 70);

const told = (world: World): unknown[] =>
  world.book.calls.filter(({ call }) => call === 'MARK_AGENT_GONE');

/** Down and proven, its volume released, with three more incidents beside it. */
const releasedInCrowd = async (): Promise<World> => {
  const world = createWorld();
  await world.given({ facts: factsOf(), fence: provenFence() });
  await world.claimed({ state: 'released' });
  world.cloud.setInstance(ids.failed, { state: 'stopped' });
  world.cloud.free(ids.data);
  for (const n of [1, 2, 3]) {
    const instanceId = `i-0c0${n}` as InstanceId;
    await world.ledger.admit(cluster, signalOf({ instanceId, key: `event-${n}` }));
  }
  world.clock.advance(25_000);
  return world;
};

/** Others have drawn so much that the next attach may be made only after this. */
const emptied = async ({ clock, deps }: World, forMs: number): Promise<EpochMs> => {
  const tokens = Math.ceil((fullMs + forMs) / tokenMs) - 1;
  const last = await deps.pace.draw('AttachVolume', tokens, clock.now());
  return (last + tokenMs) as EpochMs;
};

const countDraws = ({ deps: { pace } }: World): PacedApi[] => {
  const drawn: PacedApi[] = [];
  const draw = pace.draw.bind(pace);
  pace.draw = (api, tokens, now) => {
    drawn.push(api);
    return draw(api, tokens, now);
  };
  return drawn;
};

describe('in a crowd, handing over', () => {
  it('is done at once while EC2 still takes as many attaches', async () => {
    const world = await releasedInCrowd();
    expect(await handOff(world)).toEqual({ kind: 'handedOff' });
  });

  it('waits, with its place kept, until REX-Ray may attach that many volumes', async () => {
    const world = await releasedInCrowd();
    const turn = await emptied(world, 90_000);
    const drawn = countDraws(world);
    const decision = await handOff(world);
    if (decision.kind !== 'waiting') throw new Error(decision.kind);
    expect(told(world)).toEqual([]);
    expect((await world.incident()).fence?.attachFrom).toBe(turn);
    // Those behind it have drawn meanwhile.
    await world.deps.pace.draw('AttachVolume', 500, world.clock.now());
    world.clock.advance(decision.waitSeconds * 1_000);
    expect(await handOff(world)).toEqual({ kind: 'handedOff' });
    expect(world.clock.now() - turn).toBeGreaterThanOrEqual(0);
    expect(world.clock.now() - turn).toBeLessThan(1_000);
    expect(drawn.filter((api) => api === 'AttachVolume')).toHaveLength(2);
  });

  it('is not done to an agent that came back while it waited', async () => {
    const world = await releasedInCrowd();
    await emptied(world, 90_000);
    const decision = await handOff(world);
    if (decision.kind !== 'waiting') throw new Error(decision.kind);
    world.clock.advance(decision.waitSeconds * 1_000);
    world.cloud.setInstance(ids.failed, { state: 'running' });
    expect(await handOff(world)).toEqual({ kind: 'hold', reason: 'proof-void' });
    expect(told(world)).toEqual([]);
  });

  it('draws no second time once Mesos may have been told', async () => {
    const world = await releasedInCrowd();
    await world.ledger.save(
      ids.incident,
      1,
      {
        handOff: {
          startedAt: world.clock.now(),
          agentIds: [ids.agent],
          method: 'mark-gone',
          appIds: ['/mysql'],
          heldAppIds: [],
        },
      },
      world.clock.now(),
    );
    const drawn = countDraws(world);
    expect(await handOff(world)).toEqual({ kind: 'handedOff' });
    expect(drawn).not.toContain('AttachVolume');
  });
});

describe('with a few incidents, handing over', () => {
  it('waits for nobody', async () => {
    const world = createWorld();
    await world.given({ facts: factsOf(), fence: provenFence() });
    await world.claimed({ state: 'released' });
    world.cloud.setInstance(ids.failed, { state: 'stopped' });
    world.cloud.free(ids.data);
    world.clock.advance(25_000);
    await emptied(world, 90_000);
    expect(await handOff(world)).toEqual({ kind: 'handedOff' });
  });
});
