import { describe, expect, it } from 'vitest';
import { createReleaseVolume } from '../../../src/application/release-volume.ts';
import {
  CloudAmbiguousError,
  CloudThrottledError,
  NotAuthorizedError,
  TokenLostError,
} from '../../../src/domain/errors.ts';
import type { Ownership } from '../../../src/domain/ownership.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import {
  factsOf,
  freeVolume,
  ids,
  provenFence,
  readOf,
  t,
  volumeOf,
  volumeTags,
} from '../../support/build.ts';

const input = { incidentId: ids.incident, token: 1, volumeIds: [ids.data] };
const release = (world: World) => createReleaseVolume(world.deps)(input);
const record = async (world: World): Promise<Ownership | undefined> =>
  world.ledger.ownership(ids.data);

const releaseFor = async (world: World, seconds: number) => {
  const until = world.clock.now() + seconds * 1000;
  for (;;) {
    const decision = await release(world);
    if (decision.kind === 'released' || world.clock.now() >= until) return decision;
    world.clock.advance(decision.kind === 'waiting' ? decision.waitSeconds * 1000 : 5_000);
  }
};

/** The agent is proven down, its volume claimed under epoch 1 and still attached. */
const proven = async (change: Parameters<typeof createWorld>[0] = {}): Promise<World> => {
  const world = createWorld(change);
  await world.given({ facts: factsOf(), fence: provenFence() });
  await world.claimed();
  world.cloud.setInstance(ids.failed, { state: 'stopped' });
  world.clock.advance(21_000);
  return world;
};

