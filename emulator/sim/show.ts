import picocolors from 'picocolors';
import type { Found, Summary } from './run.ts';
import type { SeedResult } from './seed.ts';

/** Colours only where a person sees them. */
const pc = picocolors.createColors(process.stdout.isTTY === true && picocolors.isColorSupported);

/** Five ids and their counts fit into a terminal of 80 columns. */
const IDS_PER_LINE = 5;
const ID_WIDTH = 7;
const COUNT_WIDTH = 6;

const number = (value: number): string => value.toLocaleString('en-US');

const duration = (ms: number): string => {
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${seconds % 60} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
};

/** One world on one line: what was planned and how it ended. */
export const seedLine = ({ plan, incidents, violations }: SeedResult): string => {
  const faults = plan.faults.map(({ id, params }) => `${id}${JSON.stringify(params)}`);
  const end = violations.length > 0 ? pc.red('VIOLATION') : incidents.join(', ') || 'no incident';
  return `${plan.seed} ${plan.scene} [${faults.join(' ')}] ${end}`;
};

/** How far a long run has come, for a terminal's one moving line. */
export const progressLine = (done: number, all: number, wallMs: number, broken: number): string => {
  const left = done === 0 ? '' : `, ${duration((wallMs / done) * (all - done))} left`;
  const rate = Math.round(done / (wallMs / 60_000));
  const found = broken === 0 ? 'no violation' : pc.red(`${broken} broken`);
  return `${number(done)} of ${number(all)} seeds, ${number(rate)} a minute, ${found}${left}`;
};

const foundLines = (found: Found, commit: string): string =>
  [
    pc.red(`${found.invariant} broken in seed ${found.seed}, commit ${commit}: ${found.says}`),
    `  faults   ${found.faults.join(' ') || 'none'}`,
    `  shrunk   ${found.shrunk.join(' ') || 'none'}`,
    `  replay   ${found.replay}`,
  ].join('\n');

const hitTable = (faults: Summary['faults']): string[] => {
  const cells = Object.entries(faults).map(([id, count]) => {
    const text = `${id.padEnd(ID_WIDTH)}${String(count).padStart(COUNT_WIDTH)}`;
    return count === 0 ? pc.dim(text) : text;
  });
  const lines = Math.ceil(cells.length / IDS_PER_LINE);
  return Array.from(
    { length: lines },
    (_, line) => ` ${cells.slice(line * IDS_PER_LINE, (line + 1) * IDS_PER_LINE).join('  ')}`,
  );
};

/** The end of a run: what was played, what struck, what broke. */
export const summaryText = (summary: Summary, commit: string): string => {
  const { seeds, events, simulatedHours, wallMs, residual, threads } = summary;
  const { violations, unexplained, faults, missed, pending } = summary;
  const rate = seeds / (wallMs / 60_000);
  const end =
    violations.length === 0
      ? pc.green('no violation')
      : pc.red(`${violations.length + unexplained} seeds broke a promise`);
  return [
    ...violations.map((found) => foundLines(found, commit)),
    '',
    `${number(seeds)} seeds, ${number(events)} events, ${number(simulatedHours)} simulated hours`,
    `${duration(wallMs)}: ${number(Math.round(rate))} seeds a minute, ` +
      `${number(Math.round(rate / threads))} for each of ${threads} threads`,
    `${residual} moments inside the window that EC2 leaves; commit ${commit}`,
    '',
    `how often each of ${Object.keys(faults).length} faults struck (${pending.length} pending):`,
    ...hitTable(faults),
    '',
    ...(missed.length > 0 ? [pc.red(`never struck: ${missed.join(' ')}`)] : []),
    end,
  ].join('\n');
};
