import { describe, expect, it } from 'vitest';
import { createFenceAgent } from '../../../src/application/fence-agent.ts';
import { createHandOff } from '../../../src/application/hand-off.ts';
import { CloudUnavailableError } from '../../../src/domain/errors.ts';
import type { AgentId } from '../../../src/domain/ids.ts';
import { agentsFingerprint } from '../../../src/domain/placement.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import { factsOf, ids, spareAgent, t } from '../../support/build.ts';

/* FenceAgent looks at the placement while EC2 stops the machine, so that HandOff need not. */

const input = { incidentId: ids.incident, token: 1 };
const handOff = (world: World) => createHandOff(world.deps)(input);
const modifying = { volumeId: ids.data, io: 'ok', modifying: true } as const;

/** Stopped, proven, and its volume released: all but handed over. */
const fenced = async (prepare: (world: World) => void = () => {}): Promise<World> => {
  const world = createWorld();
  await world.given({ facts: factsOf({ at: t(0) }) });
  world.hang();
  prepare(world);
  await createFenceAgent(world.deps)(input);
  await world.claimed({ state: 'released' });
  world.cloud.free(ids.data);
  return world;
};

/** The reads of EC2 that only a check of the placement makes. */
const failReads = ({ book }: World): void => {
  for (const read of ['volumeConditions', 'volumesNamed', 'instancesOfCluster'] as const) {
    book.fail(read, new CloudUnavailableError(read, '503'));
  }
};

describe('a placement looked at ahead', () => {
  it('is written down with the agents it was checked against, and not checked again', async () => {
    const world = await fenced();
    expect((await world.incident()).placement).toMatchObject({
      agents: agentsFingerprint(world.dcos.listed),
    });
    failReads(world);
    expect(await handOff(world)).toEqual({ kind: 'handedOff' });
  });

  it('is worth nothing when the agents have changed', async () => {
    const world = await fenced();
    world.dcos.listed.push({ ...spareAgent(), agentId: 'a1b2-S9' as AgentId });
    failReads(world);
    await expect(handOff(world)).rejects.toThrow(CloudUnavailableError);
  });

  it('is not kept where a volume cannot be used: HandOff looks for itself', async () => {
    const world = await fenced(({ cloud }) => cloud.conditions.set(ids.data, modifying));
    expect((await world.incident()).placement).toBeUndefined();
    expect(await handOff(world)).toEqual({ kind: 'hold', reason: 'volume-not-usable' });
    world.cloud.conditions.clear();
    expect(await handOff(world)).toEqual({ kind: 'handedOff' });
  });

  it('holds a volume that EC2 has lost since its release: nobody is told to make an empty one', async () => {
    const world = await fenced();
    world.clock.advance(61_000);
    const [volume] = await world.cloud.volumes([ids.data]);
    world.cloud.volumesById.delete(ids.data);
    expect(await handOff(world)).toEqual({ kind: 'hold', reason: 'volume-lost' });
    expect(world.book.names).not.toContain('MARK_AGENT_GONE');
    if (volume) world.cloud.volumesById.set(ids.data, volume);
    expect(await handOff(world)).toEqual({ kind: 'handedOff' });
  });
});
