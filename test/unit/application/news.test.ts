import { describe, expect, it } from 'vitest';
import { createRememberShift, createTellNote } from '../../../src/application/news.ts';
import type { Note } from '../../../src/domain/note.ts';
import type { ZoneShift } from '../../../src/domain/zone-shift.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import { ids, t, zone } from '../../support/build.ts';

const noteOf = (change: Partial<Note> = {}): Note => ({
  about: 'volume-lost',
  says: 'gone',
  instanceIds: [],
  volumeIds: [],
  ...change,
});
const tell = (world: World, note: Note) => createTellNote(world.deps)(note);
const seen = async (world: World): Promise<void> =>
  world.ledger.recordInventory(ids.failed, {
    launchTime: ids.launched,
    availabilityZone: zone,
    agentIds: [ids.agent],
    apps: [],
    tasks: [],
    volumes: [],
    seenAt: t(0),
  });

describe('a note', () => {
  it('about a volume of ours is told, and nothing is changed', async () => {
    const world = createWorld();
    await world.claimed();
    const note = noteOf({ volumeIds: [ids.data] });
    expect(await tell(world, note)).toEqual({ kind: 'noted', about: 'volume-lost', says: 'gone' });
    expect(world.logged).toEqual(['people should know']);
    expect(await world.ledger.openIncidents('prod')).toEqual([]);
    expect(world.book.calls).toEqual([]);
  });

  it('about an agent of ours is told', async () => {
    const world = createWorld();
    await seen(world);
    const note = noteOf({ about: 'investigation', instanceIds: [ids.failed] });
    expect((await tell(world, note)).kind).toBe('noted');
  });

  it('that names nothing is everybody’s', async () => {
    const world = createWorld();
    expect((await tell(world, noteOf({ about: 'public-issue' }))).kind).toBe('noted');
  });

  it.each([
    ['volume', { volumeIds: [ids.data] }],
    ['machine', { instanceIds: [ids.failed] }],
  ])('about a %s that the ledger does not know is no news here', async (_, names) => {
    const world = createWorld();
    expect(await tell(world, noteOf(names))).toEqual({
      kind: 'ignored',
      why: 'gone: nothing of this cluster',
    });
    expect(world.logged).toEqual([]);
  });
});

describe('a zone shift', () => {
  const shift: ZoneShift = {
    key: 'use1-az2 autoshift',
    zoneId: 'use1-az2',
    away: true,
    at: t(10),
    says: 'moved away',
  };
  const remember = (world: World, change: Partial<ZoneShift> = {}) =>
    createRememberShift({ ...world.deps, cluster: 'prod' })({ ...shift, ...change });

  it('is kept where every decision reads the switches of the cluster', async () => {
    const world = createWorld();
    expect(await remember(world)).toEqual({
      kind: 'zoneShift',
      zoneId: 'use1-az2',
      away: true,
      outcome: 'recorded',
    });
    const { shiftedZones } = await world.ledger.control('prod');
    expect(shiftedZones?.['use1-az2']).toMatchObject({ since: t(10), says: 'moved away' });
    expect(world.logged).toEqual(['zone shift']);
    expect(world.book.calls).toEqual([]);
  });

  it('that comes after its own end is older news', async () => {
    const world = createWorld();
    await remember(world, { away: false, at: t(20) });
    expect(await remember(world)).toMatchObject({ outcome: 'older' });
    expect(await world.ledger.control('prod')).not.toHaveProperty('shiftedZones');
  });
});
