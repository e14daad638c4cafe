import { describe, expect, it } from 'vitest';
import { createFenceAgent } from '../../../src/application/fence-agent.ts';
import { rehearsable } from '../../../src/application/rehearsal.ts';
import { orPlan } from '../../../src/application/report-plan.ts';
import { CloudRefusedError, NotAuthorizedError } from '../../../src/domain/errors.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import { cluster, factsOf, signalOf, t } from '../../support/build.ts';

const order = signalOf({ key: 'op', source: 'operator' });
const wouldDo = new CloudRefusedError('StopInstances', 'DryRunOperation', 'would have succeeded');

/** Assessed and protected, in a record of its own. */
const rehearsed = async (world: World) => {
  const { id, token } = await world.ledger.rehearse(cluster, order, 'x');
  const protection = { deactivatedAgentIds: [], autoScaling: { kind: 'none' } } as const;
  await world.ledger.save(id, token, { facts: factsOf(), protection }, t(0));
  return { incidentId: id, token };
};
const fence = (world: World, stop: () => Promise<unknown>) =>
  rehearsable({ step: 'FenceAgent', deps: world.deps, asking: () => ({ stop }) }, createFenceAgent);

describe('a rehearsal', () => {
  it('asks EC2, goes on as if it had been done, and writes down that it was not', async () => {
    const world = createWorld();
    const keys = await rehearsed(world);
    const step = fence(world, async () => Promise.reject(wouldDo));
    expect(await step(keys)).toMatchObject({ kind: 'fenced' });
    expect(world.book.names).toEqual([]);
    const [record] = await world.ledger.audit(keys.incidentId);
    expect(record).toMatchObject({ call: 'StopInstances', outcome: { kind: 'refused' } });
    expect(world.published).toEqual([]);
  });

  it('believes nothing when EC2 answers as if it had been done', async () => {
    const world = createWorld();
    const step = fence(world, async () => ({ kind: 'accepted', receipt: {} }));
    await expect(step(await rehearsed(world))).rejects.toThrow('as if it had been done');
  });

  it('fails where the real thing would: a right is missing', async () => {
    const world = createWorld();
    const missing = new NotAuthorizedError('StopInstances', 'UnauthorizedOperation');
    const step = fence(world, async () => Promise.reject(missing));
    await expect(step(await rehearsed(world))).rejects.toThrow(NotAuthorizedError);
  });

  it('is told from an incident by its id alone: an incident is never rehearsed', async () => {
    const world = createWorld();
    world.hang();
    const { id: incidentId, token } = await world.given({ facts: factsOf() });
    const step = fence(world, async () => Promise.reject(new Error('asked')));
    await step({ incidentId, token });
    expect(world.book.names).toContain('StopInstances');
  });

  it('ends with a plan, and its record is over', async () => {
    const world = createWorld();
    const keys = await rehearsed(world);
    const close = orPlan(world.deps, async () => ({ kind: 'closed' as const }));
    expect(await close(keys)).toMatchObject({ kind: 'planned', plan: { holds: [] } });
    expect(await world.ledger.incident(keys.incidentId)).toMatchObject({ status: 'cancelled' });
    const { id: incidentId, token } = await world.given();
    expect(await close({ incidentId, token })).toEqual({ kind: 'closed' });
  });

  it('says which step would have failed', async () => {
    const world = createWorld();
    const keys = await rehearsed(world);
    const hold = orPlan(world.deps, async () => ({ kind: 'ended' as const }));
    const failure = { error: 'NotAuthorizedError' };
    expect(await hold({ ...keys, failure })).toMatchObject({
      plan: { holds: [{ says: 'a step would fail: NotAuthorizedError' }] },
    });
  });
});
