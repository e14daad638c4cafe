import { describe, expect, it } from 'vitest';
import { createAssessAgent } from '../../../src/application/assess-agent.ts';
import { createFenceAgent } from '../../../src/application/fence-agent.ts';
import { createOperate } from '../../../src/application/operate.ts';
import { hold } from '../../../src/application/step.ts';
import { TokenLostError } from '../../../src/domain/errors.ts';
import type { EpochMs, IncidentId } from '../../../src/domain/ids.ts';
import type { HoldReason } from '../../../src/domain/incident.ts';
import type { Order } from '../../../src/domain/order.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import { cluster, ids, t } from '../../support/build.ts';

type Wish = Order extends infer One ? (One extends unknown ? Omit<One, 'by' | 'reason'> : 0) : 0;

const who = { by: 'ana', reason: 'game day' };
const operate = (world: World, wish: Wish) =>
  createOperate(world.deps)({ ...wish, ...who } as Order);
const incidentId = ids.incident;
const later = (ms: number): EpochMs => (t(0) + ms) as EpochMs;

/** Held for this reason by its execution, which has ended. */
const heldFor = async (reason: HoldReason): Promise<World> => {
  const world = createWorld();
  const incident = await world.given();
  await hold(world.deps.ledger, incident, { reason, says: 'because' }, world.clock.now());
  return world;
};

describe('pause', () => {
  it('stops every step until somebody unpauses, and says who it was', async () => {
    const world = createWorld();
    expect(await operate(world, { action: 'pause' })).toMatchObject({ kind: 'done' });
    expect(await world.ledger.control(cluster)).toMatchObject({ paused: who });
    const answer = await operate(world, { action: 'unpause' });
    expect(answer).toMatchObject({ kind: 'done', says: expect.stringContaining('ana had paused') });
    expect(await world.ledger.control(cluster)).toEqual({ maintenance: {} });
    expect(await operate(world, { action: 'unpause' })).toMatchObject({ kind: 'unchanged' });
  });

  it.each([
    ['in the past', later(-1), 'is over already'],
    ['a year away', later(365 * 24 * 3_600_000), 'more than 31 days'],
  ])('with an end %s is refused and switches nothing', async (_, until, says) => {
    const world = createWorld();
    const answer = await operate(world, { action: 'pause', until });
    expect(answer).toMatchObject({ kind: 'refused', says: expect.stringContaining(says) });
    expect(await world.ledger.control(cluster)).toEqual({ maintenance: {} });
  });
});

describe('maintenance', () => {
  it('is declared for one agent and leaves that of another as it is', async () => {
    const world = createWorld();
    for (const instanceId of [ids.failed, ids.spare]) {
      const inventory = { launchTime: ids.launched, availabilityZone: 'us-east-1a' };
      const nothing = { agentIds: [], apps: [], tasks: [], volumes: [], seenAt: t(0) };
      await world.ledger.recordInventory(instanceId, { ...inventory, ...nothing });
    }
    const until = later(3_600_000);
    for (const instanceId of [ids.failed, ids.spare]) {
      await operate(world, { action: 'begin-maintenance', instanceId, until });
    }
    await operate(world, { action: 'end-maintenance', instanceId: ids.failed });
    const { maintenance } = await world.ledger.control(cluster);
    expect(maintenance).toEqual({ [ids.spare]: { by: 'ana', until } });
    expect(
      await operate(world, { action: 'end-maintenance', instanceId: ids.failed }),
    ).toMatchObject({ kind: 'unchanged' });
  });

  it('is refused for a machine that no sweep has seen: a name typed wrong protects nothing', async () => {
    const world = createWorld();
    const instanceId = ids.other;
    const wish = { action: 'begin-maintenance', instanceId, until: later(1_000) } as const;
    expect(await operate(world, wish)).toMatchObject({ kind: 'refused' });
    expect(await world.ledger.control(cluster)).toEqual({ maintenance: {} });
  });
});

describe('hold', () => {
  it('takes the incident from the execution at work: its next change is refused', async () => {
    const world = createWorld();
    world.hang();
    const before = await world.given();
    expect(await operate(world, { action: 'hold', incidentId })).toMatchObject({ kind: 'done' });
    const input = { incidentId, token: before.token };
    await expect(createFenceAgent(world.deps)(input)).rejects.toThrow(TokenLostError);
    expect(world.book.names).toEqual([]);
    expect(await world.incident()).toMatchObject({
      status: 'held',
      hold: { reason: 'operator-hold', says: expect.stringContaining('ana') },
      operatorHold: { ...who, at: t(0) },
    });
    expect(world.published).toEqual(['held']);
    expect(world.workflow.started).toEqual([]);
  });

  it('holds whichever execution comes next, before it changes anything', async () => {
    const world = createWorld();
    world.hang();
    await world.given();
    await operate(world, { action: 'hold', incidentId });
    const taken = await world.ledger.takeOver(incidentId, 2, t(0));
    if (taken === 'lost') throw new Error('nobody else was there');
    const keys = { incidentId, token: taken.token, executionArn: 'arn' };
    const decision = await createAssessAgent(world.deps)(keys);
    expect(decision).toEqual({ kind: 'hold', reason: 'operator-hold' });
    expect(await createFenceAgent(world.deps)(keys)).toMatchObject({ kind: 'hold' });
    expect(world.book.names).toEqual([]);
  });

  it('twice is one hold, and the first word stays', async () => {
    const world = createWorld();
    await world.given();
    await operate(world, { action: 'hold', incidentId });
    expect(await operate(world, { action: 'hold', incidentId })).toMatchObject({
      kind: 'unchanged',
    });
    expect(await world.incident()).toMatchObject({ token: 2 });
  });
});

