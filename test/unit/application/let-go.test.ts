import { describe, expect, it } from 'vitest';
import { createHoldIncident } from '../../../src/application/hold-incident.ts';
import { hold } from '../../../src/application/step.ts';
import { createSweep } from '../../../src/application/sweep.ts';
import { heldByWord } from '../../../src/application/switches.ts';
import type { EpochMs } from '../../../src/domain/ids.ts';
import type { HoldReason } from '../../../src/domain/incident.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import { ids, t } from '../../support/build.ts';

const word = { by: 'ana', reason: 'game day', at: t(0) };
const sweep = (world: World) => createSweep(world.deps)();

/** Held for so long that its execution has ended, and the next look is minutes away. */
const heldLong = async (reason: HoldReason, patch = {}): Promise<World> => {
  const world = createWorld();
  const { executionArn = '', ...incident } = await world.given(patch);
  world.workflow.statuses.set(executionArn, 'SUCCEEDED');
  const since = { reason, says: 'because', since: t(-7_200), looks: 20 };
  const before = { ...incident, hold: { ...since, retryAt: t(0) } };
  await hold(world.ledger, before, { reason, says: 'because' }, world.clock.now());
  return world;
};

describe('what an operator has let go', () => {
  it.each(['paused', 'maintenance'] as const)(
    'is taken up by the next sweep when it is %s no more',
    async (reason) => {
      const world = await heldLong(reason);
      if (reason === 'paused') world.paused();
      else world.inMaintenance();
      world.clock.advance(60_000);
      expect((await sweep(world)).resumed).toEqual([]);
      world.unpaused();
      world.clock.advance(60_000);
      expect((await sweep(world)).resumed).toEqual([ids.incident]);
    },
  );

  it('waits for its next look when something else holds it', async () => {
    const world = await heldLong('no-placement');
    world.clock.advance(60_000);
    expect((await sweep(world)).resumed).toEqual([]);
  });
});

describe('an incident that an operator holds', () => {
  it('is not taken up by any sweep, however long it lasts', async () => {
    const world = await heldLong('operator-hold', { operatorHold: word });
    world.clock.advance(48 * 3_600_000);
    expect((await sweep(world)).resumed).toEqual([]);
  });

  it('is not taken up for having been quiet either', async () => {
    const world = createWorld();
    const { executionArn = '' } = await world.given({ operatorHold: word });
    world.workflow.statuses.set(executionArn, 'ABORTED');
    world.clock.advance(600_000);
    expect((await sweep(world)).resumed).toEqual([]);
  });

  it('costs no execution: the one that meets it ends', async () => {
    const world = createWorld();
    const incident = await world.given({ operatorHold: word });
    await hold(world.ledger, incident, heldByWord(word), t(0));
    const keys = { incidentId: ids.incident, token: 1 };
    expect(await createHoldIncident(world.deps)(keys)).toMatchObject({
      kind: 'ended',
      summary: expect.stringContaining('ana holds this incident: game day'),
    });
    expect((world.clock.now() - t(0)) as EpochMs).toBe(0);
  });
});
