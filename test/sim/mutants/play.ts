import { createVirtualTime } from '../../../emulator/core/virtual-time.ts';
import { createChecker } from '../../../emulator/sim/checker.ts';
import type { SimEvent } from '../../../emulator/sim/events.ts';
import { observe } from '../../../emulator/sim/observer.ts';
import type { Violation } from '../../../emulator/sim/record.ts';
import { createSite } from '../../../emulator/sim/site.ts';
import { plainTraits, setSimStage } from '../../../emulator/sim/stage.ts';
import { createWorld, type World } from '../../../emulator/world.ts';
import { type Trouble, type TroubleName, troubles } from './troubles.ts';

export interface Played {
  /** How the incident ended, as far as it did. */
  end: string;
  /** How often the trouble came true. */
  strikes: number;
  violations: Violation[];
}

const START_MS = Date.parse('2026-11-23T03:00:00Z');
/** One sweep, which keeps the inventory and has the volumes adopted. */
const WARM_UP_MS = 75_000;
/** The slowest trouble that ends well does so before this. */
const HORIZON_MS = 12 * 60_000;
/** Calls still on their way, and messages. */
const SETTLE_MS = 15_000;
const HELD_MS = 120_000;

const outputOf = (output: string | undefined): string =>
  (JSON.parse(output ?? '{}') as { status?: string }).status ?? 'joined';

const endOf = (world: World): string | undefined => {
  const executions = world.states.executions();
  if (executions.some(({ status }) => status === 'RUNNING')) return undefined;
  const ends = executions.map(({ status, output }) => {
    return status === 'SUCCEEDED' ? outputOf(output) : status;
  });
  return ends.find((end) => ['recovered', 'cancelled'].includes(end));
};

/** What leaves the service as text: logs, dead letters, histories. */
const said = (world: World, at: number): SimEvent[] => [
  ...world.trace
    .filter(({ text }) => text === 'log')
    .map(({ source, data }) => ({
      at,
      kind: 'said' as const,
      where: `the log of ${source}`,
      text: JSON.stringify(data),
    })),
  ...world.states.executions().map(({ name, history }) => ({
    at,
    kind: 'said' as const,
    where: `the history of ${name}`,
    text: JSON.stringify(history),
  })),
];

const judgeEnd = (end: string, expected: Trouble['ends'], name: TroubleName, at: number) => {
  if (end === expected) return [];
  const invariant = name === 'mute' ? 'S14' : name === 'unprotected' ? 'L5' : 'L4';
  return [{ invariant, at, says: `the incident ends ${end}, not ${expected}` }];
};

/**
 * One hung agent and the trouble, from a healthy cluster to the end, under the checker; or to the
 * first violation of an invariant that is `awaited`.
 */
export const play = async (
  name: TroubleName,
  seed: number,
  awaited: readonly string[] = [],
): Promise<Played> => {
  const trouble: Trouble = troubles[name];
  const time = createVirtualTime(START_MS, seed);
  try {
    const traits = { ...plainTraits, ...trouble.traits };
    const { parameters } = traits;
    const world = await createWorld({ seed, time, parameters, tables: {} });
    const checker = createChecker();
    const { served } = observe(world, checker.see);
    const stage = setSimStage(world, traits);
    let strikes = 0;
    const { site } = createSite({ world, stage, time, served, hit: () => void strikes++ });
    await time.run({ until: () => false, horizonMs: WARM_UP_MS });
    trouble.arm(site);
    world.ec2.hang(stage.failing.instanceId);
    let heldAt: number | undefined;
    world.states.onTransition(({ kind, state }) => {
      if (kind === 'StateEntered' && state === 'HoldIncident') heldAt ??= time.now();
    });
    const isHeld = (): boolean =>
      trouble.ends === 'held' && heldAt !== undefined && time.now() - heldAt >= HELD_MS;
    const isFound = (): boolean =>
      checker.violations.some(({ invariant }) => awaited.includes(invariant));
    const until = (): boolean => isFound() || endOf(world) !== undefined || isHeld();
    const horizonMs = trouble.horizonMs ?? HORIZON_MS;
    await time.run({ until, horizonMs });
    await time.run({ until: isFound, horizonMs: SETTLE_MS });
    const at = time.now();
    for (const event of said(world, at)) checker.see(event);
    const end = endOf(world) ?? (heldAt === undefined ? 'open' : 'held');
    const atEnd = isFound() ? [] : judgeEnd(end, trouble.ends, name, at);
    const violations = [...checker.violations, ...atEnd];
    return { end, strikes, violations };
  } finally {
    time.uninstall();
  }
};
