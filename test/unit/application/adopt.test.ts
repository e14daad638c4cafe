import { describe, expect, it } from 'vitest';
import { createAdopt } from '../../../src/application/adopt.ts';
import type { InstanceId, VolumeId } from '../../../src/domain/ids.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import {
  agentOf,
  agentTags,
  attachmentOf,
  freeVolume,
  ids,
  instanceOf,
  recordOf,
  spareAgent,
  t,
  volumeOf,
  volumeTags,
} from '../../support/build.ts';

const adopt = (world: World) => createAdopt(world.deps)();
const name = volumeTags().slice(0, 1);
/** REX-Ray made the volume: it carries its name and nothing else. */
const orphaned = (): World => {
  const world = createWorld();
  world.cloud.setVolume(ids.data, { tags: name });
  return world;
};
const nothing = async (world: World) => {
  expect(await adopt(world)).toEqual({ kind: 'adopted', volumeIds: [], kept: [] });
  expect(world.book.calls).toEqual([]);
  expect(await world.ledger.ownership(ids.data)).toBeUndefined();
};

describe('adopt', () => {
  it('tags an app’s volume on a healthy agent, and writes down whose it is first', async () => {
    const world = orphaned();
    let recorded: unknown;
    world.book.onCall = async () => {
      recorded = await world.ledger.ownership(ids.data);
    };
    expect(await adopt(world)).toEqual({ kind: 'adopted', volumeIds: [ids.data], kept: [] });
    expect(recorded).toEqual({
      volumeId: ids.data,
      name: 'mysql',
      state: 'owned',
      epoch: 0,
      owner: ids.failed,
    });
    expect(world.book.calls).toMatchObject([
      { call: 'CreateTags', target: ids.data, detail: { 'ebs-failover:cluster': 'prod' } },
    ]);
    expect(world.cloud.volumesById.get(ids.data)?.tags).toEqual(
      expect.arrayContaining([...volumeTags()]),
    );
  });

  it('has nothing left to do the second time', async () => {
    const world = orphaned();
    await adopt(world);
    expect(await adopt(world)).toEqual({ kind: 'adopted', volumeIds: [], kept: [] });
    expect(world.book.calls).toHaveLength(1);
  });

  it('believes the tag only when it reads back', async () => {
    const world = orphaned();
    const { compute } = world.deps;
    compute.volumes = async () => [volumeOf({ tags: name })];
    expect(await adopt(world)).toEqual({ kind: 'adopted', volumeIds: [], kept: [] });
    expect(world.counted).toEqual([]);
  });

  it('never puts an epoch back that the ledger knows', async () => {
    const world = orphaned();
    await world.ledger.claim(undefined, recordOf({ epoch: 4 }), t(0));
    await world.ledger.advance(recordOf({ epoch: 4, state: 'owned', owner: ids.failed }), t(1));
    const before = await world.ledger.ownership(ids.data);
    await adopt(world);
    expect(await world.ledger.ownership(ids.data)).toEqual(before);
    expect(world.book.calls[0]?.detail).toMatchObject({ 'ebs-failover:epoch': '5' });
  });

  it.each<[string, (world: World) => unknown]>([
    ['during an incident of its agent', (world) => world.given()],
    ['while the cluster is paused', (world) => world.paused()],
    [
      'that belongs to another cluster',
      (world) =>
        world.cloud.setVolume(ids.data, {
          tags: [...name, { key: 'ebs-failover:cluster', value: 'staging' }],
        }),
    ],
    [
      'that no app names',
      (world) => world.cloud.setVolume(ids.data, { tags: [{ key: 'Name', value: 'scratch' }] }),
    ],
    [
      'that is root',
      (world) =>
        world.cloud.setVolume(ids.data, { attachments: [attachmentOf({ device: '/dev/xvda' })] }),
    ],
    ['that is free', (world) => world.cloud.free(ids.data)],
    [
      'that another instance holds as well',
      (world) =>
        world.cloud.setVolume(ids.data, {
          attachments: [attachmentOf(), attachmentOf({ instanceId: ids.spare })],
        }),
    ],
    [
      'on an agent that does not run',
      (world) => world.cloud.setInstance(ids.failed, { state: 'stopping' }),
    ],
    [
      'on an agent that Mesos does not list',
      (world) => {
        world.dcos.listed = [spareAgent()];
      },
    ],
    [
      'on an agent that Mesos lists as inactive',
      (world) => {
        world.dcos.listed = [agentOf({ active: false }), spareAgent()];
      },
    ],
    [
      'on an instance that is none of ours',
      (world) => world.cloud.setInstance(ids.failed, { tags: agentTags.slice(1) }),
    ],
    [
      'on a master',
      (world) =>
        world.cloud.setInstance(ids.failed, {
          tags: [...agentTags.slice(0, 1), { key: 'role', value: 'mesos-master' }],
        }),
    ],
  ])('never touches a volume %s', async (_, trouble) => {
    const world = orphaned();
    await trouble(world);
    await nothing(world);
  });

  it('leaves the stock template’s data disk alone, on every agent', async () => {
    const world = createWorld();
    const disk = 'vol-000000000000000b1' as VolumeId;
    const attachments = [attachmentOf({ device: '/dev/xvdb' })];
    world.cloud.volumesById.set(disk, volumeOf({ volumeId: disk, attachments, tags: [] }));
    await nothing(world);
  });

  it('adopts on one agent while another has an incident', async () => {
    const world = orphaned();
    const second = 'vol-000000000000000d2' as VolumeId;
    world.cloud.volumesById.set(second, freeVolume({ volumeId: second, tags: name }));
    world.cloud.attach(second, ids.spare);
    await world.given();
    expect(await adopt(world)).toEqual({ kind: 'adopted', volumeIds: [second], kept: [] });
  });

  it('does not mix hosts up: the agent must be the instance that holds the volume', async () => {
    const world = orphaned();
    const stranger = 'i-000000000000000aa' as InstanceId;
    world.cloud.instances.set(
      stranger,
      instanceOf({ instanceId: stranger, privateIp: '10.9.9.9' }),
    );
    world.cloud.attach(ids.data, stranger);
    await nothing(world);
  });

  describe('of data that EC2 would delete with its machine', () => {
    const flag = { deleteOnTermination: true } as const;
    const doomed = (): World => {
      const world = createWorld();
      const devices = instanceOf().devices.map((d) => ({ ...d, ...flag }));
      world.cloud.setInstance(ids.failed, { devices });
      world.cloud.setVolume(ids.data, { attachments: [attachmentOf(flag)] });
      return world;
    };
    const flags = (world: World) =>
      world.cloud.instances.get(ids.failed)?.devices.map((d) => d.deleteOnTermination);

    it('keeps it, the root excepted, in one call that is read back', async () => {
      const world = doomed();
      expect(await adopt(world)).toEqual({ kind: 'adopted', volumeIds: [], kept: [ids.data] });
      expect(world.book.names).toEqual(['ModifyInstanceAttribute']);
      expect(flags(world)).toEqual([true, false]);
      expect(world.counted).toEqual(['VolumeKept']);
      await adopt(world);
      expect(world.book.calls).toHaveLength(1);
    });

    it('keeps a volume that it adopts in the same breath, once it is tagged', async () => {
      const world = doomed();
      world.cloud.setVolume(ids.data, { tags: name });
      expect(await adopt(world)).toMatchObject({ volumeIds: [ids.data], kept: [ids.data] });
      expect(world.book.names).toEqual(['CreateTags', 'ModifyInstanceAttribute']);
    });

    it('says so when the flag does not stick', async () => {
      const world = doomed();
      world.cloud.flagsStick = false;
      expect(await adopt(world)).toMatchObject({ kept: [] });
      expect(world.logged).toContain('DeleteOnTermination is still true');
    });

    it.each<[string, (world: World) => unknown]>([
      ['of an agent with an incident', (world) => world.given()],
      ['while the cluster is paused', (world) => world.paused()],
      [
        'of another cluster',
        (world) =>
          world.cloud.setVolume(ids.data, {
            tags: [...name, { key: 'ebs-failover:cluster', value: 'staging' }],
          }),
      ],
      [
        'that no app names',
        (world) => world.cloud.setVolume(ids.data, { tags: volumeTags('scratch') }),
      ],
    ])('leaves a volume alone %s', async (_, arrange) => {
      const world = doomed();
      await arrange(world);
      expect(await adopt(world)).toMatchObject({ kept: [] });
      expect(world.book.calls).toEqual([]);
    });
  });
});
