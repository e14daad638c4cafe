import { type AttributeValue, type Item, invalid, readValue } from './attribute-value.ts';
import { valueAt } from './condition.ts';
import { addNumbers } from './decimal.ts';
import {
  type Aliases,
  checkOperandType,
  createReader,
  type Operand,
  type Path,
  type Reader,
} from './expression.ts';

type Source =
  | Exclude<Operand, { kind: 'size' }>
  | { readonly kind: 'if-not-exists'; readonly path: Path; readonly otherwise: Source }
  | { readonly kind: 'sum'; readonly sign: '+' | '-'; readonly parts: readonly [Source, Source] };

type Action =
  | { readonly kind: 'set'; readonly path: Path; readonly source: Source }
  | { readonly kind: 'add'; readonly path: Path; readonly value: AttributeValue }
  | { readonly kind: 'remove'; readonly path: Path };

export type Update = readonly Action[];

const readSource = (reader: Reader): Source => {
  if (reader.takeIf('if_not_exists')) {
    reader.expect('(');
    const path = reader.path();
    reader.expect(',');
    const otherwise = readSource(reader);
    reader.expect(')');
    return { kind: 'if-not-exists', path, otherwise };
  }
  if (reader.peek().startsWith(':')) return { kind: 'value', value: reader.value() };
  return { kind: 'path', path: reader.path() };
};

const readSet = (reader: Reader): Action => {
  const path = reader.path();
  reader.expect('=');
  const left = readSource(reader);
  const sign = reader.peek();
  if (sign !== '+' && sign !== '-') return { kind: 'set', path, source: left };
  reader.take();
  const right = readSource(reader);
  for (const each of [left, right]) {
    if (each.kind === 'value') checkOperandType(reader, sign, each, ['N']);
  }
  return { kind: 'set', path, source: { kind: 'sum', sign, parts: [left, right] } };
};

const readAdd = (reader: Reader): Action => {
  const path = reader.path();
  const value = reader.value();
  if (!('N' in value)) reader.refuse('ADD is known to these tables for numbers only');
  return { kind: 'add', path, value };
};

const readRemove = (reader: Reader): Action => ({ kind: 'remove', path: reader.path() });

const SECTIONS: Readonly<Record<string, (reader: Reader) => Action>> = {
  SET: readSet,
  ADD: readAdd,
  REMOVE: readRemove,
};

const startsWith = (path: Path, prefix: Path): boolean =>
  prefix.every((name, index) => path[index] === name);

const checkOverlaps = (reader: Reader, actions: readonly Action[]): void => {
  for (const [index, { path: two }] of actions.entries()) {
    for (const { path: one } of actions.slice(0, index)) {
      if (!startsWith(one, two) && !startsWith(two, one)) continue;
      reader.refuse(
        'Two document paths overlap with each other; must remove or rewrite one of these paths; ' +
          `path one: [${one.join(', ')}], path two: [${two.join(', ')}]`,
      );
    }
  }
};

/**
 * An update expression with its aliases replaced: `SET` of paths, values, sums, differences and
 * `if_not_exists`; `ADD` of numbers; `REMOVE`. Throws ValidationException for everything else,
 * also for what DynamoDB would understand (lists, sets, `DELETE`).
 */
export const parseUpdate = (source: string, aliases: Aliases): Update => {
  const reader = createReader('UpdateExpression', source, aliases);
  const seen = new Set<string>();
  const actions: Action[] = [];
  do {
    const section = reader.peek().toUpperCase();
    const readAction = SECTIONS[section];
    if (readAction === undefined) return reader.unexpected();
    reader.take();
    if (seen.has(section)) {
      const once = `The "${section}" section can only be used once in an update expression;`;
      reader.refuse(once);
    }
    seen.add(section);
    actions.push(...reader.list(() => readAction(reader)));
  } while (reader.peek() !== '');
  checkOverlaps(reader, actions);
  return actions;
};

const WRONG_TYPE = 'An operand in the update expression has an incorrect data type';

const numberIn = (value: AttributeValue): string => {
  if ('N' in value) return value.N;
  throw invalid(WRONG_TYPE);
};

/** Through the same door as a client's numbers: a sum may have become too long. */
const sum = (left: AttributeValue, right: AttributeValue, sign: '+' | '-'): AttributeValue =>
  readValue({ N: addNumbers(numberIn(left), numberIn(right), sign) });

const evaluate = (source: Source, item: Item): AttributeValue => {
  if (source.kind === 'value') return source.value;
  if (source.kind === 'sum') {
    const [left, right] = source.parts;
    return sum(evaluate(left, item), evaluate(right, item), source.sign);
  }
  const value = valueAt(item, source.path);
  if (value !== undefined) return value;
  if (source.kind === 'if-not-exists') return evaluate(source.otherwise, item);
  throw invalid('The provided expression refers to an attribute that does not exist in the item');
};

/** A copy of the item with something else, or nothing, at the path. The maps on the way must be. */
const replaced = (
  item: Item,
  [head = '', ...rest]: Path,
  change: (old: AttributeValue | undefined) => AttributeValue | undefined,
): Item => {
  const old = valueAt(item, [head]);
  if (rest.length > 0 && (old === undefined || !('M' in old))) {
    throw invalid('The document path provided in the update expression is invalid for update');
  }
  const nested = old !== undefined && 'M' in old && rest.length > 0;
  const value = nested ? { M: replaced(old.M, rest, change) } : change(old);
  if (value !== undefined) return { ...item, [head]: value };
  const { [head]: _, ...others } = item;
  return others;
};

/** The item after the update. All sources are read from the item as it was. */
export const applyUpdate = (update: Update, item: Item): Item => {
  const actions = update.map((action) =>
    action.kind === 'set' ? { ...action, value: evaluate(action.source, item) } : action,
  );
  return actions.reduce<Item>((after, action) => {
    const { path } = action;
    if (action.kind === 'remove') return replaced(after, path, () => undefined);
    if (action.kind === 'set') return replaced(after, path, () => action.value);
    return replaced(after, path, (old) =>
      old === undefined ? action.value : sum(old, action.value, '+'),
    );
  }, item);
};
