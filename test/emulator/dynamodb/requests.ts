import * as fc from 'fast-check';
import { keyOf } from './tables.ts';

/** A request over few keys, few attributes and few values, so that they meet. */
export interface Request {
  operation: string;
  input: object;
}

const oneOf = <T>(...values: T[]): fc.Arbitrary<T> => fc.constantFrom(...values);

const key = fc
  .tuple(oneOf('A', 'B'), oneOf('OPEN', 'STEP#1', 'STEP#2', 'é'))
  .map(([pk, sk]) => keyOf(pk, sk));
const number = oneOf('0', '1', '2', '-3', '10', '2.50', '1e3', '1784592000123', '0.000000001');
const scalar = fc.oneof(
  number.map((N) => ({ N })),
  oneOf('open', 'held', 'opened', 'é').map((S) => ({ S })),
  oneOf(true, false).map((BOOL) => ({ BOOL })),
  fc.constant({ NULL: true }),
);
const ATTRIBUTES = ['n', 'state', 'signals', 'x'];
const map = fc.dictionary(oneOf('one', 'two'), scalar).map((M) => ({ M }));
const list = fc.array(scalar, { maxLength: 3 }).map((L) => ({ L }));
const value = fc.oneof({ weight: 4, arbitrary: scalar }, map, list);
const attributes = fc.dictionary(oneOf(...ATTRIBUTES), value, { maxKeys: 4 });

/** What an expression was made of: its text and the values it stands on. */
interface Piece {
  text: string;
  values: object[];
}

const nested = oneOf('#signals.#one', '#signals.#two', '#x.#one', '#n.#two');
const name = oneOf(...ATTRIBUTES).map((attribute) => `#${attribute}`);
const path = fc.oneof({ weight: 6, arbitrary: name }, nested, oneOf('#pk', '#sk'));
/** Rarely a key attribute, which no update may touch. */
const target = fc.oneof(
  { weight: 24, arbitrary: name },
  { weight: 6, arbitrary: nested },
  oneOf('#pk', '#sk'),
);
const measured = path.map((inside) => `size(${inside})`);
const literal = (values: fc.Arbitrary<object>): fc.Arbitrary<Piece> =>
  values.map((one) => ({ text: '?', values: [one] }));
const bare = (texts: fc.Arbitrary<string>): fc.Arbitrary<Piece> =>
  texts.map((text) => ({ text, values: [] }));
const joined = (parts: readonly Piece[], text: (...texts: string[]) => string): Piece => ({
  text: text(...parts.map((part) => part.text)),
  values: parts.flatMap((part) => part.values),
});

const comparison = fc
  .tuple(
    fc.oneof({ weight: 4, arbitrary: bare(path) }, bare(measured)),
    oneOf('=', '<>', '<', '<=', '>', '>='),
    literal(
      fc.oneof(
        number.map((N) => ({ N })),
        oneOf('open', 'held').map((S) => ({ S })),
      ),
    ),
  )
  .map(([left, operator, right]) => joined([left, right], (a, b) => `${a} ${operator} ${b}`));

const test = fc.oneof(
  { weight: 3, arbitrary: comparison },
  bare(path.map((inside) => `attribute_not_exists(${inside})`)),
  bare(path.map((inside) => `attribute_exists(${inside})`)),
  fc
    .tuple(bare(path), literal(oneOf('o', 'open', 'STEP#').map((S) => ({ S }))))
    .map((parts) => joined(parts, (inside, prefix) => `begins_with(${inside}, ${prefix})`)),
  fc
    .tuple(bare(path), literal(scalar), literal(scalar))
    .map((parts) => joined(parts, (inside, one, two) => `${inside} IN (${one}, ${two})`)),
);

const { condition } = fc.letrec<{ condition: Piece }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    { weight: 4, arbitrary: test },
    fc
      .tuple(tie('condition'), oneOf('AND', 'OR', 'and'), tie('condition'))
      .map(([a, word, b]) => joined([a, b], (left, right) => `${left} ${word} ${right}`)),
    fc
      .tuple(tie('condition'), oneOf('AND', 'OR'), test)
      .map(([a, word, b]) => joined([a, b], (left, right) => `(${left}) ${word} ${right}`)),
    test.map((part) => joined([part], (text) => `NOT ${text}`)),
    tie('condition').map((part) => joined([part], (text) => `(${text})`)),
  ),
}));

const source = fc.oneof(
  { weight: 6, arbitrary: literal(value) },
  bare(path),
  fc
    .tuple(bare(path), literal(number.map((N) => ({ N }))))
    .map((parts) => joined(parts, (inside, other) => `if_not_exists(${inside}, ${other})`)),
);
const sum = fc
  .tuple(bare(path), oneOf('+', '-'), literal(number.map((N) => ({ N }))))
  .map(([left, sign, right]) => joined([left, right], (a, b) => `${a} ${sign} ${b}`));
