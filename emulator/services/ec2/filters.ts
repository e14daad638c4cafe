import { Ec2Refusal } from '../../core/machines.ts';
import type { Rng } from '../../core/random.ts';
import type { QueryParams } from '../query-protocol.ts';
import type { Paging } from './faults.ts';

/** The values an item has under each filter name. */
export type FilterFields<T> = Record<string, (item: T) => (string | undefined)[]>;

const isWildcard = (pattern: string): boolean => /[*?\\]/.test(pattern);

/** `*` and `?` are wildcards, a backslash makes the next character literal. */
const wildcard = (pattern: string): ((value: string) => boolean) => {
  const source = pattern.replace(/\\(.)|[\s\S]/g, (found, escaped: string | undefined) => {
    if (escaped === undefined && found === '*') return '[\\s\\S]*';
    if (escaped === undefined && found === '?') return '[\\s\\S]';
    return (escaped ?? found).replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
  });
  const whole = new RegExp(`^${source}$`);
  return (value) => whole.test(value);
};

/** Whether a value is one of many; most are given as they are, up to two hundred of them. */
const oneOf = (values: readonly string[]): ((value: string) => boolean) => {
  const literal = new Set(values.filter((value) => !isWildcard(value)));
  const patterns = values.filter(isWildcard).map(wildcard);
  return (value) => literal.has(value) || patterns.some((matches) => matches(value));
};

const refuse = (message: string): never => {
  throw new Ec2Refusal('InvalidParameterValue', message);
};

/**
 * The request's filters as one predicate: values of a filter are alternatives, filters add up.
 * `tag:<key>` and `tag-key` come from `tagsOf`, everything else from `fields`.
 */
export const filterOf = <T>(
  params: QueryParams,
  fields: FilterFields<T>,
  tagsOf: (item: T) => Record<string, string>,
): ((item: T) => boolean) => {
  const tests = params.groups('Filter').map((filter) => {
    const name = filter.required('Name');
    const matches = oneOf(filter.list('Value'));
    const valuesOf = name.startsWith('tag:')
      ? (item: T) => [tagsOf(item)[name.slice('tag:'.length)]]
      : name === 'tag-key'
        ? (item: T) => Object.keys(tagsOf(item))
        : (fields[name] ?? refuse(`The filter '${name}' is invalid`));
    return (item: T) => valuesOf(item).some((value) => value !== undefined && matches(value));
  });
  return (item) => tests.every((test) => test(item));
};

export interface Page<T> {
  items: T[];
  nextToken: string | undefined;
}

const PAGE_MAX = 1000;
const PAGE_MIN = 5;

/**
 * One page, in an order of its own: EC2 promises none. The token carries the order's seed and the
 * place, so items that come or go between two pages can be missed or met twice, as on EC2.
 */
export const paginate = <T>(
  params: QueryParams,
  items: readonly T[],
  draws: { orders: Rng; nonces: Rng },
  paging?: Paging,
): Page<T> => {
  const size = params.integer('MaxResults');
  if (size !== undefined && (size < PAGE_MIN || size > PAGE_MAX)) {
    const bounds = `Expecting a value between ${PAGE_MIN} and ${PAGE_MAX}.`;
    refuse(`Value ( ${size} ) for parameter maxResults is invalid. ${bounds}`);
  }
  const token = params.text('NextToken');
  const [nonce, offset] = token === undefined ? [draws.nonces.hex(12), 0] : readToken(token);
  const end = offset + Math.min(size ?? PAGE_MAX, paging?.size ?? PAGE_MAX);
  const ordered = draws.orders.fork(nonce).shuffle(items);
  return {
    items: ordered.slice(offset, end),
    nextToken: end < ordered.length ? writeToken(nonce, end + (paging?.drift() ?? 0)) : undefined,
  };
};

const writeToken = (nonce: string, offset: number): string =>
  Buffer.from(`${nonce}:${offset}`).toString('base64url');

const readToken = (token: string): [nonce: string, offset: number] => {
  const match = /^([0-9a-f]+):(\d+)$/.exec(Buffer.from(token, 'base64url').toString());
  const [, nonce, offset] = match ?? [];
  if (nonce === undefined || offset === undefined)
    return refuse('Unable to parse pagination token');
  return [nonce, Number(offset)];
};
