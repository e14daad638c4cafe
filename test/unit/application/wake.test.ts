import { describe, expect, it } from 'vitest';
import { createWake } from '../../../src/application/wake.ts';
import { CloudUnavailableError } from '../../../src/domain/errors.ts';
import { executionNameOf, type LaunchTime } from '../../../src/domain/ids.ts';
import type { IncidentPatch, Verdict } from '../../../src/domain/incident.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import { factsOf, ids, signalOf, t } from '../../support/build.ts';

const signal = signalOf({ key: 'no-data', source: 'status-alarm', says: 'hears no more of it' });
const wake = (world: World, ...signals: (typeof signal)[]) =>
  createWake(world.deps)(signals.length > 0 ? signals : [signal]);
const idle = (why: string) => [
  { kind: 'idle', instanceId: ids.failed, why: expect.stringContaining(why) },
];
const down = (): World => {
  const world = createWorld();
  world.cloud.setInstance(ids.failed, { state: 'stopped' });
  return world;
};
const ended = async (world: World, status: 'recovered' | 'cancelled', patch: IncidentPatch) => {
  await world.given(patch);
  await world.ledger.close(ids.incident, 1, { status }, t(1));
  await world.ledger.unlist('prod', ids.incident);
};
const verdictOf = (kind: Verdict['kind']): Verdict => ({ kind, at: t(0), why: [], whyNot: [] });
const expectNothing = async (world: World, open = 0): Promise<void> => {
  expect(await world.ledger.openIncidents('prod')).toHaveLength(open);
  expect(world.workflow.started).toEqual([]);
  expect(world.book.calls).toEqual([]);
};

describe('a wake-up', () => {
  it('joins the incident that is open, and starts nothing', async () => {
    const world = createWorld();
    await world.given();
    expect(await wake(world)).toEqual([{ kind: 'joined', incidentId: ids.incident }]);
    expect((await world.incident()).signals.map(({ key }) => key)).toContain('no-data');
    await expectNothing(world, 1);
  });

  it('wakes a held incident, once', async () => {
    const world = createWorld();
    const hold = { reason: 'blind', says: 'x', since: t(0), looks: 0, retryAt: t(5) } as const;
    await world.given({ status: 'held', hold });
    expect(await wake(world)).toEqual([{ kind: 'woken', incidentId: ids.incident }]);
    expect(await wake(world)).toEqual([{ kind: 'joined', incidentId: ids.incident }]);
    const names = world.workflow.started.map(({ name }) => name);
    expect(new Set(names)).toEqual(new Set([executionNameOf(ids.failed, 1, 2)]));
    expect((await world.incident()).token).toBe(2);
  });

  it('opens an incident of a machine that EC2 calls down and nobody has seen to', async () => {
    const world = down();
    expect(await wake(world)).toEqual([{ kind: 'opened', incidentId: ids.incident }]);
    expect(world.workflow.started).toHaveLength(1);
  });

  it.each(['running', 'pending'] as const)('is idle for a machine that is %s', async (state) => {
    const world = createWorld();
    world.cloud.setInstance(ids.failed, { state });
    expect(await wake(world)).toEqual(idle(`EC2 says ${state}`));
    await expectNothing(world);
  });

  it('is idle when EC2 does not know the machine: unknown is not dead', async () => {
    const world = createWorld();
    world.cloud.instances.delete(ids.failed);
    expect(await wake(world)).toEqual(idle('EC2 does not know it'));
    await expectNothing(world);
  });

  it('is idle as the echo of a stop by an incident that has recovered', async () => {
    const world = down();
    await ended(world, 'recovered', { facts: factsOf(), verdict: verdictOf('Impaired') });
    expect(await wake(world)).toEqual(idle(`incident ${ids.incident} has seen to it`));
    await expectNothing(world);
  });

  it('is idle after an incident that found a machine down with nothing to move', async () => {
    const world = down();
    await ended(world, 'cancelled', { facts: factsOf(), verdict: verdictOf('Down') });
    expect(await wake(world)).toEqual(idle('has seen to it'));
    await expectNothing(world);
  });

  it('opens the next incident when the machine was well when the last one was cancelled', async () => {
    const world = down();
    await ended(world, 'cancelled', { verdict: verdictOf('Recovered') });
    expect(await wake(world)).toMatchObject([{ kind: 'opened' }]);
  });

  it.each(['recovered', 'cancelled'] as const)(
    'opens the next incident when it was started again after one that was %s',
    async (status) => {
      const world = down();
      await ended(world, status, { facts: factsOf(), verdict: verdictOf('Down') });
      world.cloud.setInstance(ids.failed, { launchTime: '2099-01-01T00:00:00.000Z' as LaunchTime });
      expect(await wake(world)).toMatchObject([{ kind: 'opened' }]);
    },
  );

  it('opens nothing for a machine that is none of ours', async () => {
    const world = down();
    world.cloud.setInstance(ids.failed, { tags: [] });
    expect(await wake(world)).toMatchObject([{ kind: 'refused', instanceId: ids.failed }]);
    await expectNothing(world);
  });

  it('fails when EC2 cannot be read, so that it is delivered again', async () => {
    const world = down();
    world.book.fail('instance', new CloudUnavailableError('DescribeInstances', '503'));
    await expect(wake(world)).rejects.toThrow(CloudUnavailableError);
    expect(await wake(world)).toMatchObject([{ kind: 'opened' }]);
  });
});
