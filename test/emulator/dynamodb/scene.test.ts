import { expect, it } from 'vitest';
import { playScene } from '../../../emulator/scenes/scene.ts';
import type { Access, MemoryHooks } from '../../../emulator/services/dynamodb/memory-engine.ts';
import type { World } from '../../../emulator/world.ts';

/** Everything that can be told of one failover. */
const play = async (tables?: MemoryHooks) => {
  const worlds: World[] = [];
  const report = await playScene({
    scene: 'hung',
    seed: 11,
    prepare: (world) => worlds.push(world),
    ...(tables === undefined ? {} : { tables }),
  });
  const told = worlds.map(({ trace, network }) => ({ trace, calls: network.calls() }));
  return { report, told };
};

it('a failover goes the same way on tables in memory as on dynalite, to the last line', async () => {
  const accesses: Access[] = [];
  const memory = await play({ onAccess: (access) => accesses.push(access) });
  const dynalite = await play();
  expect(memory.report.outcome).toBe('recovered');
  expect(JSON.stringify(memory.told)).toBe(JSON.stringify(dynalite.told));
  expect(memory.report).toEqual(dynalite.report);
  const reads = accesses.flatMap((access) => (access.kind === 'read' ? [access] : []));
  expect(reads.length).toBeGreaterThan(10);
  expect(reads.filter(({ consistent }) => !consistent)).toEqual([]);
});
