import { createVirtualTime, type VirtualTime } from '../../core/virtual-time.ts';
import type { MemoryHooks } from '../../services/dynamodb/memory-engine.ts';
import { createWorld, type World } from '../../world.ts';
import { createChecker } from '../checker.ts';
import type { SimEvent } from '../events.ts';
import { breakIt, leadMs, START_MS } from '../failure.ts';
import { installLeanSdk } from '../lean-sdk/install.ts';
import { judgeLiveness } from '../liveness.ts';
import { observe, observePeople } from '../observer.ts';
import { faultKind, type Plan, planFor } from '../plan.ts';
import type { Play } from '../pool.ts';
import { createSite } from '../site.ts';
import { setSimStage } from '../stage.ts';
import { watchDowntime } from './downtime.ts';
import { type GroundRule, judgeGround } from './ground-rules.ts';
import { type SystemName, systems } from './systems.ts';

/** One world, played by one system. */
export interface ControlResult {
  seed: number;
  system: SystemName;
  /** The first of each kind of violation. */
  broken: Partial<Record<GroundRule, string>>;
  /** Acknowledged rows that are gone, but for those that somebody else deleted. */
  lostRows: number;
  /** Undefined where no app with volumes fails. */
  downMs: number | undefined;
  /** The app is not back when an hour is over. */
  downAtEnd: boolean;
  /** Faults of the plan that changed something in this run. */
  struck: string[];
  /** Everything else that ebs-failover promises, of it alone. */
  promises: string[];
}

/** After this nobody waits any more. */
export const HORIZON_MS = 60 * 60_000;

const lostRows = (world: World, lostToOthers: ReadonlySet<string>): number => {
  const theirs = world.ec2
    .truth()
    .volumes.flatMap(({ volumeId, tags }) => (lostToOthers.has(volumeId) ? [tags.Name] : []));
  return world.dcos.guests
    .report()
    .filter(({ volumeName }) => !theirs.includes(volumeName))
    .reduce((sum, guest) => sum + guest.lostRows, 0);
};

const playWorld = async (
  plan: Plan,
  system: SystemName,
  time: VirtualTime,
): Promise<ControlResult> => {
  const { seed, traits } = plan;
  const { dcosVersion, parameters } = traits;
  const tables: MemoryHooks = {};
  const setting = { ...systems[system], tables, dcosVersion, parameters };
  const world = await createWorld({ seed, time, ...setting });
  const stage = setSimStage(world, traits);
  const judge = judgeGround(world, stage);
  const checker = createChecker();
  const see = (event: SimEvent): void => {
    judge.see(event);
    if (system === 'ebs-failover') checker.see(event);
  };
  const { served } = observe(world, see, time.offMs);
  observePeople(tables, time, see);
  await time.run({ until: () => false, horizonMs: leadMs(plan) });

  const struck = new Set<string>();
  const hit = (id: string): void => void struck.add(id);
  const { site, end } = createSite({ world, stage, time, hit, served });
  const failedAt = time.now();
  breakIt(plan, world, stage);
  const downtime = watchDowntime(world, stage, judge.memory);
  for (const { id, params } of plan.faults) faultKind(id).arm(site, params);
  await time.run({ until: () => false, horizonMs: plan.safetyMs });
  end();
  await time.run({ until: () => false, horizonMs: HORIZON_MS - plan.safetyMs });

  const run = { plan, world, stage, checker, failedAt };
  const late = system === 'ebs-failover' ? judgeLiveness(run) : [];
  const fails = plan.scene !== 'quiet' && stage.app.volumeIds.length > 0;
  return {
    seed,
    system,
    broken: judge.broken,
    lostRows: lostRows(world, judge.lostToOthers),
    downMs: fails ? downtime.totalMs() : undefined,
    downAtEnd: fails && downtime.isDown(),
    struck: [...struck],
    promises: [...checker.violations, ...late].map(({ invariant }) => invariant),
  };
};

/** Plays one plan by one system, an hour from the failure on. */
export const playControl = async (plan: Plan, system: SystemName): Promise<ControlResult> => {
  const time = createVirtualTime(START_MS, plan.seed);
  try {
    return await playWorld(plan, system, time);
  } finally {
    time.uninstall();
  }
};

export interface ControlRequest {
  seed: number;
  system: SystemName;
}

/** Plays one seed by one system on a thread of the pool. */
export const play: Play<ControlRequest, undefined, ControlResult> = ({ seed, system }) => {
  installLeanSdk();
  return playControl(planFor({ seed }), system);
};
