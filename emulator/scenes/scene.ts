import { createVirtualTime, type VirtualTime } from '../core/virtual-time.ts';
import type { MemoryHooks } from '../services/dynamodb/memory-engine.ts';
import { createWorld, type World } from '../world.ts';
import type { Failure, GivenEvent } from './given-event.ts';
import { readLedger } from './ledger-view.ts';
import { type Observed, type Outcome, type Report, reportOf } from './report.ts';
import { type Stage, setStage } from './stage.ts';
import { type Line, narrate } from './story.ts';

export interface SceneOptions {
  scene: Failure;
  seed: number;
  /** A document somebody has at hand: decides account, region, instance, time and failure. */
  event?: GivenEvent;
  /** A Marathon app instead of the catalog's MySQL. */
  app?: object;
  dcosVersion?: string;
  /** Leave DC/OS and EC2 alone with the failure. */
  without?: boolean;
  /** Every function starts cold when the signal comes. */
  cold?: boolean;
  /** Tables in plain memory, with these hooks, instead of dynalite's. */
  tables?: MemoryHooks;
  tell?: (line: Line) => void;
  /** Awaited before each jump in time, with the milliseconds about to pass. */
  pace?: (untilMs: number) => Promise<void> | void;
  /** Last chance to change the world before time runs: a test breaks it here. */
  prepare?: (world: World, stage: Stage) => void;
}

const START_MS = Date.parse('2026-11-23T03:00:00Z');
/** Two sweeps: the first adopts the volumes, the second knows the inventory. */
const WARM_UP_MS = 130_000;
/** From a kernel hang to the alarm, about. */
const ALARM_AFTER_MS = 200_000;
const HORIZON_MS = 30 * 60_000;
/** A person would be looking by now: what is held then is the outcome. */
const HELD_MS = 5 * 60_000;
/** DC/OS itself waits five minutes for a silent agent; an outage above that is one. */
const OUTAGE_MS = 5 * 60_000;
const WITHOUT_MS = 20 * 60_000;
/** The hung kernel would come back to life by then. */
const THAW_MS = 25 * 60_000;
const SETTLE_MS = 3_000;

/** What one run remembers while it goes. */
interface Run {
  time: VirtualTime;
  world: World;
  stage: Stage;
  options: SceneOptions;
  failure: Failure | undefined;
  failedAt: number;
  healthyAt: number | undefined;
  failedLaunches: number[];
  rowsBefore: number;
}

const isIntake = (targetArn: string): boolean => targetArn.endsWith('-intake');

const firstDelivery = ({ world, failedAt, stage }: Run): number | undefined =>
  world.events
    .deliveries()
    .find(
      ({ at, targetArn, event, outcome }) =>
        outcome === 'delivered' &&
        at >= failedAt &&
        isIntake(targetArn) &&
        JSON.stringify(event.detail).includes(stage.failing.instanceId),
    )?.at;

/** An app without health checks counts as healthy after this. */
const RUNNING_IS_HEALTHY_MS = 10_000;
/** A stop that somebody else began may finish in its own way for this long, by policy. */
const FOREIGN_STOP_MS = 60_000;

const isChecked = ({ options: { app } }: Run): boolean =>
  app === undefined || 'healthChecks' in app;

/** What is left of the stop when the signal comes, by the fastest method policy allows. */
const stopLeftMs = ({ world, stage, failure, failedAt }: Run, signalAt: number): number => {
  const { durations } = world;
  const { instanceId } = stage.failing;
  const skipMs = durations.stopMs(instanceId, 'skip');
  if (failure === 'hung') return skipMs;
  const leftMs = Math.max(0, durations.stopMs(instanceId, 'graceful') - (signalAt - failedAt));
  return failure === 'stopped' ? Math.min(leftMs, FOREIGN_STOP_MS + skipMs) : leftMs;
};

/** What nobody can beat: EC2's and DC/OS's own time from the signal on. */
const floorOf = (run: Run, signalAt: number): number => {
  const { durations } = run.world;
  const { id, volumeIds } = run.stage.app;
  const detachMs = Math.max(...volumeIds.map((volumeId) => durations.detachMs(volumeId)));
  const healthyMs = isChecked(run) ? durations.attachedToHealthyMs(id) : RUNNING_IS_HEALTHY_MS;
  return (
    stopLeftMs(run, signalAt) +
    detachMs +
    durations.goneToOfferMs(id) +
    durations.launchToAttachedMs(id) +
    healthyMs
  );
};

