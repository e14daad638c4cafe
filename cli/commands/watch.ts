import type { Status } from '../../src/contracts/look.ts';
import { positive } from '../arguments.ts';
import { changesBetween } from '../changes.ts';
import { type Context, look } from '../context.ts';
import { Problem } from '../problem.ts';
import { hang, type Terminal } from '../terminal.ts';
import { showStatus } from '../views/status.ts';
import { timeOf } from '../words.ts';
import type { Define } from './reading.ts';

/** So many of the last changes stand below the picture. */
const newsMax = 8;
/** To the upper left corner, and nothing below what follows. */
const clear = '\u001b[H\u001b[2J\u001b[3J';

interface Options {
  readonly interval: number;
  readonly looks?: number;
}

const newsOf = (before: Status | undefined, after: Status, { columns, paint }: Terminal) =>
  (before === undefined ? [] : changesBetween(before, after)).map((says) =>
    hang(`${paint.dim(timeOf(after.at))}  `, says, columns),
  );

/** One look: a picture where somebody watches, else what has changed; programs get documents. */
const printLook = (
  { json, terminal }: Context,
  before: Status | undefined,
  after: Status,
  news: string[],
): void => {
  const fresh = newsOf(before, after, terminal);
  if (json) {
    if (before === undefined || fresh.length > 0) terminal.print(JSON.stringify(after));
  } else if (terminal.isWatched) {
    news.push(...fresh);
    news.splice(0, Math.max(0, news.length - newsMax));
    const below = news.length === 0 ? '' : `\n\n${news.join('\n')}`;
    terminal.print(`${clear}${showStatus(after, terminal)}${below}`);
  } else if (before === undefined) terminal.print(showStatus(after, terminal));
  else for (const line of fresh) terminal.print(line);
};

/** A look that fails is told, and the next one made: a watch outlasts a bad minute. */
const lookOrTell = async (context: Context): Promise<Status | undefined> => {
  try {
    return await look(context, { view: 'status' }, 'status');
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    context.terminal.tell(error.message);
    return undefined;
  }
};

export const defineWatch = (define: Define): void => {
  define('watch', 'the cluster, live, until Ctrl-C', async (context: Context, options: Options) => {
    const news: string[] = [];
    // The first look must succeed: what is wrong with it will not change.
    let before = await look(context, { view: 'status' }, 'status');
    printLook(context, undefined, before, news);
    for (let n = 1; options.looks === undefined || n < options.looks; n += 1) {
      await context.sleep(options.interval * 1_000);
      const after = await lookOrTell(context);
      if (after === undefined) continue;
      printLook(context, before, after, news);
      before = after;
    }
  })
    .option('--interval <seconds>', 'from look to look', positive, 3)
    .option('--looks <n>', 'end after so many', positive);
};
