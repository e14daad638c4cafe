import { execFileSync } from 'node:child_process';
import { Command, Option } from 'commander';
import { endWith, strict, wholeNumber } from '../command-line.ts';
import { BadInput } from '../scenes/given-event.ts';
import { type Scene, scenes } from './fault.ts';
import type { Summary } from './run.ts';
import { type Sdk, sdks } from './sdk.ts';
import { progressLine, seedLine, summaryText } from './show.ts';

interface Arguments {
  seeds: string;
  scenario?: Scene;
  faults?: string;
  sdk: Sdk;
  controls: boolean;
  minutes?: number;
  json: boolean;
  trace: boolean;
}

/** `7` or `1..300`, both ends included. Throws BadInput. */
const readSeeds = (text: string): { from: number; to: number } => {
  const [, first, last = first] = /^(\d+)(?:\.\.(\d+))?$/.exec(text) ?? [];
  const [from, to] = [Number(first), Number(last)];
  if (first === undefined || to < from || !Number.isSafeInteger(to)) {
    throw new BadInput(`--seeds takes A..B or one number, not '${text}'`);
  }
  return { from, to };
};

/** `EV-01,EC-03`; `none` for a world in which only the scene happens. Throws BadInput. */
const readFaults = (text: string, known: readonly string[]): string[] => {
  const ids = text === 'none' ? [] : text.split(',');
  const unknown = ids.find((id) => !known.includes(id));
  if (unknown !== undefined) throw new BadInput(`--faults: ${unknown} cannot be injected`);
  return ids;
};

const command = (): Command =>
  strict(new Command('npm run sim --'))
    .description('Plays seeded worlds full of faults and checks every promise after every event.')
    .option('--seeds <a..b>', 'which worlds', '1..100')
    .addOption(new Option('--scenario <name>', 'what fails').choices([...scenes]))
    .option('--faults <list>', 'these in every world, not drawn ones; none: only the failure')
    .addOption(
      new Option('--sdk <name>', 'what the functions speak with').choices(sdks).default('lean'),
    )
    .option('--controls', 'the same worlds by what people use without ebs-failover', false)
    .option('--minutes <n>', 'begin no further world after so long', wholeNumber('--minutes'))
    .option('--json', 'one document instead of lines', false)
    .option('--trace', 'write every event of every world', false);

/** Which code was judged; a copy without history has no commit. */
const commitOf = (): string => {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'unknown';
  }
};

/** More worlds than a person reads line by line. */
const LISTED_MAX = 100;
/** How often a run that nobody watches says how far it is. */
const NEWS_MS = 60_000;

/** On a terminal one moving line, elsewhere one line a minute; on stderr, beside the result. */
const createProgress = (all: number): { tell(broken: number): void; end(): void } => {
  const { stderr } = process;
  const begun = performance.now();
  let [done, nextAt] = [0, NEWS_MS];
  return {
    tell: (broken) => {
      done += 1;
      const wallMs = performance.now() - begun;
      const line = progressLine(done, all, wallMs, broken);
      if (stderr.isTTY) stderr.write(`\r\x1b[K${line}`);
      else if (wallMs >= nextAt) stderr.write(`${line}\n`);
      if (wallMs >= nextAt) nextAt += NEWS_MS;
    },
    end: () => void (stderr.isTTY && stderr.write('\r\x1b[K')),
  };
};

const print = (text: string): void => void process.stdout.write(`${text}\n`);

const runControls = async (
  { from, to }: { from: number; to: number },
  json: boolean,
): Promise<number> => {
  const { compare, table } = await import('./controls/compare.ts');
  const rows = await compare({ seeds: Array.from({ length: to - from + 1 }, (_, i) => from + i) });
  print(json ? JSON.stringify({ systems: rows }) : table(rows));
  const broken = rows.flatMap(({ promises }) => promises);
  if (broken.length > 0) process.stderr.write(`ebs-failover broke ${broken.join(', ')}\n`);
  return broken.length > 0 ? 1 : 0;
};

const run = async (argv: readonly string[]): Promise<number> => {
  const given = command().parse(argv, { from: 'user' }).opts<Arguments>();
  const range = readSeeds(given.seeds);
  if (given.controls) return runControls(range, given.json);
  // Loaded once the arguments are good: it brings the whole cloud with it.
  const { faultKinds } = await import('./plan.ts');
  const { runSeeds } = await import('./run.ts');
  const known = faultKinds.map(({ id }) => id);
  const all = range.to - range.from + 1;
  const listed = !given.json && (given.trace || all <= LISTED_MAX);
  const progress = listed ? undefined : createProgress(all);
  const begun = performance.now();
  let broken = 0;
  const totals = await runSeeds({
    ...range,
    trace: given.trace,
    isOver: () => performance.now() - begun > (given.minutes ?? Infinity) * 60_000,
    sdk: given.sdk,
    ...(given.scenario === undefined ? {} : { scene: given.scenario }),
    ...(given.faults === undefined ? {} : { faults: readFaults(given.faults, known) }),
    onSeed: (result) => {
      if (result.violations.length > 0) broken += 1;
      progress?.tell(broken);
      for (const line of given.json ? [] : result.trace) print(line);
      if (listed) print(seedLine(result));
    },
  });
  progress?.end();
  const summary: Summary = { ...totals, wallMs: Math.round(performance.now() - begun) };
  print(given.json ? JSON.stringify(summary) : summaryText(summary, commitOf()));
  return summary.violations.length + summary.missed.length > 0 ? 1 : 0;
};

// 0: every promise kept and every fault met, 1: not so, 2: bad input, nothing run.
await endWith(() => run(process.argv.slice(2)));
