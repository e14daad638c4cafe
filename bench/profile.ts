import { type Profiler, Session } from 'node:inspector/promises';
import { Command } from 'commander';
import { endWith, strict, wholeNumber } from '../emulator/command-line.ts';
import { playScene } from '../emulator/scenes/scene.ts';

/*
 * What one simulated failover (scene `hung`, world creation included) costs the processor, and
 * which code spends it: node bench/profile.ts. Processor time of a busy machine counts more than
 * that of a quiet one, so a fixed piece of work is timed beside it.
 */

/** So many failovers make the process warm: modules imported, hot code compiled. */
const WARM_UP = 3;
const YARDSTICK_ROUNDS = 100_000_000;
const LINES = 16;

const cpuMs = async (work: () => unknown): Promise<number> => {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1_000;
};

/** Arithmetic alone: the same work on every machine and in every run. */
const yardstick = (): number => {
  let hash = 0x811c9dc5;
  for (let i = 0; i < YARDSTICK_ROUNDS; i++) hash = Math.imul(hash ^ i, 0x01000193);
  return hash;
};

const failovers = async (from: number, count: number, memory: boolean): Promise<void> => {
  for (let seed = from; seed < from + count; seed++) {
    const report = await playScene({ scene: 'hung', seed, ...(memory ? { tables: {} } : {}) });
    if (report.outcome !== 'recovered') throw new Error(`seed ${seed}: ${report.outcome}`);
  }
};

/** A package, a folder of ours, or the engine itself. */
const ownerOf = ({ url, functionName }: Profiler.ProfileNode['callFrame']): string => {
  const dependency = /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  if (dependency !== undefined) return dependency;
  if (url.startsWith('node:')) return url.split('/').slice(0, 2).join('/');
  const folder = /\/(src|emulator|functions)\/(?:.*\/)?[^/]+$/.exec(url)?.[1];
  return folder ?? (functionName === '' ? 'native code' : functionName);
};

/** Share of the time spent in each owner's own functions, largest first. */
const shares = ({ nodes, samples = [], timeDeltas = [] }: Profiler.Profile): [string, number][] => {
  const owners = new Map(nodes.map(({ id, callFrame }) => [id, ownerOf(callFrame)]));
  const total = timeDeltas.reduce((sum, delta) => sum + delta, 0);
  const spent = new Map<string, number>();
  for (const [index, id] of samples.entries()) {
    const owner = owners.get(id) ?? 'unknown';
    spent.set(owner, (spent.get(owner) ?? 0) + (timeDeltas[index] ?? 0) / total);
  }
  return [...spent].sort(([, a], [, b]) => b - a);
};

const profiled = async (work: () => Promise<void>): Promise<Profiler.Profile> => {
  const session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.start');
  await work();
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  return profile;
};

const main = async (): Promise<number> => {
  const command = strict(new Command('node bench/profile.ts'))
    .description('Measures what a simulated failover costs, and who spends it.')
    .option('--seeds <n>', 'how many failovers', wholeNumber('--seeds', 10_000), 20)
    .option('--dynalite', 'with dynalite instead of tables in memory', false);
  const { seeds, dynalite } = command.parse().opts<{ seeds: number; dynalite: boolean }>();
  await failovers(1, WARM_UP, !dynalite);
  const yardsticks = [await cpuMs(yardstick)];
  const each = (await cpuMs(() => failovers(1, seeds, !dynalite))) / seeds;
  yardsticks.push(await cpuMs(yardstick));
  const unit = yardsticks.reduce((sum, ms) => sum + ms, 0) / yardsticks.length;
  const profile = await profiled(() => failovers(1, seeds, !dynalite));
  const lines = [
    `${each.toFixed(0)} ms of CPU a failover, ${(60_000 / each).toFixed(0)} a minute and core`,
    `yardstick: ${unit.toFixed(0)} ms, so ${(each / unit).toFixed(2)} yardsticks a failover`,
    ...shares(profile)
      .slice(0, LINES)
      .map(([owner, share]) => `${(share * 100).toFixed(1).padStart(5)} %  ${owner}`),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return 0;
};

await endWith(main);