/** What becomes of one target, by the section that says so. */
const action = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(fc.constant('SET'), fc.oneof(source, sum)) },
  fc.tuple(fc.constant('ADD'), literal(number.map((N) => ({ N })))),
  fc.tuple(fc.constant('REMOVE'), fc.constant<Piece>({ text: '', values: [] })),
);
const between: Record<string, string> = { SET: ' = ', ADD: ' ', REMOVE: '' };
const update = fc
  .uniqueArray(fc.tuple(target, action), { minLength: 1, maxLength: 3, selector: ([to]) => to })
  .map((all) => {
    const sections = Object.entries(Object.groupBy(all, ([, [word]]) => word));
    return joined(
      sections.flatMap(([word, changes = []]) =>
        joined(
          changes.map(([to, [, from]]) => joined([from], (text) => to + between[word] + text)),
          (...texts) => `${word} ${texts.join(', ')}`,
        ),
      ),
      (...texts) => texts.join(' '),
    );
  });

/** Numbers the values and declares the names. */
const aliased = (expressions: Record<string, Piece>): object => {
  const values: Record<string, object> = {};
  const names: Record<string, string> = {};
  const texts = Object.entries(expressions).map(([member, piece]) => {
    const pending = [...piece.values];
    const text = piece.text.replaceAll('?', () => {
      const alias = `:v${Object.keys(values).length}`;
      values[alias] = pending.shift() ?? {};
      return alias;
    });
    for (const [alias] of text.matchAll(/#\w+/g)) names[alias] = alias.slice(1);
    return [member, text];
  });
  return {
    ...Object.fromEntries(texts),
    ...(Object.keys(names).length > 0 && { ExpressionAttributeNames: names }),
    ...(Object.keys(values).length > 0 && { ExpressionAttributeValues: values }),
  };
};

const guard = fc
  .option(condition)
  .map((piece): Record<string, Piece> => (piece ? { ConditionExpression: piece } : {}));
const winner = oneOf({}, { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' });
const returned = oneOf({}, { ReturnValues: 'NONE' }, { ReturnValues: 'ALL_OLD' });

const read = fc
  .tuple(key, oneOf({}, { ConsistentRead: true }))
  .map(([Key, more]) => ({ operation: 'GetItem', input: { Key, ...more } }));
const put = fc
  .tuple(key, attributes, guard, returned, winner)
  .map(([id, more, expressions, ...options]) => ({
    operation: 'PutItem',
    input: Object.assign({ Item: { ...more, ...id } }, aliased(expressions), ...options),
  }));
const change = fc
  .tuple(key, update, guard, fc.oneof(returned, oneOf({ ReturnValues: 'ALL_NEW' })), winner)
  .map(([Key, UpdateExpression, expressions, ...options]) => ({
    operation: 'UpdateItem',
    input: Object.assign({ Key }, aliased({ UpdateExpression, ...expressions }), ...options),
  }));
const remove = fc.tuple(key, guard, returned, winner).map(([Key, expressions, ...options]) => ({
  operation: 'DeleteItem',
  input: Object.assign({ Key }, aliased(expressions), ...options),
}));

const range = fc.oneof(
  fc.constant(''),
  oneOf('=', '<', '<=', '>', '>=').map((operator) => ` AND #sk ${operator} ?`),
  fc.constant(' AND begins_with(#sk, ?)'),
);
const query = fc
  .tuple(
    oneOf('A', 'B'),
    range,
    oneOf('OPEN', 'STEP#', 'STEP#1'),
    oneOf({}, { Limit: 1 }, { Limit: 2 }),
    oneOf({}, { ScanIndexForward: false }),
    fc.option(key, { freq: 2 }),
  )
  .map(([pk, text, sk, limit, direction, start]) => ({
    operation: 'Query',
    input: {
      ...aliased({
        KeyConditionExpression: {
          text: `#pk = ?${text}`,
          values: [{ S: pk }, ...(text === '' ? [] : [{ S: sk }])],
        },
      }),
      ...limit,
      ...direction,
      ...(start && { ExclusiveStartKey: start }),
    },
  }));

/** A sequence of requests that share their keys. */
export const requests: fc.Arbitrary<Request[]> = fc.array(
  fc.oneof(
    { weight: 2, arbitrary: put },
    { weight: 3, arbitrary: change },
    { weight: 1, arbitrary: remove },
    { weight: 1, arbitrary: read },
    { weight: 1, arbitrary: query },
  ),
  { minLength: 1, maxLength: 12 },
);
