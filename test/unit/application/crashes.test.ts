import { describe, expect, it } from 'vitest';
import { type Invoke, runFailover } from '../../fakes/failover.ts';
import { type Mishap, Mortality } from '../../fakes/mortal.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import { ids, instanceOf, signalOf } from '../../support/build.ts';

/** A hung agent in an Auto Scaling group, its volume to be deleted with it: every step has work. */
const hung = async (): Promise<World> => {
  const world = createWorld();
  const devices = instanceOf().devices.map((device) => ({ ...device, deleteOnTermination: true }));
  world.cloud.setInstance(ids.failed, { devices });
  world.cloud.groups.set(ids.failed, {
    group: 'agents',
    lifecycleState: 'InService',
    desired: 3,
    min: 3,
    suspendedProcesses: [],
  });
  world.hang();
  await world.ledger.admit('prod', signalOf());
  return world;
};

/** Every invocation is its own; one that is stopped is an error of its own. */
class Killed extends Error {}
const invokeWith =
  (world: World, mortality: Mortality): Invoke =>
  (name, step) =>
    new Promise((resolve, reject) => {
      const onStop = (): undefined => {
        reject(new Killed(name));
      };
      step(mortality.ports(world.deps, onStop)).then(resolve, reject);
    });

const whole = async (mishap?: Mishap): Promise<{ world: World; mortality: Mortality }> => {
  const world = await hung();
  const mortality = new Mortality(mishap);
  return { world, mortality };
};

/** What must be true at the end, however it got there. */
const expectComeTrue = async (world: World): Promise<void> => {
  const incident = await world.incident();
  expect(incident.status).toBe('recovered');
  expect(incident.recovery?.apps).toMatchObject([{ id: '/mysql', toInstanceId: ids.spare }]);
  expect(world.cloud.instances.get(ids.failed)).toMatchObject({
    state: 'stopped',
    launchTime: ids.launched,
  });
  expect(world.cloud.volumesById.get(ids.data)?.attachments).toMatchObject([
    { instanceId: ids.spare, state: 'attached' },
  ]);
  expect(await world.ledger.ownership(ids.data)).toMatchObject({
    state: 'owned',
    owner: ids.spare,
    epoch: 1,
  });
  expect(await world.ledger.history(ids.data)).toEqual([]);
  expect(incident.fence).toMatchObject({ method: 'skip', strength: 'strong' });
  expect(incident.fence?.rungs.map(({ method }) => method)).toEqual(['skip']);
  const floor = incident.fence?.rungs[0]?.requestedAt ?? Number.NaN;
  for (const read of incident.fence?.proof ?? []) expect(read.at).toBeGreaterThan(floor);
};

/** Nothing is made without an intent, and nothing more than once beyond what a lost answer costs. */
const expectNoDoubleEffect = (world: World): void => {
  expect(world.book.calls.filter(({ intended }) => !intended)).toEqual([]);
  const count = (name: string) => world.book.names.filter((each) => each === name).length;
  for (const name of ['StopInstances', 'DetachVolume', 'MARK_AGENT_GONE', 'EnterStandby']) {
    expect(count(name), name).toBeLessThanOrEqual(2);
    expect(count(name), name).toBeGreaterThan(0);
  }
  expect(world.dcos.allTasks.map(({ id }) => id)).toEqual(['mysql.2']);
};

describe('a hung agent, from the first look to the end', () => {
  it('comes true without a crash, each call once', async () => {
    const { mortality, world } = await whole();
    expect(await runFailover(world, invokeWith(world, mortality), 1)).toBe('recovered');
    await expectComeTrue(world);
    expectNoDoubleEffect(world);
    const once = ['StopInstances', 'DetachVolume', 'MARK_AGENT_GONE', 'EnterStandby'];
    for (const name of once) expect(world.book.names.filter((n) => n === name)).toHaveLength(1);
    expect(mortality.count).toBeGreaterThan(30);
  });
});

/** As many effects as the story has; counted once, so that none is left out. */
const effectsOfStory = async (): Promise<number> => {
  const { mortality, world } = await whole();
  await runFailover(world, invokeWith(world, mortality), 1);
  return mortality.count;
};
const points = Array.from({ length: await effectsOfStory() }, (_, i) => i + 1).flatMap(
  (effect): Mishap[] => [
    { effect, when: 'before' },
    { effect, when: 'after' },
  ],
);

describe('a function killed at any of its effects', () => {
  it.each(points)('comes true when the step runs again: $when effect $effect', async (mishap) => {
    const { mortality, world } = await whole(mishap);
    const once = invokeWith(world, mortality);
    let kills = 0;
    // Step Functions retries a killed function a second later, under the same token.
    const retrying: Invoke = async (name, step) => {
      try {
        return await once(name, step);
      } catch (error) {
        if (!(error instanceof Killed)) throw error;
        kills += 1;
        world.clock.advance(1_000);
        return once(name, step);
      }
    };
    expect(await runFailover(world, retrying, 1)).toBe('recovered');
    expect(kills).toBe(1);
    await expectComeTrue(world);
    expectNoDoubleEffect(world);
  });

  it.each(points)('comes true in a new execution: $when effect $effect', async (mishap) => {
    const { mortality, world } = await whole(mishap);
    const invoke = invokeWith(world, mortality);
    await expect(runFailover(world, invoke, 1)).rejects.toThrow(Killed);
    world.clock.advance(60_000);
    // Killed at the very end: it may be over already.
    if ((await world.incident()).status !== 'recovered') {
      await world.takenOver();
      expect(await runFailover(world, invoke, 2)).toBe('recovered');
    }
    await expectComeTrue(world);
    expectNoDoubleEffect(world);
  });
});

describe('a function frozen at any of its effects, thawed when another has done the work', () => {
  it.each(points)('changes nothing any more: $when effect $effect', async (mishap) => {
    const { mortality, world } = await whole(mishap);
    let thaw = (): void => undefined;
    const thawed = new Promise<void>((resolve) => {
      thaw = resolve;
    });
    const frozen = Promise.withResolvers<void>();
    const invocations: Promise<unknown>[] = [];
    const freezing: Invoke = (_, step) => {
      const onStop = (): Promise<void> => {
        frozen.resolve();
        return thawed;
      };
      const running = step(mortality.ports(world.deps, onStop));
      invocations.push(running.catch(() => undefined));
      return running;
    };
    const first = runFailover(world, freezing, 1).catch((error: unknown) => error);
    await frozen.promise;
    world.clock.advance(60_000);
    const over = (await world.incident()).status === 'recovered';
    if (!over) {
      await world.takenOver();
      const lively = invokeWith(world, new Mortality());
      expect(await runFailover(world, lively, 2)).toBe('recovered');
    }
    await expectComeTrue(world);
    const incident = await world.incident();
    const owner = await world.ledger.ownership(ids.data);
    const made = world.book.calls.length;
    thaw();
    await first;
    await Promise.all(invocations);
    await expectComeTrue(world);
    expect(await world.incident()).toEqual(incident);
    expect(await world.ledger.ownership(ids.data)).toEqual(owner);
    // Calls that were on their way arrive; no new one is begun.
    const late = world.book.calls.slice(made).map(({ call }) => call);
    expect(new Set(late).size).toBe(late.length);
    expect(late.length).toBeLessThanOrEqual(4);
  });
});
