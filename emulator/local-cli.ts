import { Command } from 'commander';
import { endWith, readApp, setting, strict, wholeNumber } from './command-line.ts';
import { follow } from './local-news.ts';
import { type Local, startLocal } from './local-server.ts';
import { newsLine, welcome } from './local-show.ts';
import { BadInput } from './scenes/given-event.ts';
import { setStage } from './scenes/stage.ts';

interface Arguments {
  port: number;
  seed: number;
  dcos: string;
  app?: string;
  set: Readonly<Record<string, string>>;
}

const command = (): Command =>
  strict(new Command('npm run local --'))
    .description('Keeps the embedded cloud up on one port of 127.0.0.1 until Ctrl-C.')
    .option('--port <n>', 'of 127.0.0.1; 0 takes a free one', wholeNumber('--port', 65_535), 4566)
    .option('--seed <n>', 'decides ids and durations', wholeNumber('--seed'), 1)
    .option('--dcos <version>', 'DC/OS release', '2.1')
    .option('--app <file>', 'a Marathon app with external volumes instead of MySQL')
    .option('--set <name=value>', 'a parameter of the deployment; may be given again', setting, {});

const print = (text: string): void => void process.stdout.write(`${text}\n`);

/** The world's own first minute at once: volumes adopted, the inventory written. */
const settle = async ({ world }: Local): Promise<void> => {
  for (const key of ['adopt', 'sweep']) {
    const spec = world.lambda.find(key);
    if (spec === undefined) throw new Error(`no function is called ${key}`);
    const outcome = await world.lambda.invoke(spec, '{}');
    if (!outcome.ok) throw new Error(`${key}: ${outcome.failure.errorMessage}`);
  }
};

const start = async ({ port, seed, dcos, set }: Arguments): Promise<Local> => {
  try {
    return await startLocal({ port, seed, dcosVersion: dcos, parameters: set });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code !== 'EADDRINUSE' && code !== 'EACCES') throw error;
    const why = code === 'EACCES' ? 'may not be used' : 'is in use';
    const message = `port ${port} ${why}: end what holds it, or choose another with --port N`;
    throw new BadInput(message, { cause: error });
  }
};

const interrupted = (): Promise<unknown> =>
  new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, resolve);
  });

const run = async (argv: readonly string[]): Promise<number> => {
  const given = command().parse(argv, { from: 'user' }).opts<Arguments>();
  const app = given.app === undefined ? {} : { app: readApp(given.app) };
  const stopped = interrupted();
  const local = await start(given);
  try {
    const stage = setStage(local.world, { group: true, alarms: true, ...app });
    await settle(local);
    print(welcome(local, stage));
    follow(local.world, (news) => print(newsLine(news)));
    await stopped;
  } finally {
    await local.close();
  }
  print('The cloud is down.');
  return 0;
};

await endWith(() => run(process.argv.slice(2)));