describe('ReleaseVolume', () => {
  it('detaches from the fenced instance, by name and without force, and records the release', async () => {
    const world = await proven();
    expect(await release(world)).toEqual({ kind: 'released' });
    expect(world.book.calls).toEqual([
      {
        call: 'DetachVolume',
        target: ids.data,
        detail: { from: ids.failed, force: false },
        intended: true,
      },
    ]);
    const released = await record(world);
    expect(released).toMatchObject({
      state: 'released',
      epoch: 1,
      proof: [readOf(20), readOf(20)],
      strength: 'strong',
    });
    expect(released?.owner).toBeUndefined();
    expect(released?.releasedAt).toBeGreaterThan(t(21));
  });

  it('writes the epoch of the volume beside the detach', async () => {
    const world = await proven();
    await release(world);
    expect(await world.ledger.audit(ids.incident)).toMatchObject([
      { call: 'DetachVolume', epoch: 1, outcome: { kind: 'accepted', requestId: 'req-detach' } },
    ]);
  });

  it('records the release of a volume that is free already, without any call', async () => {
    const world = await proven();
    world.cloud.free(ids.data);
    expect((await release(world)).kind).toBe('released');
    expect(world.book.calls).toEqual([]);
  });

  it('does not believe one read that says free', async () => {
    const world = await proven();
    const { compute } = world.deps;
    const volumes = compute.volumes.bind(compute);
    let reads = 0;
    compute.volumes = async (ids) => {
      reads += 1;
      return reads % 2 === 1 ? [freeVolume()] : volumes(ids);
    };
    world.cloud.detachMs = Number.POSITIVE_INFINITY;
    await releaseFor(world, 30);
    expect(reads).toBeGreaterThan(10);
    expect((await record(world))?.state).not.toBe('released');
  });

  it('does nothing again for a volume it released before', async () => {
    const world = await proven();
    await release(world);
    const before = await record(world);
    expect(await release(world)).toEqual({ kind: 'released' });
    expect(world.book.names).toEqual(['DetachVolume']);
    expect(await record(world)).toEqual(before);
  });

  it('does not insist on a volume that an AWS service manages, and says so', async () => {
    const world = await proven();
    world.cloud.detachAnswers.push({ kind: 'unsupported', code: 'UnsupportedOperation' });
    expect(await release(world)).toEqual({ kind: 'held' });
    expect(world.book.names).toEqual(['DetachVolume']);
    expect(await record(world)).toMatchObject({
      state: 'held',
      says: expect.stringContaining('UnsupportedOperation'),
    });
  });

  it('does not touch a volume that somebody attached elsewhere', async () => {
    const world = await proven();
    world.cloud.attach(ids.data, ids.other);
    expect(await release(world)).toEqual({ kind: 'held' });
    expect(world.book.calls).toEqual([]);
    expect(await record(world)).toMatchObject({
      state: 'held',
      says: expect.stringContaining(ids.other),
    });
  });

  it('reports a volume that is gone as lost, and goes on if EC2 finds it again', async () => {
    const world = await proven();
    const volume = world.cloud.volumesById.get(ids.data);
    world.cloud.volumesById.delete(ids.data);
    expect(await release(world)).toEqual({ kind: 'lost' });
    expect((await record(world))?.state).toBe('lost');
    if (volume !== undefined) world.cloud.volumesById.set(ids.data, volume);
    expect((await release(world)).kind).toBe('released');
  });

  it('does not detach a volume that lost its cluster tag meanwhile', async () => {
    const world = await proven();
    world.cloud.setVolume(ids.data, { tags: volumeTags().slice(0, 1) });
    expect((await release(world)).kind).toBe('held');
    expect(world.book.calls).toEqual([]);
  });

  it('does not detach a volume that carries a second cluster tag in another case', async () => {
    const world = await proven();
    const second = { key: 'EBS-Failover:Cluster', value: 'other' };
    world.cloud.setVolume(ids.data, { tags: [...volumeTags(), second] });
    expect((await release(world)).kind).toBe('held');
    expect(world.book.calls).toEqual([]);
  });

  it('does not detach from an instance that lost its cluster tag meanwhile', async () => {
    const world = await proven();
    world.cloud.setInstance(ids.failed, { tags: [] });
    expect((await release(world)).kind).toBe('held');
    expect(world.book.calls).toEqual([]);
    expect((await record(world))?.says).toMatch(/carries no ebs-failover:cluster tag/);
  });

  it('waits for the proof: without one nothing is detached', async () => {
    const world = createWorld();
    const { proof: _, ...fence } = provenFence();
    await world.given({ facts: factsOf(), fence });
    await world.claimed();
    expect((await release(world)).kind).toBe('held');
    expect(world.book.calls).toEqual([]);
  });

  it.each(['running', 'pending', 'stopping'] as const)(
    'gives the proof up, and detaches nothing, when the instance reads %s',
    async (state) => {
      const world = await proven();
      world.cloud.setInstance(ids.failed, { state });
      expect((await release(world)).kind).toBe('held');
      expect(world.book.calls).toEqual([]);
      expect((await world.incident()).fence).not.toHaveProperty('proof');
      expect((await world.incident()).fence?.rungs).toHaveLength(1);
    },
  );

  it('gives the proof up when the instance was started and stopped again', async () => {
    const world = await proven();
    world.cloud.setInstance(ids.failed, { state: 'stopped', launchTime: ids.relaunched });
    expect((await release(world)).kind).toBe('held');
    expect(world.book.calls).toEqual([]);
    expect((await world.incident()).fence).toMatchObject({ voided: [ids.launched] });
  });

  it('leaves a volume alone that another incident has claimed since', async () => {
    const world = await proven();
    await world.ledger.advance({ ...(await current(world)), state: 'released' }, t(22));
    const later = `${ids.incident}1` as typeof ids.incident;
    const before = await current(world);
    await world.ledger.claim(
      before,
      { ...before, epoch: 2, incidentId: later, state: 'claimed' },
      t(23),
    );
    expect((await release(world)).kind).toBe('held');
    expect(world.book.calls).toEqual([]);
    expect(await record(world)).toMatchObject({ epoch: 2, incidentId: later, state: 'claimed' });
  });

  it('calls nothing under a token that moved on', async () => {
    const world = await proven();
    await world.takenOver();
    await expect(release(world)).rejects.toThrow(TokenLostError);
    expect(world.book.calls).toEqual([]);
  });

  it('reads before it repeats a detach whose answer was lost', async () => {
    const world = await proven();
    world.book.fail('DetachVolume', new CloudAmbiguousError('DetachVolume', 'ECONNRESET'), 'after');
    expect((await release(world)).kind).toBe('released');
    expect(world.book.names).toEqual(['DetachVolume']);
  });

  it('does not hammer a detach that EC2 refuses', async () => {
    const world = await proven();
    const answer = { kind: 'not-attached-there', code: 'InvalidAttachment.NotFound' } as const;
    world.cloud.detachAnswers.push(...Array.from({ length: 1000 }, () => answer));
    await releaseFor(world, 30);
    expect(world.book.names.length).toBeLessThan(8);
    expect((await record(world))?.state).not.toBe('released');
  });

  it('never forces without policy, and holds the volume after three minutes', async () => {
    const world = await proven();
    world.cloud.detachMs = Number.POSITIVE_INFINITY;
    await releaseFor(world, 240);
    expect(world.book.calls.map(({ detail }) => detail)).toEqual([
      { from: ids.failed, force: false },
      { from: ids.failed, force: false },
    ]);
    expect((await record(world))?.state).toBe('held');
    world.cloud.free(ids.data);
    expect((await release(world)).kind).toBe('released');
  });

  it('forces once where policy says so, after two plain detaches', async () => {
    const world = await proven({ forceDetach: 'after-proof' });
    world.cloud.detachMs = Number.POSITIVE_INFINITY;
    await releaseFor(world, 400);
    expect(world.book.calls.map(({ detail }) => detail)).toEqual([
      { from: ids.failed, force: false },
      { from: ids.failed, force: false },
      { from: ids.failed, force: true },
    ]);
  });

  it('leaves a terminated instance time to let go by itself', async () => {
    const world = await proven();
    world.cloud.setInstance(ids.failed, { state: 'terminated' });
    world.clock.after(5_000, () => world.cloud.free(ids.data));
    expect((await release(world)).kind).toBe('released');
    expect(world.book.calls).toEqual([]);
  });
});

