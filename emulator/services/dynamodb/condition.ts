import {
  type AttributeValue,
  compareValues,
  type Item,
  sameValue,
  type TypeName,
} from './attribute-value.ts';
import {
  type Aliases,
  checkOperandType,
  createReader,
  type Operand,
  type Path,
  type Reader,
} from './expression.ts';

const COMPARATORS = ['=', '<>', '<', '<=', '>', '>='] as const;
export type Comparator = (typeof COMPARATORS)[number];

export type Condition =
  | { readonly kind: 'and' | 'or'; readonly parts: readonly [Condition, Condition] }
  | { readonly kind: 'not'; readonly part: Condition }
  | {
      readonly kind: 'compare';
      readonly operator: Comparator;
      readonly operands: readonly [Operand, Operand];
    }
  | { readonly kind: 'in'; readonly operand: Operand; readonly among: readonly Operand[] }
  | { readonly kind: 'exists'; readonly path: Path; readonly wanted: boolean }
  | { readonly kind: 'begins'; readonly operand: Operand; readonly prefix: Operand };

const isComparator = (token: string): token is Comparator =>
  (COMPARATORS as readonly string[]).includes(token);

const ORDERED: readonly TypeName[] = ['S', 'N'];

/** A function that is a condition by itself; undefined when the next token starts none. */
const readFunction = (reader: Reader): Condition | undefined => {
  const name = reader.peek();
  if (name === 'attribute_exists' || name === 'attribute_not_exists') {
    reader.take();
    reader.expect('(');
    const path = reader.path();
    reader.expect(')');
    return { kind: 'exists', path, wanted: name === 'attribute_exists' };
  }
  if (name !== 'begins_with') return undefined;
  reader.take();
  reader.expect('(');
  const operand = reader.operand();
  reader.expect(',');
  const prefix = reader.operand();
  reader.expect(')');
  for (const each of [operand, prefix]) checkOperandType(reader, name, each, ['S']);
  return { kind: 'begins', operand, prefix };
};

const readComparison = (reader: Reader): Condition => {
  const left = reader.operand();
  if (reader.takeIf('IN')) {
    reader.expect('(');
    const among = reader.list(reader.operand);
    reader.expect(')');
    return { kind: 'in', operand: left, among };
  }
  const operator = reader.peek();
  if (!isComparator(operator)) return reader.unexpected();
  reader.take();
  const right = reader.operand();
  if (operator !== '=' && operator !== '<>') {
    for (const each of [left, right]) checkOperandType(reader, operator, each, ORDERED);
  }
  return { kind: 'compare', operator, operands: [left, right] };
};

const readWhole = (reader: Reader): Condition => {
  const inParentheses = new Set<Condition>();
  const or = (): Condition => {
    let all = and();
    while (reader.takeIf('OR')) all = { kind: 'or', parts: [all, and()] };
    return all;
  };
  const and = (): Condition => {
    let all = not();
    while (reader.takeIf('AND')) all = { kind: 'and', parts: [all, not()] };
    return all;
  };
  const not = (): Condition => {
    if (reader.takeIf('NOT')) return { kind: 'not', part: not() };
    if (!reader.takeIf('(')) return readFunction(reader) ?? readComparison(reader);
    const condition = or();
    reader.expect(')');
    if (inParentheses.has(condition)) reader.refuse('The expression has redundant parentheses;');
    inParentheses.add(condition);
    return condition;
  };
  const whole = or();
  if (reader.peek() !== '') reader.unexpected();
  return whole;
};

/**
 * A condition expression with its aliases replaced: comparisons, `IN`, `attribute_exists`,
 * `attribute_not_exists`, `begins_with`, `size`, `AND`, `OR`, `NOT` and parentheses. Throws
 * ValidationException for everything else, also for what DynamoDB would understand.
 */
export const parseCondition = (member: string, source: string, aliases: Aliases): Condition =>
  readWhole(createReader(member, source, aliases));

const memberAt = (item: Item, name: string): AttributeValue | undefined =>
  Object.hasOwn(item, name) ? item[name] : undefined;

/** What is at a path; undefined when there is nothing, or no map on the way. */
export const valueAt = (item: Item, [head = '', ...rest]: Path): AttributeValue | undefined => {
  const value = memberAt(item, head);
  if (value === undefined || rest.length === 0) return value;
  return 'M' in value ? valueAt(value.M, rest) : undefined;
};

/** Characters of a text, members of a list or map; anything else has no size. */
const sizeOf = (value: AttributeValue | undefined): AttributeValue | undefined => {
  if (value === undefined) return undefined;
  if ('S' in value) return { N: String(value.S.length) };
  if ('L' in value) return { N: String(value.L.length) };
  return 'M' in value ? { N: String(Object.keys(value.M).length) } : undefined;
};

const resolve = (operand: Operand, item: Item): AttributeValue | undefined => {
  if (operand.kind === 'value') return operand.value;
  const value = valueAt(item, operand.path);
  return operand.kind === 'size' ? sizeOf(value) : value;
};

const ORDERS: Record<Exclude<Comparator, '=' | '<>'>, (order: number) => boolean> = {
  '<': (order) => order < 0,
  '<=': (order) => order <= 0,
  '>': (order) => order > 0,
  '>=': (order) => order >= 0,
};

/** What is absent equals nothing, is before and after nothing, and differs from everything. */
const compares = (
  operator: Comparator,
  left: AttributeValue | undefined,
  right: AttributeValue | undefined,
): boolean => {
  const present = left !== undefined && right !== undefined;
  if (operator === '=') return present && sameValue(left, right);
  if (operator === '<>') return !present || !sameValue(left, right);
  const order = present ? compareValues(left, right) : undefined;
  return order !== undefined && ORDERS[operator](order);
};

/** Whether it holds for an item; for one that does not exist the item is empty. */
export const holds = (condition: Condition, item: Item): boolean => {
  switch (condition.kind) {
    case 'and':
      return condition.parts.every((part) => holds(part, item));
    case 'or':
      return condition.parts.some((part) => holds(part, item));
    case 'not':
      return !holds(condition.part, item);
    case 'exists':
      return (valueAt(item, condition.path) !== undefined) === condition.wanted;
    case 'in': {
      const value = resolve(condition.operand, item);
      return condition.among.some((each) => compares('=', value, resolve(each, item)));
    }
    case 'begins': {
      const text = resolve(condition.operand, item);
      const prefix = resolve(condition.prefix, item);
      if (text === undefined || prefix === undefined) return false;
      return 'S' in text && 'S' in prefix && text.S.startsWith(prefix.S);
    }
    case 'compare': {
      const [left, right] = condition.operands;
      return compares(condition.operator, resolve(left, item), resolve(right, item));
    }
  }
};
