import { describe, expect, it } from 'vitest';
import { createAssessAgent } from '../../../src/application/assess-agent.ts';
import { createProtectData } from '../../../src/application/protect-data.ts';
import type { InstanceId } from '../../../src/domain/ids.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import { cluster, factsOf, ids, signalOf } from '../../support/build.ts';

const key = { incidentId: ids.incident, token: 1 };
const protect = (world: World) => createProtectData(world.deps)(key);
const assess = async (world: World) => {
  const executionArn = (await world.incident()).executionArn ?? '';
  return createAssessAgent(world.deps)({ ...key, executionArn });
};

/** Among three more, on its way down, and behind so many others that begin that it takes long. */
const inQueue = async (patch: Parameters<World['given']>[0]): Promise<World> => {
  const world = createWorld();
  await world.given(patch);
  world.cloud.setInstance(ids.failed, { state: 'stopping' });
  for (const n of [1, 2, 3]) {
    const instanceId = `i-0c0${n}` as InstanceId;
    await world.ledger.admit(cluster, signalOf({ instanceId, key: `event-${n}` }));
  }
  for (const api of ['DescribeInstances', 'DescribeVolumes'] as const) {
    await world.deps.pace.drawEarly(api, 300, world.clock.now());
  }
  return world;
};

/** EC2 says that it has stopped, so much later. */
const stops = ({ clock, cloud, ledger }: World, afterMs: number): void =>
  clock.after(afterMs, () => {
    cloud.setInstance(ids.failed, { state: 'stopped' });
    void ledger.admit(cluster, signalOf({ key: 'stopped', receivedAt: clock.now() }));
  });

const stopping = factsOf({ state: 'stopping' });

describe.each([
  { step: 'AssessAgent', play: assess, patch: {}, kind: 'proceed' },
  { step: 'ProtectData', play: protect, patch: { facts: stopping }, kind: 'protected' },
])('$step in a crowd', ({ play, patch, kind }) => {
  it('waits for the turn of those who begin while the machine only goes down', async () => {
    const world = await inQueue(patch);
    const before = world.clock.now();
    expect((await play(world)).kind).toBe(kind);
    expect(world.clock.now() - before).toBeGreaterThan(15_000);
  });

  it('waits on although it is down where its detaches would have to wait anyway', async () => {
    const world = await inQueue(patch);
    const before = world.clock.now();
    await world.deps.pace.draw('DetachVolume', 200, before);
    stops(world, 3_000);
    expect((await play(world)).kind).toBe(kind);
    expect(world.clock.now() - before).toBeGreaterThan(15_000);
  });

  it('waits no longer once the machine is said to be down', async () => {
    const world = await inQueue(patch);
    const before = world.clock.now();
    stops(world, 3_000);
    expect((await play(world)).kind).toBe(kind);
    expect(world.clock.now() - before).toBeLessThan(4_000);
  });
});

describe('ProtectData in a crowd', () => {
  it('is no beginning for a machine that was down when it was assessed', async () => {
    const world = await inQueue({ facts: factsOf({ state: 'stopped' }) });
    const before = world.clock.now();
    expect((await protect(world)).kind).toBe('protected');
    expect(world.clock.now() - before).toBeLessThan(1_000);
  });
});
