import Table from 'cli-table3';
import pc from 'picocolors';

export type Paint = Pick<
  ReturnType<typeof pc.createColors>,
  'bold' | 'cyan' | 'dim' | 'green' | 'red' | 'yellow'
>;

/** Where the command writes, and how wide and colourful that is. */
export interface Terminal {
  readonly columns: number;
  /** Somebody watches what is printed. */
  readonly isWatched: boolean;
  /** Somebody can be asked. */
  readonly canAsk: boolean;
  readonly paint: Paint;
  print(text: string): void;
  /** Progress and questions: they are no part of what was asked for. */
  tell(text: string): void;
}

/** A line longer than this is no easier to read. */
const columnsMax = 120;
const columnsUsual = 80;

/** Colours only where a person sees them: a file or a pipe gets none, whatever else is set. */
export const processTerminal = (): Terminal => {
  const { stderr, stdin, stdout } = process;
  const isWatched = stdout.isTTY === true;
  return {
    columns: Math.min(isWatched ? stdout.columns || columnsUsual : columnsUsual, columnsMax),
    isWatched,
    canAsk: stdin.isTTY === true && stderr.isTTY === true,
    paint: pc.createColors(isWatched && pc.isColorSupported),
    print: (text) => void stdout.write(`${text}\n`),
    tell: (text) => void stderr.write(`${text}\n`),
  };
};

const escapes = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g');
/** Columns it takes on the screen. */
const widthOf = (text: string): number => text.replace(escapes, '').length;

/** Breaks at spaces; a word longer than a line stays whole, so that it can be copied. */
const wrap = (text: string, width: number): readonly string[] => {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && widthOf(last) + 1 + widthOf(word) <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
    } else lines.push(word);
  }
  return lines;
};

/** The text under a head of its own, whose further lines are indented as far. */
export const hang = (head: string, text: string, columns: number): string => {
  const indent = widthOf(head);
  return wrap(text, Math.max(20, columns - indent))
    .map((line, i) => `${i === 0 ? head : ' '.repeat(indent)}${line}`)
    .join('\n');
};

const gap = 2;
const bare = Object.fromEntries(
  ['top', 'bottom', 'left', 'right', 'mid']
    .flatMap((side) => [side, ...['mid', 'left', 'right'].map((end) => `${side}-${end}`)])
    .concat('middle')
    .map((part) => [part, '']),
);

/** The last column is no use below this. */
const lastMin = 20;

const longestWordIn = (texts: readonly string[]): number =>
  Math.max(0, ...texts.flatMap((text) => text.split(/\s+/)).map(widthOf));

/** As wide as its content, for each column. */
const naturalOf = (lines: readonly (readonly string[])[]): readonly number[] =>
  (lines[0] ?? []).map((_, i) => Math.max(...lines.map((line) => widthOf(line[i] ?? ''))));

/** The indices of the columns that fit; of those that may be left out the first ones go first. */
const fittingOf = (
  natural: readonly number[],
  droppable: readonly number[],
  columns: number,
): readonly number[] => {
  let kept = natural.map((_, i) => i);
  for (const index of droppable) {
    const fixed = kept.slice(0, -1).reduce((sum, i) => sum + (natural[i] ?? 0) + gap, 0);
    if (columns - fixed >= Math.min(lastMin, natural.at(-1) ?? 0)) break;
    kept = kept.filter((i) => i !== index);
  }
  return kept;
};

/**
 * Columns without lines, as wide as their content; the last one takes what is left of the terminal
 * and wraps at words. Where too little is left, the columns `less` are left out. Readable for people,
 * and by `awk` too.
 */
export const table = (
  { columns, paint }: Pick<Terminal, 'columns' | 'paint'>,
  head: readonly string[],
  rows: readonly (readonly string[])[],
  less: readonly string[] = [],
): string => {
  const lines = [head.map((title) => paint.dim(title)), ...rows];
  const natural = naturalOf(lines);
  const kept = fittingOf(
    natural,
    less.map((title) => head.indexOf(title)),
    columns,
  );
  const fixed = kept.slice(0, -1).reduce((sum, i) => sum + (natural[i] ?? 0) + gap, 0);
  const last = lines.map((line) => line.at(-1) ?? '');
  const room = Math.max(columns - fixed, longestWordIn(last), 1);
  const drawn = new Table({
    chars: bare,
    style: { 'padding-left': 0, 'padding-right': 0, head: [], border: [], compact: true },
    colWidths: kept.map((i, at) =>
      at < kept.length - 1 ? (natural[i] ?? 0) + gap : Math.max(1, Math.min(natural[i] ?? 0, room)),
    ),
    wordWrap: true,
  });
  drawn.push(...lines.map((line) => kept.map((i) => line[i] ?? '')));
  return drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
};