describe('resume', () => {
  it('ends the hold and starts the next execution', async () => {
    const world = createWorld();
    await world.given();
    await operate(world, { action: 'hold', incidentId });
    const answer = await operate(world, { action: 'resume', incidentId });
    expect(answer).toMatchObject({ kind: 'done', execution: expect.stringContaining('-1-3') });
    expect(await world.incident()).not.toHaveProperty('operatorHold');
    expect(world.workflow.started).toMatchObject([{ input: { token: 3 } }]);
  });

  it('makes whatever else is held look again at once', async () => {
    const world = await heldFor('no-placement');
    expect(await operate(world, { action: 'resume', incidentId })).toMatchObject({ kind: 'done' });
    expect(world.workflow.started).toMatchObject([{ input: { token: 2 } }]);
  });

  it('takes up what nobody works on', async () => {
    const world = createWorld();
    const { executionArn = '' } = await world.given();
    world.workflow.statuses.set(executionArn, 'ABORTED');
    expect(await operate(world, { action: 'resume', incidentId })).toMatchObject({ kind: 'done' });
    expect(world.workflow.started).toHaveLength(1);
  });

  it('leaves an execution at work alone', async () => {
    const world = createWorld();
    const { executionArn = '' } = await world.given();
    world.workflow.statuses.set(executionArn, 'RUNNING');
    const answer = await operate(world, { action: 'resume', incidentId });
    expect(answer).toMatchObject({ kind: 'unchanged' });
    expect(await world.incident()).toMatchObject({ token: 1 });
  });

  it('says what would hold it again, and starts nothing', async () => {
    const world = await heldFor('paused');
    world.paused();
    const answer = await operate(world, { action: 'resume', incidentId });
    expect(answer).toMatchObject({ kind: 'refused', says: expect.stringContaining('Unpause') });
    expect(world.workflow.started).toEqual([]);
  });

  it('leaves what it could not start due for the sweep', async () => {
    const world = await heldFor('no-placement');
    world.clock.advance(1_000);
    world.workflow.failNext = new Error('throttled');
    await expect(operate(world, { action: 'resume', incidentId })).rejects.toThrow('throttled');
    expect(await world.incident()).toMatchObject({ hold: { retryAt: world.clock.now() } });
  });
});

describe('acknowledge', () => {
  it('waves through what holds it now, and starts the next execution', async () => {
    const world = await heldFor('storm');
    const answer = await operate(world, { action: 'acknowledge', incidentId });
    expect(answer).toMatchObject({ kind: 'done', execution: expect.any(String) });
    expect(await world.incident()).toMatchObject({ acknowledged: ['storm'], token: 2 });
    expect(await operate(world, { action: 'acknowledge', incidentId })).toMatchObject({
      kind: 'unchanged',
    });
  });

  it('ahead of a hold leaves the execution at work alone', async () => {
    const world = createWorld();
    await world.given({ acknowledged: ['storm'] });
    const answer = await operate(world, { action: 'acknowledge', incidentId, hold: 'flapping' });
    expect(answer).toEqual({ kind: 'done', says: expect.any(String) });
    expect(await world.incident()).toMatchObject({ acknowledged: ['storm', 'flapping'], token: 1 });
  });

  it.each<HoldReason>([
    'fence-stuck',
    'proof-void',
    'volume-lost',
    'ledger-rewound',
    'paused',
    'operator-hold',
    'terminate-would-delete-data',
  ])('is refused for %s, which keeps data safe or is ended otherwise', async (reason) => {
    const world = await heldFor(reason);
    const answer = await operate(world, { action: 'acknowledge', incidentId });
    expect(answer).toMatchObject({ kind: 'refused' });
    expect(await world.incident()).not.toHaveProperty('acknowledged');
  });

  it('of a storm lets all of them through for a while', async () => {
    const world = createWorld();
    const until = later(60_000);
    await operate(world, { action: 'acknowledge-storm', until });
    expect(await world.ledger.control(cluster)).toMatchObject({
      stormAcknowledged: { by: 'ana', until },
    });
  });
});

describe('every order', () => {
  it('is on record before it is carried out, and with what became of it after', async () => {
    const world = createWorld();
    await world.given();
    world.deps.events.publish = async () => {
      const [order] = await world.ledger.orders({ incidentId });
      expect(order).toEqual({ at: t(0), action: 'hold', ...who, parameters: { incidentId } });
      return true;
    };
    await operate(world, { action: 'hold', incidentId });
    const [order] = await world.ledger.orders({ incidentId });
    expect(order).toMatchObject({ outcome: { kind: 'done' } });
    await operate(world, { action: 'pause' });
    expect(await world.ledger.orders({ cluster })).toMatchObject([{ action: 'pause', ...who }]);
  });

  it.each([
    ['an incident that is not there', `${cluster}#${ids.failed}#9`],
    ['an incident of another cluster', `other#${ids.failed}#1`],
  ])('about %s is refused, and nothing is written', async (_, id) => {
    const world = createWorld();
    await world.given();
    const wish = { action: 'hold', incidentId: id as IncidentId } as const;
    expect(await operate(world, wish)).toMatchObject({ kind: 'refused' });
    expect(await world.ledger.orders(wish)).toEqual([]);
  });

  it('about an incident that is over is refused', async () => {
    const world = createWorld();
    await world.given();
    await world.ledger.close(incidentId, 1, { status: 'cancelled' }, t(1));
    for (const action of ['hold', 'resume', 'acknowledge'] as const) {
      const answer = await operate(world, { action, incidentId });
      expect(answer).toMatchObject({ kind: 'refused', says: expect.stringContaining('is over') });
    }
  });
});
