import { createVirtualTime, type VirtualTime } from '../core/virtual-time.ts';
import type { MemoryHooks } from '../services/dynamodb/memory-engine.ts';
import { createWorld, type World } from '../world.ts';
import { armApprover, askingParameters } from './approver.ts';
import { createChecker } from './checker.ts';
import type { EventOf, SimEvent } from './events.ts';
import { breakIt, leadMs, START_MS, surroundingsMs } from './failure.ts';
import { boundMs, isQuiet, isServed, judgeLiveness, owesMessage } from './liveness.ts';
import { observe, observePeople } from './observer.ts';
import { faultKind, type Plan } from './plan.ts';
import type { Violation } from './record.ts';
import type { RunEnd } from './run-end.ts';
import { createSite, type Site } from './site.ts';
import { setSimStage } from './stage.ts';

/** How one seed ended. */
export interface SeedResult {
  plan: Plan;
  violations: Violation[];
  /** Fault id -> how often it changed something. */
  hits: Record<string, number>;
  events: number;
  residual: number;
  /** Virtual time from the first second to the last. */
  simulatedMs: number;
  /** The app under test runs, where it may. */
  served: boolean;
  /** How each incident ended: `recovered`, `cancelled`, `held: <reason>`. */
  incidents: string[];
  /** How often each incident changed hands: its token at the end. */
  tokens: number[];
  /** Every reason an incident was held for, in order. */
  holds: string[];
  /** Every change a function asked for and was granted, in order: `releaseVolume DetachVolume vol-1`. */
  changes: string[];
  /** First line of every message in the channel, as it stands at the end. */
  messages: string[];
  /** One line per event, in order; only if asked for. */
  trace: string[];
}

interface PlayOptions {
  trace?: boolean;
  /** Plants what no fault of the plan does, when the failure begins. */
  arm?: (site: Site) => void;
}

/** What is over is watched for so long. */
const IDLE_MS = 45_000;
/** Calls are still on their way. */
const SETTLE_MS = 10_000;
/** Lambda tries a message again after one and two minutes, then it is a dead letter. */
const MESSAGE_MS = 240_000;

const lineOf = ({ at, kind, ...rest }: SimEvent): string =>
  `${new Date(at).toISOString()} ${kind} ${JSON.stringify(rest)}`;

/** Every text that left the service, judged once at the end. */
const saidIn = (world: World): SimEvent[] => {
  const at = world.time.now();
  const logs = world.trace
    .filter(({ text }) => text === 'log')
    .map(({ source, data }) => ({ where: `the log of ${source}`, text: String(data) }));
  const events = world.events
    .deliveries()
    .map(({ event }) => ({ where: 'an event', text: JSON.stringify(event) }));
  const histories = world.states.executions().map(({ name, input, output, cause }) => ({
    where: `execution ${name}`,
    text: [input, output, cause].join(' '),
  }));
  return [...logs, ...events, ...histories].map((said) => ({ at, kind: 'said', ...said }));
};

/** With the names of the flags that were set. */
const changeOf = ({ by, call, params, targets }: EventOf<'mutation'>): string => {
  const flags = Object.keys(params).filter((name) => params[name] === 'true');
  return [by.functionName, call, ...targets, ...flags].join(' ');
};

/** To the bound, or to where all is quiet and stays so: a late alarm, or a lost event that Lambda
 * tries again, may open another incident. */
const settle = async (run: RunEnd, time: VirtualTime, broken: () => boolean): Promise<void> => {
  const boundAt = time.now() + boundMs(run);
  do {
    const horizonMs = boundAt - time.now();
    await time.run({ until: () => broken() || isQuiet(run), horizonMs });
    if (!broken()) await time.run({ until: broken, horizonMs: SETTLE_MS });
  } while (!broken() && !isQuiet(run) && time.now() < boundAt);
};

const play = async (
  plan: Plan,
  time: VirtualTime,
  { trace: keepTrace = false, arm }: PlayOptions,
): Promise<SeedResult> => {
  const { seed, traits } = plan;
  const { approver, dcosVersion } = traits;
  const parameters = { ...traits.parameters, ...askingParameters(approver) };
  const tables: MemoryHooks = {};
  const world = await createWorld({ seed, time, dcosVersion, parameters, tables });
  const stage = setSimStage(world, traits);
  const checker = createChecker();
  const trace: string[] = [];
  const see = (event: SimEvent): void => {
    if (keepTrace) trace.push(lineOf(event));
    checker.see(event);
  };
  const { served } = observe(world, see, time.offMs);
  observePeople(tables, time, see);
  await time.run({ until: () => false, horizonMs: leadMs(plan) });

  const hits: Record<string, number> = {};
  const hit = (id: string): void => {
    hits[id] = (hits[id] ?? 0) + 1;
  };
  const { site, end, restlessUntil } = createSite({ world, stage, time, tables, hit, served });
  const begunAt = time.now();
  const run: RunEnd = { plan, world, stage, checker, failedAt: begunAt };
  breakIt(plan, world, stage);
  for (const { id, params } of plan.faults) faultKind(id).arm(site, params);
  armApprover(site, approver, checker.memory, see);
  arm?.(site);
  const broken = (): boolean => checker.violations.length > 0;
  // Once all is well and nothing planted is to come, the rest of the faults' time is empty.
  const idleFrom = (): number =>
    Math.max(restlessUntil(), begunAt + surroundingsMs(plan)) + IDLE_MS;
  const seen = (): boolean => checker.memory.incidents.size > 0;
  const spent = (): boolean => seen() && isQuiet(run) && time.now() > idleFrom();
  await time.run({ until: () => broken() || spent(), horizonMs: plan.safetyMs });
  end();
  const told = (): boolean => broken() || !owesMessage(run);
  let wasQuiet: boolean;
  do {
    await settle(run, time, broken);
    wasQuiet = isQuiet(run);
    if (!told()) await time.run({ until: told, horizonMs: MESSAGE_MS });
    // While a message was waited for, a late alarm may have opened another incident.
  } while (!broken() && wasQuiet && !isQuiet(run));
  for (const said of saidIn(world)) checker.see(said);
  const late = broken() ? [] : judgeLiveness(run);
  return {
    plan,
    violations: [...checker.violations, ...late],
    hits,
    events: checker.events,
    residual: checker.residual,
    simulatedMs: time.now() - START_MS,
    served: isServed(run),
    incidents: [...checker.memory.incidents.values()].map(({ status, holdReason }) =>
      status === 'held' ? `held: ${holdReason ?? 'no reason'}` : status,
    ),
    tokens: [...checker.memory.incidents.values()].map(({ token }) => token),
    holds: [...checker.memory.incidents.values()].flatMap(({ holds }) =>
      holds.map(({ reason }) => reason),
    ),
    changes: checker.memory.mutations.filter(({ accepted }) => accepted).map(changeOf),
    messages: world.slack.messages().map(({ text: said }) => said.split('\n')[0] ?? ''),
    trace,
  };
};

/** Plays one plan to its end. Equal plans give equal results, byte for byte. */
export const playSeed = async (plan: Plan, options: PlayOptions = {}): Promise<SeedResult> => {
  const time = createVirtualTime(START_MS, plan.seed);
  try {
    return await play(plan, time, options);
  } finally {
    time.uninstall();
  }
};
