import Table from 'cli-table3';
import picocolors from 'picocolors';
import type { Report } from './report.ts';
import type { Cast } from './scene.ts';
import type { Line, Tone } from './story.ts';

/** Colours only where a person sees them: a file or a pipe gets none, whatever else is set. */
const pc = picocolors.createColors(process.stdout.isTTY === true && picocolors.isColorSupported);

/** Everything a person sees fits into a terminal of this many columns. */
const COLUMNS = 80;
const TIME_WIDTH = 9;
const WHO_WIDTH = 9;

const paint: Readonly<Record<Tone, (text: string) => string>> = {
  plain: (text) => text,
  bad: pc.red,
  good: pc.green,
  strong: pc.bold,
  dim: pc.dim,
};

const wrap = (text: string, width: number): string[] => {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line.length + word.length + 1 > width && line !== '') {
      lines.push(line);
      line = '';
    }
    line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
};

/** ` +12.3 s  ec2       i-... is stopped`, the time counted from the failure. */
export const lineOf = ({ at, who, text, tone }: Line, failedAt: number): string => {
  const seconds = `+${((at - failedAt) / 1000).toFixed(1)} s`.padStart(TIME_WIDTH);
  const stamp = who === '' ? ' '.repeat(TIME_WIDTH) : seconds;
  const indent = TIME_WIDTH + WHO_WIDTH + 3;
  const [first = '', ...rest] = wrap(text, COLUMNS - indent - (who === '' ? 2 : 0));
  const lead = who === '' ? '  ' : '';
  const head = `${pc.dim(stamp)}  ${pc.cyan(who.padEnd(WHO_WIDTH))} ${lead}${paint[tone](first)}`;
  const tail = rest.map((more) => `${' '.repeat(indent)}${lead}${paint[tone](more)}`);
  return [head, ...tail].join('\n');
};

const plainTable = (head: readonly string[]): Table.Table =>
  new Table({
    head: head.map((title) => pc.bold(title)),
    style: { head: [], border: [], compact: true },
    chars: {
      ...{ top: '', 'top-mid': '', 'top-left': '', 'top-right': '' },
      ...{ bottom: '', 'bottom-mid': '', 'bottom-left': '', 'bottom-right': '' },
      ...{ left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '' },
      middle: '  ',
    },
  });

const seconds = (ms: number | null | undefined): string =>
  ms === null || ms === undefined ? '-' : `${(ms / 1000).toFixed(1)} s`;

/** The agent before it fails: fencing takes everything on it down. */
export const introduction = ({ stage, tasks, volumes }: Cast): string => {
  const { failing, agents, zone } = stage;
  const table = plainTable(['on the agent that will fail', '']);
  for (const { appId, local } of tasks) {
    table.push([`task ${appId}`, local ? 'local persistent volume: holds the incident' : '']);
  }
  for (const { volumeId, name, device } of volumes) table.push([`${volumeId}  ${name}`, device]);
  return [
    `${agents.length} agents in ${zone}; ${failing.instanceId} (${failing.privateIp}) will fail.`,
    'Fencing it takes down everything on it:',
    '',
    table.toString(),
    '',
  ].join('\n');
};

const outcomeLine = ({ outcome, phasesMs, apps, retries }: Report): string => {
  const [app] = apps;
  switch (outcome) {
    case 'recovered':
      return pc.green(
        `RECOVERED  ${app?.id} is healthy on ${app?.toHost}` +
          (phasesMs === null ? '' : ` after ${seconds(phasesMs.total)}`),
      );
    case 'down':
      return pc.red(
        app?.healthy
          ? `DOWN  ${app.id} was away for more than five minutes before DC/OS moved it`
          : `DOWN  ${app?.id}: ${retries.failedLaunches} launches failed, nobody helped`,
      );
    case 'held':
      return pc.yellow('HELD  waiting for a person or for the facts to change');
    case 'cancelled':
      return pc.green('CANCELLED  nothing had failed, nothing was touched');
    case 'failed':
      return pc.red('FAILED  the outcome the scene promises was not reached');
  }
};

const phasesTable = ({ phasesMs, floorMs, overheadMs }: Report): string => {
  if (phasesMs === null) return '';
  const table = plainTable(['detect', 'fence', 'release', 'hand-off', 'recover', 'total']);
  const { detect, fence, release, handOff, recover, total } = phasesMs;
  table.push([detect, fence, release, handOff, recover, total].map(seconds));
  const above =
    floorMs === null
      ? ''
      : `\nEC2 and DC/OS alone need ${seconds(floorMs)}; above that floor: ${seconds(overheadMs)}`;
  return `${table.toString()}${above}\n`;
};

const proofTable = ({ fence, volumes }: Report): string => {
  if (fence === null) return '';
  const proof = plainTable(['fence proof', 'state', 'launched']);
  for (const { at, state, launchTime } of fence.proof) proof.push([at, state, launchTime]);
  const moved = plainTable(['volume', 'name', 'epoch', 'now with']);
  for (const { volumeId, name, epoch, toInstanceId } of volumes) {
    moved.push([volumeId, name, epoch, toInstanceId ?? '-']);
  }
  return `fence: ${fence.method}, ${fence.strength}\n${proof}\n\n${moved}\n`;
};

const callsLine = ({ calls }: Report): string => {
  const text = Object.entries(calls)
    .flatMap(([service, operations]) =>
      Object.entries(operations).map(([name, n]) => `${service} ${name} ${n}`),
    )
    .join(', ');
  return text === '' ? '' : wrap(`calls: ${text}`, COLUMNS).join('\n');
};

/** What became of all of them, where many fail together. */
const crowdLine = ({ incidents, messages }: Report): string => {
  if (incidents === undefined) return '';
  const counts = Object.entries(incidents).map(([how, n]) => `${n} ${how}`);
  return wrap(`incidents: ${counts.join(', ')}; messages: ${messages}`, COLUMNS).join('\n');
};

const foundLine = ({ foundMs }: Report): string =>
  foundMs === undefined ? '' : `no event told of it: found by the sweep after ${seconds(foundMs)}`;

/** The end of the story: outcome, times, proof, volumes, rows, calls. */
export const conclusion = (report: Report): string => {
  const { data, apps, retries } = report;
  const [app] = apps;
  const rows =
    `rows: ${data.rowsBefore} before, ${data.rowsAfter} after, ${data.lostRows} lost, ` +
    `${data.foreignWrites} foreign writes`;
  const host = app === undefined ? '' : `host: ${app.fromHost} -> ${app.toHost ?? 'none'}`;
  const retried =
    retries.failedLaunches === 0
      ? ''
      : `${retries.failedLaunches} launches failed; the longest pause between two was ` +
        seconds(retries.longestPauseMs);
  return ['', outcomeLine(report), '', phasesTable(report), proofTable(report), host, rows]
    .concat(retried, foundLine(report), crowdLine(report), callsLine(report))
    .filter((part, index, all) => part !== '' || all[index - 1] !== '')
    .join('\n');
};
