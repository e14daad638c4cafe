import { Command, Option } from 'commander';
import { endWith, readApp, readText, strict, wholeNumber } from './command-line.ts';
import { BadInput, type GivenEvent, readGivenEvent } from './scenes/given-event.ts';
import { type Play, plays, type SceneName, sceneNames } from './scenes/plays.ts';
import type { Outcome } from './scenes/report.ts';
import type { SceneOptions } from './scenes/run.ts';
import { conclusion, introduction, lineOf } from './scenes/show.ts';

interface Arguments {
  scene: SceneName;
  agents?: number;
  event?: string;
  app?: string;
  dcos: string;
  seed: number;
  without: boolean;
  json: boolean;
}

/** A minute of the story passes in this long when somebody watches; long silences in one step. */
const WATCHED_SPEED = 8;
const WATCHED_STEP_MS = 400;
/** Nothing but retries happens for twenty minutes: they may go by faster. */
const WITHOUT_STEP_MS = 130;

/** The wall clock's own timer, taken before virtual time replaces everything of that name. */
const wallTimeout = setTimeout;
const sleepForReal = (ms: number): Promise<void> =>
  new Promise((resolve) => {
    wallTimeout(resolve, ms);
  });

const command = (): Command =>
  strict(new Command('npm start --'))
    .description('Plays the failure of an agent on the embedded cloud and shows what happens.')
    .addOption(new Option('--scene <name>', 'what fails').choices(sceneNames).default('hung'))
    .option('--event <file>', 'an EventBridge event: the world is made to fit it')
    .option('--app <file>', 'a Marathon app with external volumes instead of MySQL')
    .option('--dcos <version>', 'DC/OS release', '2.1')
    .option('--seed <n>', 'decides every duration and order', wholeNumber('--seed'), 1)
    .option('--agents <n>', 'how many fail, in a scene of many', wholeNumber('--agents'))
    .option('--without', 'the same failure without ebs-failover', false)
    .option('--json', 'one document instead of the story', false);

/** What the scene is documented to end in. */
const promised = (event: GivenEvent | undefined, { scene, without }: Arguments): Outcome => {
  if (event !== undefined && event.failure === undefined) return 'cancelled';
  if (without) return 'down';
  return event === undefined ? plays[scene].promised : 'recovered';
};

/** Options that say nothing about this scene are a mistake, not a wish. */
const refuseIdle = ({ agents, event, scene, without }: Arguments): void => {
  const play: Play = plays[scene];
  if (without && (play.begin !== undefined || play.failure === undefined)) {
    throw new BadInput(
      `--without: only hung, stopped and terminated are played without it, not ${scene}`,
    );
  }
  if (agents === undefined) return;
  if (play.crowd === undefined || event !== undefined) {
    throw new BadInput(
      `--agents: in ${event === undefined ? scene : 'the scene of an event'} one agent fails`,
    );
  }
  if (agents < 1) throw new BadInput('--agents must be 1 or more');
};

const watched = (stepMs: number): Pick<SceneOptions, 'pace'> =>
  process.stdout.isTTY
    ? {
        pace: async (untilMs) => {
          const ms = Math.min(untilMs / WATCHED_SPEED, stepMs);
          if (ms >= 1) await sleepForReal(ms);
        },
      }
    : {};

const run = async (argv: readonly string[]): Promise<number> => {
  const given = command().parse(argv, { from: 'user' }).opts<Arguments>();
  refuseIdle(given);
  const event =
    given.event === undefined ? undefined : readGivenEvent(readText(given.event), given.event);
  const options: SceneOptions = {
    scene: event?.failure ?? given.scene,
    seed: given.seed,
    dcosVersion: given.dcos,
    without: given.without,
    ...(given.agents === undefined ? {} : { agents: given.agents }),
    ...(event === undefined ? {} : { event }),
    ...(given.app === undefined ? {} : { app: readApp(given.app) }),
  };
  // Loaded once the arguments are good: it brings the whole cloud with it.
  const { playScene } = await import('./scenes/scene.ts');
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  if (given.json) {
    const report = await playScene(options);
    print(JSON.stringify(report));
    return report.outcome === promised(event, given) ? 0 : 1;
  }
  let failedAt: number | undefined;
  const tell: SceneOptions['tell'] = (line) => {
    failedAt ??= line.at;
    print(lineOf(line, failedAt));
  };
  const report = await playScene(
    { ...options, tell, ...watched(given.without ? WITHOUT_STEP_MS : WATCHED_STEP_MS) },
    (cast) => print(introduction(cast)),
  );
  print(conclusion(report));
  return report.outcome === promised(event, given) ? 0 : 1;
};

// 0: as documented, 1: another outcome, 2: bad input, nothing run.
await endWith(() => run(process.argv.slice(2)));
