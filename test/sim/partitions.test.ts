import { describe, expect, it } from 'vitest';
import { createVirtualTime } from '../../emulator/core/virtual-time.ts';
import type { MemoryHooks } from '../../emulator/services/dynamodb/memory-engine.ts';
import { createChecker } from '../../emulator/sim/checker.ts';
import { installLeanSdk } from '../../emulator/sim/lean-sdk/install.ts';
import { observe, observePeople } from '../../emulator/sim/observer.ts';
import { plainTraits, type SimStage, setSimStage } from '../../emulator/sim/stage.ts';
import { createWorld, type World } from '../../emulator/world.ts';

installLeanSdk();

/*
 * Agents that the masters do not hear any more, in whole worlds: the functions, the workflow and the
 * state machine as they ship, judged by every promise.
 */
const START_MS = Date.parse('2026-11-23T03:00:00Z');
/** One sweep, which keeps the inventory and has the volumes adopted. */
const WARM_UP_MS = 75_000;

interface Ended {
  statuses: string[];
  holds: string[];
  stops: number;
  messages: string[];
  violations: unknown[];
}

/** What became of it within so many minutes after it was done to the world. */
const play = async (
  trouble: (world: World, stage: SimStage) => void,
  minutes: number,
  { agents = 5, parameters = {} }: { agents?: number; parameters?: Record<string, string> } = {},
): Promise<Ended> => {
  const time = createVirtualTime(START_MS, 7);
  try {
    const tables: MemoryHooks = {};
    const world = await createWorld({ seed: 7, time, parameters, tables });
    const checker = createChecker();
    observe(world, checker.see);
    observePeople(tables, time, checker.see);
    const stage = setSimStage(world, { ...plainTraits, agents, parameters });
    await time.run({ until: () => false, horizonMs: WARM_UP_MS });
    trouble(world, stage);
    await time.run({ until: () => false, horizonMs: minutes * 60_000 });
    const incidents = [...checker.memory.incidents.values()];
    return {
      statuses: incidents.map(({ status }) => status),
      holds: [...new Set(incidents.flatMap(({ holds }) => holds.map(({ reason }) => reason)))],
      stops: world.ec2.calls().filter(({ api }) => api === 'StopInstances').length,
      messages: world.slack.messages().map(({ text }) => text),
      violations: [...checker.violations],
    };
  } finally {
    time.uninstall();
  }
};
const cutOff = (world: World, { failing }: SimStage): void =>
  world.dcos.faults.partition(failing.instanceId, true);
const fence = { parameters: { PartitionedAgent: 'fence' } };

describe('an agent that the masters do not hear any more, on a machine that works', () => {
  it('is found without an event, and asked about', async () => {
    const { messages, ...ended } = await play(cutOff, 12);
    expect(ended).toMatchObject({ holds: ['partitioned'], stops: 0, violations: [] });
    expect(messages).toHaveLength(1);
  });

  it('is failed over by policy', async () => {
    const ended = await play(cutOff, 14, fence);
    expect(ended).toMatchObject({ statuses: ['recovered'], stops: 1, violations: [] });
  });

  it('is let go when it is heard again, and nothing of it was touched', async () => {
    const heal = (world: World, stage: SimStage): void => {
      cutOff(world, stage);
      world.time.after(10 * 60_000, () =>
        world.dcos.faults.partition(stage.failing.instanceId, false),
      );
    };
    const ended = await play(heal, 14);
    expect(ended).toMatchObject({ statuses: ['cancelled'], stops: 0, violations: [] });
  });
});

describe('masters that are cut off from half of the agents', () => {
  it('have nobody fenced though policy says fence, and one message tells of it', async () => {
    const cut = (world: World, { agents }: SimStage): void => {
      for (const { instanceId } of agents.slice(0, 6)) {
        world.dcos.faults.partition(instanceId, true);
      }
    };
    const ended = await play(cut, 14, { agents: 12, ...fence });
    expect(ended).toMatchObject({ holds: ['blind'], stops: 0, violations: [] });
    expect(ended.statuses).toHaveLength(2);
    expect(ended.messages).toEqual([expect.stringContaining('storm: 2 agents wait')]);
  });
});
