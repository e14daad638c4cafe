import { describe, expect, it } from 'vitest';
import { createSweep } from '../../../src/application/sweep.ts';
import type { VolumeId } from '../../../src/domain/ids.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import {
  adopted,
  attachmentOf,
  ids,
  instanceOf,
  quarantineOf,
  recordOf,
  t,
  taskOf,
  volumeOf,
  volumeTags,
} from '../../support/build.ts';

const sweep = (world: World) => createSweep(world.deps)();
const odd = async (world: World) => (await sweep(world)).odd;
const marked = [...volumeTags(), { key: 'ebs-failover:epoch', value: '1' }];
/** Adopted from the first agent, with nothing odd about it. */
const calm = async (): Promise<World> => {
  const world = createWorld();
  world.cloud.setVolume(ids.data, { tags: marked });
  await world.ledger.adopt(adopted, t(0));
  return world;
};
const owner = async (world: World) => (await world.ledger.ownership(ids.data))?.owner;

describe('the sweep', () => {
  it('has nothing to tell of a cluster that is as it should be', async () => {
    const world = await calm();
    expect(await odd(world)).toEqual([]);
    expect(world.counted).toEqual([]);
  });

  it.each<[string, (world: World) => unknown]>([
    [
      'StuckTask',
      (world) => {
        world.dcos.allTasks = [taskOf({ state: 'TASK_STAGING', stagedAt: t(-900) })];
      },
    ],
    [
      'DuplicateVolumeName',
      (world) => {
        const volumeId = 'vol-000000000000000d2' as VolumeId;
        const attachments = [attachmentOf({ instanceId: ids.other })];
        const empty = volumeOf({ volumeId, attachments, tags: volumeTags().slice(0, 1) });
        world.cloud.volumesById.set(volumeId, empty);
      },
    ],
    [
      'OwnershipDrift',
      (world) => {
        world.cloud.attach(ids.data, ids.other);
        world.dcos.listed = world.dcos.listed.slice(0, 2);
      },
    ],
    [
      'UnownedVolume',
      async (world) => {
        world.cloud.free(ids.data);
        await world.ledger.claim(adopted, recordOf(), t(0));
        await world.ledger.advance(recordOf({ state: 'released' }), t(1));
      },
    ],
    ['EpochMarkMissing', (world) => world.cloud.setVolume(ids.data, { tags: volumeTags() })],
  ])('counts a %s, says which, and changes nothing', async (metric, arrange) => {
    const world = await calm();
    await arrange(world);
    const record = await world.ledger.ownership(ids.data);
    const told = await odd(world);
    expect(told).toHaveLength(1);
    expect(world.counted).toContain(metric);
    expect(world.book.calls).toEqual([]);
    expect(await world.ledger.ownership(ids.data)).toEqual(record);
  });

  it('lets the record follow a volume that DC/OS has moved to a healthy agent', async () => {
    const world = await calm();
    world.cloud.attach(ids.data, ids.spare);
    expect(await odd(world)).toEqual([]);
    expect(await owner(world)).toBe(ids.spare);
    expect(await world.ledger.ownership(ids.data)).toMatchObject({ epoch: 0, state: 'owned' });
    expect(world.counted).toContain('OwnershipFollowed');
  });

  it.each<[string, (world: World) => unknown]>([
    ['an incident is open about the old owner', (world) => world.given()],
    [
      'the holder is in quarantine',
      async (world) => {
        await world.ledger.saveQuarantine('prod', quarantineOf({ instanceId: ids.spare }));
        world.cloud.restart(ids.spare, instanceOf().launchTime);
      },
    ],
    [
      'the holder gets no work',
      (world) => {
        world.dcos.listed = world.dcos.listed.map((agent) =>
          agent.agentId === ids.spareAgent ? { ...agent, deactivated: true } : agent,
        );
      },
    ],
  ])('does not let it follow while %s', async (_, arrange) => {
    const world = await calm();
    world.cloud.attach(ids.data, ids.spare);
    await arrange(world);
    await sweep(world);
    expect(await owner(world)).toBe(ids.failed);
  });

  it('has done all else when it cannot compare, and says so', async () => {
    const world = await calm();
    world.ledger.ownership = () => Promise.reject(new Error('throttled'));
    expect(await sweep(world)).toMatchObject({ odd: [], agents: 3, blind: false });
    expect(await world.ledger.inventory(ids.failed)).toBeDefined();
    expect(world.counted).toContain('OdditiesNotLookedFor');
  });
});
