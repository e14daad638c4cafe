import { execFileSync } from 'node:child_process';
import { Command, Option } from 'commander';
import { endWith, strict } from '../command-line.ts';
import { BadInput } from '../scenes/given-event.ts';
import { type Scene, scenes } from './fault.ts';
import type { Found, Summary } from './run.ts';
import { type Sdk, sdks } from './sdk.ts';

interface Arguments {
  seeds: string;
  scenario?: Scene;
  faults?: string;
  sdk: Sdk;
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

const sayFound = (found: Found): string =>
  [
    `${found.invariant} broken in seed ${found.seed}, commit ${commitOf()}: ${found.says}`,
    `  faults   ${found.faults.join(' ') || 'none'}`,
    `  shrunk   ${found.shrunk.join(' ') || 'none'}`,
    `  replay   ${found.replay}`,
  ].join('\n');

const saySummary = (summary: Summary): string => {
  const { seeds, events, simulatedHours, wallMs, residual, violations, faults } = summary;
  const rate = Math.round(seeds / (wallMs / 60_000));
  const hits = Object.entries(faults).map(([id, count]) => `${id} ${count}`);
  return [
    ...violations.map(sayFound),
    `${seeds} seeds, ${events} events, ${simulatedHours} simulated hours, ${Math.round(wallMs)} ms`,
    `${rate} seeds a minute; residual ${residual}; pending ${summary.pending.length} faults`,
    `hits: ${hits.join(', ')}`,
    `${violations.length} violations`,
  ].join('\n');
};

const run = async (argv: readonly string[]): Promise<number> => {
  const given = command().parse(argv, { from: 'user' }).opts<Arguments>();
  const range = readSeeds(given.seeds);
  // Loaded once the arguments are good: it brings the whole cloud with it.
  const { faultKinds } = await import('./plan.ts');
  const { runSeeds } = await import('./run.ts');
  const known = faultKinds.map(({ id }) => id);
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  const begun = performance.now();
  const totals = await runSeeds({
    ...range,
    trace: given.trace,
    sdk: given.sdk,
    ...(given.scenario === undefined ? {} : { scene: given.scenario }),
    ...(given.faults === undefined ? {} : { faults: readFaults(given.faults, known) }),
    onSeed: ({ plan, incidents, violations, trace }) => {
      if (given.json) return;
      for (const line of trace) print(line);
      const faults = plan.faults.map(({ id, params }) => `${id}${JSON.stringify(params)}`);
      const end = violations.length > 0 ? 'VIOLATION' : incidents.join(', ') || 'no incident';
      print(`${plan.seed} ${plan.scene} [${faults.join(' ')}] ${end}`);
    },
  });
  const summary: Summary = { ...totals, wallMs: Math.round(performance.now() - begun) };
  print(given.json ? JSON.stringify(summary) : saySummary(summary));
  return summary.violations.length > 0 ? 1 : 0;
};

// 0: every promise kept, 1: a violation, 2: bad input, nothing run.
await endWith(() => run(process.argv.slice(2)));
