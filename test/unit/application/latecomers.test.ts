import { describe, expect, it } from 'vitest';
import { createFenceAgent } from '../../../src/application/fence-agent.ts';
import { isChecked } from '../../../src/application/placement.ts';
import { CloudUnavailableError, LedgerUnavailableError } from '../../../src/domain/errors.ts';
import { incidentIdOf, type VolumeId } from '../../../src/domain/ids.ts';
import type { Volume } from '../../../src/domain/machine.ts';
import { agentsFingerprint } from '../../../src/domain/placement.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import {
  appOf,
  attachmentOf,
  cluster,
  factsOf,
  ids,
  incidentVolumeOf,
  provenFence,
  recordOf,
  volumeOf,
  volumeTags,
} from '../../support/build.ts';

/* What comes onto the machine after it was assessed. */

const late = 'vol-000000000000000d2' as VolumeId;
const input = { incidentId: ids.incident, token: 1 };
const fence = (world: World) => createFenceAgent(world.deps)(input);
const lateVolume = (change: Partial<Volume> = {}): Volume =>
  volumeOf({
    volumeId: late,
    attachments: [attachmentOf({ device: '/dev/xvdg', state: 'attaching' })],
    tags: volumeTags('orders'),
    ...change,
  });

/** A hung agent onto which REX-Ray's last request brings a volume while EC2 stops it. */
const overtaken = async (change: Partial<Volume> = {}): Promise<World> => {
  const world = createWorld();
  await world.given({ facts: factsOf() });
  world.dcos.allApps.push(appOf({ id: '/orders', externalVolumes: [{ name: 'orders' }] }));
  world.hang();
  world.book.onCall = ({ call }) => {
    if (call === 'StopInstances') world.cloud.volumesById.set(late, lateVolume(change));
  };
  return world;
};
const released = { kind: 'fenced', groups: [[ids.data, late]] };

describe('a volume in scope', () => {
  it('is marked, then claimed, then released with the others', async () => {
    const world = await overtaken();
    let claimedBefore: unknown = 'not called';
    const attach = world.book.onCall;
    world.book.onCall = async (booked) => {
      await attach?.(booked);
      if (booked.call === 'CreateTags') claimedBefore = await world.ledger.ownership(late);
    };
    expect(await fence(world)).toEqual(released);
    expect(claimedBefore).toBeUndefined();
    expect(world.book.calls.slice(1)).toEqual([
      { call: 'CreateTags', target: late, detail: { 'ebs-failover:epoch': '1' }, intended: true },
    ]);
    expect(await world.ledger.ownership(late)).toMatchObject({
      state: 'claimed',
      epoch: 1,
      from: ids.failed,
      incidentId: ids.incident,
    });
  });

  it('is a fact of the incident from then on, and so is its app', async () => {
    const world = await overtaken();
    await fence(world);
    const { facts } = await world.incident();
    expect(facts?.volumes).toEqual([
      incidentVolumeOf(),
      incidentVolumeOf({
        volumeId: late,
        name: 'orders',
        device: '/dev/xvdg',
        appIds: ['/orders'],
      }),
    ]);
    expect(facts?.apps.map(({ id }) => id)).toEqual(['/mysql', '/orders']);
  });

  it('is touched by nobody before the proof is written down', async () => {
    const world = await overtaken();
    const attach = world.book.onCall;
    let proofBefore: unknown;
    world.book.onCall = async (booked) => {
      await attach?.(booked);
      if (booked.call === 'CreateTags') proofBefore = (await world.incident()).fence?.proof;
    };
    await fence(world);
    expect(proofBefore).toHaveLength(2);
  });

  it('makes a placement worthless that was looked at without it', async () => {
    const world = await overtaken();
    world.clock.advance(30_000);
    const agents = world.dcos.listed;
    const placement = { at: world.clock.now(), agents: agentsFingerprint(agents) };
    const before = await world.ledger.save(ids.incident, 1, { placement }, world.clock.now());
    expect(isChecked(before, agents, world.clock.now())).toBe(true);
    await fence(world);
    const { facts } = await world.incident();
    expect(facts?.at).toBeGreaterThan(placement.at);
    expect(isChecked({ ...before, ...(facts && { facts }) }, agents, world.clock.now())).toBe(
      false,
    );
  });

  it('is found again by the next invocation, whatever the last one died of', async () => {
    const world = await overtaken();
    const { ledger } = world;
    const died = new LedgerUnavailableError('claim');
    world.book.fail('CreateTags', new CloudUnavailableError('CreateTags', '503'));
    await expect(fence(world)).rejects.toThrow(CloudUnavailableError);
    expect((await world.incident()).fence?.proof).toHaveLength(2);

    // Marked, not claimed.
    const claim = ledger.claim.bind(ledger);
    ledger.claim = () => Promise.reject(died);
    await expect(fence(world)).rejects.toThrow(died);
    // Claimed, and the answer was lost.
    ledger.claim = async (...asked) => {
      await claim(...asked);
      throw died;
    };
    await expect(fence(world)).rejects.toThrow(died);
    ledger.claim = claim;

    expect(await fence(world)).toEqual(released);
    expect(await ledger.ownership(late)).toMatchObject({ state: 'claimed', epoch: 1 });
    expect(await ledger.history(late)).toEqual([]);
    expect(world.book.names).toEqual(['StopInstances', 'CreateTags', 'CreateTags']);
    expect(await fence(world)).toEqual(released);
  });

  it('costs the proof nothing when it cannot be read at once', async () => {
    const world = await overtaken();
    world.book.fail('volumesOf', new CloudUnavailableError('DescribeVolumes', '503'));
    await expect(fence(world)).rejects.toThrow(CloudUnavailableError);
    expect((await world.incident()).fence?.proof).toHaveLength(2);
    expect(await fence(world)).toEqual(released);
    expect(world.book.names).toEqual(['StopInstances', 'CreateTags']);
  });

  it('is not claimed when an operator has said stop meanwhile', async () => {
    const world = await overtaken();
    const attach = world.book.onCall;
    world.book.onCall = async (booked) => {
      await attach?.(booked);
      world.paused();
    };
    expect(await fence(world)).toEqual({ kind: 'hold', reason: 'paused' });
    expect(await world.ledger.ownership(late)).toBeUndefined();
  });

  it('stays with another incident that has claimed it', async () => {
    const world = await overtaken();
    const rival = incidentIdOf(cluster, ids.spare, 1);
    const theirs = recordOf({ volumeId: late, name: 'orders', incidentId: rival });
    await world.ledger.claim(undefined, theirs, world.clock.now());
    expect(await fence(world)).toEqual({ kind: 'hold', reason: 'volume-attached-elsewhere' });
    expect((await world.incident()).facts?.volumes).toHaveLength(1);
  });
});

