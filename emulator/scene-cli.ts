import { Command, Option } from 'commander';
import { endWith, readApp, readText, strict, wholeNumber } from './command-line.ts';
import { type Failure, type GivenEvent, readGivenEvent } from './scenes/given-event.ts';
import type { Outcome } from './scenes/report.ts';
import type { SceneOptions } from './scenes/scene.ts';
import { conclusion, introduction, lineOf } from './scenes/show.ts';

interface Arguments {
  scene: Failure;
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
    .addOption(
      new Option('--scene <name>', 'what fails')
        .choices(['hung', 'stopped', 'terminated'])
        .default('hung'),
    )
    .option('--event <file>', 'an EventBridge event: the world is made to fit it')
    .option('--app <file>', 'a Marathon app with external volumes instead of MySQL')
    .option('--dcos <version>', 'DC/OS release', '2.1')
    .option('--seed <n>', 'decides every duration and order', wholeNumber('--seed'), 1)
    .option('--without', 'the same failure without ebs-failover', false)
    .option('--json', 'one document instead of the story', false);

const sceneOf = (event: GivenEvent | undefined, scene: Failure): Failure => event?.failure ?? scene;

/** What the scene is documented to end in. */
const promised = (event: GivenEvent | undefined, without: boolean): Outcome => {
  if (event !== undefined && event.failure === undefined) return 'cancelled';
  return without ? 'down' : 'recovered';
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
  const event =
    given.event === undefined ? undefined : readGivenEvent(readText(given.event), given.event);
  const options: SceneOptions = {
    scene: sceneOf(event, given.scene),
    seed: given.seed,
    dcosVersion: given.dcos,
    without: given.without,
    ...(event === undefined ? {} : { event }),
    ...(given.app === undefined ? {} : { app: readApp(given.app) }),
  };
  // Loaded once the arguments are good: it brings the whole cloud with it.
  const { playScene } = await import('./scenes/scene.ts');
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  if (given.json) {
    const report = await playScene(options);
    print(JSON.stringify(report));
    return report.outcome === promised(event, given.without) ? 0 : 1;
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
  return report.outcome === promised(event, given.without) ? 0 : 1;
};

// 0: as documented, 1: another outcome, 2: bad input, nothing run.
await endWith(() => run(process.argv.slice(2)));