const watch = (run: Run): void => {
  const { world, stage, time, options } = run;
  const { instanceId } = stage.failing;
  const checked = isChecked(run);
  world.dcos.onChange((change) => {
    if (!('appId' in change) || change.appId !== stage.app.id) return;
    if (change.kind === 'task' && change.state === 'TASK_FAILED') {
      run.failedLaunches.push(change.at);
    }
    const elsewhere = change.host !== stage.failing.privateIp;
    if (change.kind === 'healthy' && elsewhere) run.healthyAt ??= change.at;
    if (change.kind === 'task' && change.state === 'TASK_RUNNING' && elsewhere && !checked) {
      time.after(RUNNING_IS_HEALTHY_MS, () => {
        run.healthyAt ??= time.now();
      });
    }
  });
  if (options.tell) narrate(world, stage, instanceId, options.tell);
};

const breakIt = (run: Run): void => {
  const { world, stage, time, failure } = run;
  const { instanceId } = stage.failing;
  if (failure === 'stopped') world.ec2.stop(instanceId);
  if (failure === 'terminated') world.ec2.terminate(instanceId);
  if (failure === 'hung') {
    world.ec2.hang(instanceId);
    time.after(THAW_MS, () => {
      if (world.ec2.machine(instanceId)?.powered) world.ec2.thaw(instanceId);
    });
  }
};

const rowsOf = ({ world, stage }: Pick<Run, 'world' | 'stage'>): number =>
  world.dcos.guests
    .report()
    .filter(({ appId }) => appId === stage.app.id)
    .reduce((sum, guest) => sum + guest.rowsAcknowledged, 0);

const statusesOf = (world: World): string[] =>
  world.states.executions().map(({ status, output }) => {
    if (status !== 'SUCCEEDED') return status;
    const end: unknown = JSON.parse(output ?? '{}');
    const said = typeof end === 'object' && end !== null && 'status' in end ? end.status : 'joined';
    return String(said);
  });

/** Runs until the outcome is there: by the workflow's own end, a long hold, or nothing at all. */
const runToTheEnd = async (run: Run): Promise<Outcome> => {
  const { world, time, options, failure } = run;
  const pace = options.pace === undefined ? {} : { beforeAdvance: options.pace };
  if (options.without && failure === undefined) return 'cancelled';
  if (options.without) {
    const back = (): boolean => run.healthyAt !== undefined;
    await time.run({ until: back, horizonMs: WITHOUT_MS, ...pace });
    const quick = run.healthyAt !== undefined && run.healthyAt - run.failedAt <= OUTAGE_MS;
    return quick ? 'recovered' : 'down';
  }
  let heldSince: number | undefined;
  world.states.onTransition(({ kind, state }) => {
    if (kind !== 'StateEntered') return;
    if (state === 'HoldIncident') heldSince ??= time.now();
    if (state === 'ProtectData') heldSince = undefined;
  });
  const ended = (): boolean => {
    const statuses = statusesOf(world);
    const over = statuses.some((status) => status === 'recovered' || status === 'cancelled');
    return over && !statuses.includes('RUNNING');
  };
  const isHeld = (): boolean => heldSince !== undefined && time.now() - heldSince >= HELD_MS;
  const horizonMs = failure === undefined ? HELD_MS : HORIZON_MS;
  await time.run({ until: () => ended() || isHeld(), horizonMs, ...pace });
  // Messages are still on their way.
  if (ended()) await time.run({ until: () => false, horizonMs: SETTLE_MS, ...pace });
  const statuses = statusesOf(world);
  if (statuses.includes('recovered')) return run.healthyAt === undefined ? 'failed' : 'recovered';
  if (isHeld() || statuses.includes('held')) return 'held';
  if (statuses.includes('cancelled')) return 'cancelled';
  return statuses.length === 0 && failure === undefined ? 'cancelled' : 'failed';
};

