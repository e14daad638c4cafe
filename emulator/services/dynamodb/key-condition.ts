import { type AttributeValue, type Item, invalid } from './attribute-value.ts';
import { type Condition, holds } from './condition.ts';
import type { MemoryTable } from './memory-table.ts';

/** One partition, and which of its range keys. */
export interface KeyCondition {
  readonly hash: string;
  readonly range: Condition | undefined;
}

const badOperator = (operator: string): never => {
  throw invalid(`Invalid operator used in KeyConditionExpression: ${operator}`);
};

/** The two sides of a condition on one key attribute. */
const sidesOf = (condition: Condition): { name: string; value: AttributeValue } => {
  if (condition.kind === 'and') throw invalid('Conditions can be of length 1 or 2 only');
  if (condition.kind === 'exists') {
    return badOperator(condition.wanted ? 'attribute_exists' : 'attribute_not_exists');
  }
  if (condition.kind !== 'compare' && condition.kind !== 'begins') {
    return badOperator(condition.kind.toUpperCase());
  }
  if (condition.kind === 'compare' && condition.operator === '<>') return badOperator('<>');
  const [left, right] =
    condition.kind === 'begins' ? [condition.operand, condition.prefix] : condition.operands;
  if (left.kind !== 'path' || right.kind !== 'value') {
    throw invalid('KeyConditionExpression: only an attribute against a value is known here');
  }
  const [name = '', ...rest] = left.path;
  if (rest.length === 0) return { name, value: right.value };
  throw invalid('KeyConditionExpressions cannot have conditions on nested attributes');
};

/** Splits a key condition into its partition and the rest. Throws ValidationException. */
export const keyConditionOf = (condition: Condition, table: MemoryTable): KeyCondition => {
  const parts = condition.kind === 'and' ? condition.parts : [condition];
  const byName = new Map<string, { part: Condition; value: AttributeValue }>();
  for (const part of parts) {
    const { name, value } = sidesOf(part);
    if (byName.has(name)) {
      throw invalid('KeyConditionExpressions must only contain one condition per key');
    }
    byName.set(name, { part, value });
  }
  const [hashName = '', rangeName = ''] = table.keyNames;
  const missed = [hashName, rangeName].find((name) => !byName.has(name));
  if (missed === hashName || (missed !== undefined && byName.size > 1)) {
    throw invalid(`Query condition missed key schema element: ${missed}`);
  }
  const hash = byName.get(hashName);
  for (const { value } of byName.values()) {
    if ('S' in value) continue;
    throw invalid(
      'One or more parameter values were invalid: ' +
        'Condition parameter type does not match schema type',
    );
  }
  const isEqual = hash?.part.kind === 'compare' && hash.part.operator === '=';
  if (!isEqual || !('S' in hash.value)) throw invalid('Query key condition not supported');
  return { hash: hash.value.S, range: byName.get(rangeName)?.part };
};

/** A query goes on only from where it could have stopped. Throws ValidationException. */
export const checkStart = (
  start: Item,
  { hash, range }: KeyCondition,
  { keyNames: [hashName = ''] }: MemoryTable,
): void => {
  if (range !== undefined && !holds(range, start)) {
    throw invalid('The provided starting key does not match the range key predicate');
  }
  const given = start[hashName];
  if (given !== undefined && 'S' in given && given.S === hash) return;
  throw invalid(
    range === undefined
      ? 'The provided starting key is outside query boundaries based on provided conditions'
      : 'The query can return at most one row and cannot be restarted',
  );
};
