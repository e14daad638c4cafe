import { describe, expect, it } from 'vitest';
import { createStopAborted } from '../../../src/application/aborted.ts';
import { createFenceAgent } from '../../../src/application/fence-agent.ts';
import { createIntake } from '../../../src/application/intake.ts';
import { createSweep } from '../../../src/application/sweep.ts';
import { TokenLostError } from '../../../src/domain/errors.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import { cluster, factsOf, ids, signalOf, t } from '../../support/build.ts';

const abort = (world: World, executionArn: string) =>
  createStopAborted({ ...world.deps, cluster })({ instanceId: ids.failed, executionArn });

const atWork = async () => {
  const world = createWorld();
  const { executionArn = '', token } = await world.given({ facts: factsOf() });
  world.workflow.statuses.set(executionArn, 'ABORTED');
  return { world, executionArn, keys: { incidentId: ids.incident, token } };
};

describe('an execution that a person has aborted', () => {
  it('lets its invocation that is under way change nothing more', async () => {
    const { executionArn, keys, world } = await atWork();
    world.hang();
    // The fence has begun to look when the abort is told, right before its command.
    const { intend } = world.ledger;
    world.ledger.intend = async (...args) => {
      await abort(world, executionArn);
      return intend.apply(world.ledger, args);
    };
    await expect(createFenceAgent(world.deps)(keys)).rejects.toThrow(TokenLostError);
    expect(world.book.names).toEqual([]);
  });

  it('starts nothing; the sweep takes it up after its minute of quiet', async () => {
    const { executionArn, world } = await atWork();
    expect(await abort(world, executionArn)).toMatchObject({ kind: 'stopped' });
    expect(world.workflow.started).toEqual([]);
    world.clock.advance(59_000);
    expect((await createSweep(world.deps)()).resumed).toEqual([]);
    world.clock.advance(1_000);
    expect((await createSweep(world.deps)()).resumed).toEqual([ids.incident]);
  });

  it('is not followed by another one because a signal comes', async () => {
    const { executionArn, world } = await atWork();
    await abort(world, executionArn);
    await createIntake(world.deps)([signalOf({ key: 'late' })]);
    expect(world.workflow.started).toEqual([]);
    expect(await world.incident()).toMatchObject({ token: 2, executionArn });
  });

  it('that holds the incident no more takes nothing from the one that does', async () => {
    const { executionArn, world } = await atWork();
    expect(await abort(world, `${executionArn}-other`)).toMatchObject({ kind: 'ignored' });
    await world.ledger.takeOver(ids.incident, 1, t(0));
    expect(await abort(world, executionArn)).toMatchObject({ kind: 'ignored' });
    expect(await world.incident()).toMatchObject({ token: 2 });
  });

  it('of an instance without an open incident is nobody’s', async () => {
    const world = createWorld();
    expect(await abort(world, 'arn')).toMatchObject({ kind: 'ignored' });
  });

  it('of another cluster’s incident is left alone', async () => {
    const { executionArn, world } = await atWork();
    const stop = createStopAborted({ ...world.deps, cluster: 'other' });
    expect(await stop({ instanceId: ids.failed, executionArn })).toMatchObject({ kind: 'ignored' });
    expect(await world.incident()).toMatchObject({ token: 1 });
  });
});
