import { type Context, show } from '../context.ts';
import { hang, type Terminal } from '../terminal.ts';

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A value of the plan as indented lines, whatever it holds. */
const linesOf = (
  name: string,
  value: unknown,
  depth: number,
  columns: number,
): readonly string[] => {
  const indent = '  '.repeat(depth);
  if (Array.isArray(value)) {
    if (value.length === 0) return [`${indent}${name}: none`];
    return [
      `${indent}${name}:`,
      ...value.flatMap((item) =>
        isRecord(item)
          ? [hang(`${indent}  - `, sentenceOf(item), columns)]
          : [hang(`${indent}  - `, String(item), columns)],
      ),
    ];
  }
  if (isRecord(value)) {
    return [
      `${indent}${name}:`,
      ...Object.entries(value).flatMap(([key, inner]) => linesOf(key, inner, depth + 1, columns)),
    ];
  }
  return [hang(`${indent}${name}: `, String(value), columns)];
};

const sentenceOf = (item: Readonly<Record<string, unknown>>): string =>
  Object.entries(item)
    .map(([key, value]) => `${key} ${typeof value === 'object' ? JSON.stringify(value) : value}`)
    .join(', ');

const page = (output: unknown, { columns }: Terminal): string =>
  isRecord(output)
    ? Object.entries(output)
        .flatMap(([name, value]) => linesOf(name, value, 0, columns))
        .join('\n')
    : String(output);

/** What a dry run came to, as its execution put it. */
export const showPlan = (context: Context, output: unknown): void => show(context, output, page);