describe('any other volume', () => {
  it.each<[string, Partial<Volume>]>([
    ['belongs to another cluster', { tags: [{ key: 'ebs-failover:cluster', value: 'staging' }] }],
    ['is no volume of an app', { tags: [{ key: 'Name', value: 'scratch' }] }],
  ])('is left alone when it %s', async (_, change) => {
    const world = await overtaken(change);
    expect(await fence(world)).toEqual({ kind: 'fenced', groups: [[ids.data]] });
    expect(world.book.names).toEqual(['StopInstances']);
    const { facts } = await world.incident();
    expect(facts?.leftAlone.map(({ volumeId }) => volumeId)).toContain(late);
  });

  it.each<[string, Partial<Volume>, string]>([
    ['was never adopted', { tags: [{ key: 'Name', value: 'orders' }] }, 'ambiguous-scope'],
    ['belongs to no app that is known', { tags: volumeTags('nobody') }, 'ambiguous-scope'],
    ['is a Multi-Attach volume', { multiAttach: true }, 'multi-attach'],
    ['is managed by a service', { managedBy: 'eks.amazonaws.com' }, 'managed-volume'],
  ])(
    'holds the incident when it %s, until a person has cleared it up',
    async (_, change, reason) => {
      const world = await overtaken(change);
      expect(await fence(world)).toEqual({ kind: 'hold', reason });
      expect(world.book.names).toEqual(['StopInstances']);
      world.cloud.volumesById.set(late, lateVolume());
      expect(await fence(world)).toEqual(released);
    },
  );

  it('holds the incident when EC2 knows the volume and not the machine', async () => {
    const world = await overtaken();
    await world.ledger.save(ids.incident, 1, { fence: provenFence() }, world.clock.now());
    world.cloud.volumesById.set(late, lateVolume());
    world.cloud.instances.delete(ids.failed);
    expect(await fence(world)).toEqual({ kind: 'hold', reason: 'unknown-incarnation' });
  });
});
