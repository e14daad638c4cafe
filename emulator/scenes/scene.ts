import { createVirtualTime, type VirtualTime } from '../core/virtual-time.ts';
import { createWorld } from '../world.ts';
import { runToTheEnd } from './ending.ts';
import { floorOf, isChecked, RUNNING_IS_HEALTHY_MS } from './floor.ts';
import { readIncidents, readLedger } from './ledger-view.ts';
import { type Play, plays } from './plays.ts';
import { type Observed, type Report, reportOf } from './report.ts';
import { isOf, type Run, type SceneOptions } from './run.ts';
import { type Stage, setStage } from './stage.ts';
import { narrate } from './story.ts';

const START_MS = Date.parse('2026-11-23T03:00:00Z');
/** Two sweeps: the first adopts the volumes, the second knows the inventory. */
const WARM_UP_MS = 130_000;
/** From a kernel hang to the alarm, about. */
const ALARM_AFTER_MS = 200_000;
/** The hung kernel would come back to life by then. */
const THAW_MS = 25 * 60_000;
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
  const { world, stage, time, failure, play } = run;
  const { instanceId } = stage.failing;
  play?.begin?.({ world, stage });
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
    .filter(({ appId }) => isOf(stage, appId))
    .reduce((sum, guest) => sum + guest.rowsAcknowledged, 0);

/** How many fail beside the first one, if many do. */
const crowdOf = (play: Play | undefined, { agents }: SceneOptions): { crowd?: number } =>
  play?.crowd === undefined ? {} : { crowd: (agents ?? play.crowd + 1) - 1 };

const playOf = ({ event, scene }: SceneOptions): Play | undefined =>
  event === undefined ? plays[scene] : undefined;

const open = async (options: SceneOptions, time: VirtualTime): Promise<Run> => {
  const { event, seed, app } = options;
  const play = playOf(options);
  const failure = event === undefined ? play?.failure : event.failure;
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
    ...play?.stage,
    ...crowdOf(play, options),
    ...(event?.instanceId === undefined ? {} : { instanceId: event.instanceId }),
    ...(app === undefined ? {} : { app }),
  });
  const run: Run = {
    time,
    world,
    stage,
    options,
    failure,
    play,
    failedAt: 0,
    healthyAt: undefined,
    failedLaunches: [],
    rowsBefore: 0,
  };
  options.prepare?.(world, stage);
  return run;
};

const leadOf = (options: SceneOptions): number => {
  const { event, seed } = options;
  // Not always at the same second of a minute: checks and sweeps run by the minute.
  const offsetMs = event === undefined ? (Math.abs(seed) * 7_919) % 60_000 : 0;
  return (playOf(options)?.leadMs ?? WARM_UP_MS) + offsetMs;
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
  const ledger = options.without
    ? { incident: undefined, volumes: [] }
    : await time.busy(readLedger(world, stage.failing.instanceId));
  const deliveredAt = firstDelivery(run);
  // No event told of it: what the sweep found begins with the incident.
  const foundAt = deliveredAt === undefined ? ledger.incident?.openedAt : undefined;
  const signalAt = deliveredAt ?? foundAt;
  const seen: Observed = {
    scene: run.play === undefined ? (run.failure ?? 'none') : options.scene,
    seed: options.seed,
    outcome,
    failedAt: run.failedAt,
    signalAt,
    healthyAt: run.healthyAt,
    floorMs:
      signalAt === undefined || run.failure === undefined ? undefined : floorOf(run, signalAt),
    rowsBefore: run.rowsBefore,
    failedLaunches: run.failedLaunches,
  };
  const report = reportOf(world, stage, ledger, seen);
  const found = foundAt === undefined ? {} : { foundMs: foundAt - run.failedAt };
  if (stage.crowd.length === 0) return { ...report, ...found };
  const incidents = await time.busy(readIncidents(world));
  return { ...report, ...found, incidents, messages: world.slack.messages().length };
};

const opening = ({ play, failure, stage }: Run): string => {
  const told = play ?? (failure === undefined ? undefined : plays[failure]);
  return told?.opening(stage.failing.instanceId) ?? 'nothing fails; the event comes all the same';
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