describe('several volumes of one agent', () => {
  const others = [2, 3].map((n) => `vol-000000000000000d${n}` as typeof ids.data);
  const [stuck, denied] = others as [typeof ids.data, typeof ids.data];
  const all = { ...input, volumeIds: [ids.data, ...others] };

  const three = async (): Promise<World> => {
    const world = await proven();
    for (const volumeId of others) {
      world.cloud.volumesById.set(volumeId, volumeOf({ volumeId }));
      const { incidentId, token, ...rest } = await current(world);
      await world.ledger.claim(undefined, { ...rest, volumeId, incidentId, token }, t(10));
    }
    return world;
  };
  const stateOf = async (world: World, id: typeof ids.data) =>
    (await world.ledger.ownership(id))?.state;

  it('are detached together, and looked at in one request', async () => {
    const world = await three();
    const asked: number[] = [];
    const { compute } = world.deps;
    const volumes = compute.volumes.bind(compute);
    compute.volumes = (wanted) => {
      asked.push(wanted.length);
      return volumes(wanted);
    };
    expect(await createReleaseVolume(world.deps)(all)).toEqual({ kind: 'released' });
    expect(world.book.calls.map(({ target, intended }) => [target, intended])).toEqual(
      all.volumeIds.map((id) => [id, true]),
    );
    expect(asked[0]).toBe(3);
    for (const id of all.volumeIds) expect(await stateOf(world, id)).toBe('released');
  });

  it('are recorded each as soon as it is free: one that is stuck holds back nobody', async () => {
    const world = await three();
    const until = world.clock.now() + 61_000;
    world.clock.after(500, () => {
      const { volumesById } = world.cloud;
      const keep = volumesById.get(stuck);
      const hold = () => {
        if (keep !== undefined) volumesById.set(stuck, keep);
        if (world.clock.now() < until) world.clock.after(10, hold);
      };
      hold();
    });
    let decision = await createReleaseVolume(world.deps)(all);
    expect(await stateOf(world, ids.data)).toBe('released');
    expect(await stateOf(world, denied)).toBe('released');
    expect((await record(world))?.releasedAt).toBeLessThan(t(24));
    for (let n = 0; n < 100 && decision.kind === 'waiting'; n += 1) {
      world.clock.advance(decision.waitSeconds * 1000);
      decision = await createReleaseVolume(world.deps)(all);
    }
    expect(decision).toEqual({ kind: 'held' });
    expect(await stateOf(world, stuck)).toBe('claimed');
  });

  it('are released although the detach of another is refused for good, which is then told', async () => {
    const world = await three();
    const { detach } = world.cloud;
    world.deps.compute.detach = (id, ...rest) =>
      id === denied
        ? Promise.reject(new NotAuthorizedError('DetachVolume', 'UnauthorizedOperation'))
        : detach.call(world.cloud, id, ...rest);
    await expect(createReleaseVolume(world.deps)(all)).rejects.toThrow(NotAuthorizedError);
    expect(await stateOf(world, ids.data)).toBe('released');
    expect(await stateOf(world, stuck)).toBe('released');
    expect(await stateOf(world, denied)).toBe('claimed');
  });

  it('wait out a throttled detach instead of repeating it at once', async () => {
    const world = await three();
    const at: number[] = [];
    const { detach } = world.cloud;
    world.deps.compute.detach = (id, ...rest) => {
      if (id !== denied) return detach.call(world.cloud, id, ...rest);
      at.push(world.clock.now());
      return at.length > 2
        ? detach.call(world.cloud, id, ...rest)
        : Promise.reject(new CloudThrottledError('DetachVolume', 'RequestLimitExceeded'));
    };
    expect(await createReleaseVolume(world.deps)(all)).toEqual({ kind: 'released' });
    const [first = 0, second = 0, third = 0] = at;
    expect(second - first).toBeGreaterThanOrEqual(2_000);
    expect(third - second).toBeGreaterThanOrEqual(4_000);
  });
});

const current = async (world: World) => {
  const found = await record(world);
  if (found?.incidentId === undefined || found.token === undefined) throw new Error('not claimed');
  return { ...found, incidentId: found.incidentId, token: found.token };
};
