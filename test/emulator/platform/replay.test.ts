import { afterEach, describe, expect, it } from 'vitest';
import { closeAll, createFixture, START } from './fixture.ts';

afterEach(closeAll);

const MACHINE = 'arn:aws:states:us-east-1:123456789012:stateMachine:count-blue';

/** One execution over five items, traced from first to last. */
const run = async (seed: number): Promise<string> => {
  const world = await createFixture(seed);
  await world.call('states', 'AWSStepFunctions.StartExecution', {
    stateMachineArn: MACHINE,
    name: 'one',
    input: JSON.stringify({ items: ['a', 'b', 'a', 'c', 'a'], waitSeconds: 30, ask: false }),
  });
  const [execution] = world.states.executions();
  const over = (): boolean => execution?.status !== 'RUNNING';
  expect(await world.time.run({ until: over, horizonMs: 600_000 })).toBe('reached');
  expect(execution?.status).toBe('SUCCEEDED');
  expect(world.time.now()).toBeGreaterThan(START + 30_000);
  const items = await world.dynamodb.scan('test-CountTable');
  const trace = JSON.stringify({ trace: world.trace, items, calls: world.network.calls() });
  closeAll();
  return trace;
};

describe('one seed', () => {
  it('gives the same trace alone and after another seed, byte for byte', async () => {
    const alone = await run(2);
    const other = await run(1);
    const after = await run(2);
    expect(after).toBe(alone);
    expect(other).not.toBe(alone);
    expect(JSON.parse(alone).items).toMatchObject([
      { pk: { S: 'a' }, calls: { N: '3' } },
      { pk: { S: 'b' }, calls: { N: '1' } },
      { pk: { S: 'c' }, calls: { N: '1' } },
    ]);
  });
});