const open = async (options: SceneOptions, time: VirtualTime): Promise<Run> => {
  const { event, seed, scene, app } = options;
  const failure = event === undefined ? scene : event.failure;
  const world = await createWorld({
    seed,
    time,
    withFailover: !options.without,
    ...(event === undefined ? {} : { account: event.account, region: event.region }),
    ...(options.dcosVersion === undefined ? {} : { dcosVersion: options.dcosVersion }),
    ...(options.tables === undefined ? {} : { tables: options.tables }),
  });
  const stage = setStage(world, {
    group: failure === 'terminated',
    alarms: event === undefined,
    ...(event?.instanceId === undefined ? {} : { instanceId: event.instanceId }),
    ...(app === undefined ? {} : { app }),
  });
  const run: Run = {
    time,
    world,
    stage,
    options,
    failure,
    failedAt: 0,
    healthyAt: undefined,
    failedLaunches: [],
    rowsBefore: 0,
  };
  options.prepare?.(world, stage);
  return run;
};

const leadOf = ({ event, seed }: SceneOptions): number => {
  // Not always at the same second of a minute: checks and sweeps run by the minute.
  const offsetMs = event === undefined ? (Math.abs(seed) * 7_919) % 60_000 : 0;
  return WARM_UP_MS + offsetMs;
};

const startOf = (options: SceneOptions): number => {
  const { event } = options;
  if (event === undefined) return START_MS;
  return event.at - leadOf(options) - (event.failure === 'hung' ? ALARM_AFTER_MS : 0);
};

const play = async (run: Run): Promise<Report> => {
  const { world, time, options, stage } = run;
  const { event } = options;
  await time.run({ until: () => false, horizonMs: leadOf(options) });
  run.failedAt = time.now();
  run.rowsBefore = rowsOf(run);
  watch(run);
  options.tell?.({ at: time.now(), who: 'scene', text: opening(run), tone: 'bad' });
  breakIt(run);
  if (event !== undefined) {
    const delayMs = event.failure === 'hung' ? ALARM_AFTER_MS : 0;
    time.after(delayMs, () => world.events.publish(event.document as never));
  }
  if (options.cold) {
    world.events.onDelivery(({ targetArn, at }) => {
      if (isIntake(targetArn) && at === firstDelivery(run)) world.lambda.coolDown();
    });
  }
  const outcome = await runToTheEnd(run);
  const signalAt = firstDelivery(run);
  const seen: Observed = {
    scene: run.failure ?? 'none',
    seed: options.seed,
    outcome,
    failedAt: run.failedAt,
    signalAt,
    healthyAt: run.healthyAt,
    floorMs: signalAt === undefined ? undefined : floorOf(run, signalAt),
    rowsBefore: run.rowsBefore,
    failedLaunches: run.failedLaunches,
  };
  const ledger = options.without
    ? { incident: undefined, volumes: [] }
    : await time.busy(readLedger(world, stage.failing.instanceId));
  return reportOf(world, stage, ledger, seen);
};

const opening = ({ failure, stage }: Run): string => {
  const { instanceId } = stage.failing;
  switch (failure) {
    case 'stopped':
      return `somebody stops ${instanceId}`;
    case 'terminated':
      return `${instanceId} is terminated`;
    case 'hung':
      return `the kernel of ${instanceId} hangs; EC2 still says running`;
    case undefined:
      return 'nothing fails; the event comes all the same';
  }
};

/** Who and what is on the failing agent before it fails: fencing takes all of it down. */
export interface Cast {
  stage: Stage;
  tasks: { appId: string; taskId: string; local: boolean }[];
  volumes: { volumeId: string; name: string; device: string }[];
}

const castOf = ({ world, stage }: Run): Cast => {
  const { instanceId } = stage.failing;
  const here = world.dcos.truth().tasks.filter((task) => task.instanceId === instanceId);
  return {
    stage,
    tasks: here.map(({ appId, taskId, localVolumes }) => ({
      appId,
      taskId,
      local: localVolumes.length > 0,
    })),
    volumes: world.ec2.volumes().flatMap(({ volumeId, name, attachments }) => {
      const attached = attachments.find((attachment) => attachment.instanceId === instanceId);
      return attached === undefined
        ? []
        : [{ volumeId, name: name ?? '(disk of the machine)', device: attached.device }];
    }),
  };
};

/**
 * Plays one scene on virtual time, from a healthy cluster to the outcome. Equal options give an
 * equal report, byte for byte. One at a time per process: the clock is the process's own.
 */
export const playScene = async (
  options: SceneOptions,
  introduce?: (cast: Cast) => void,
): Promise<Report> => {
  const time = createVirtualTime(startOf(options), options.seed);
  try {
    const run = await open(options, time);
    introduce?.(castOf(run));
    return await play(run);
  } finally {
    time.uninstall();
  }
};
