import { isObject, JsonRefusal } from '../json-protocol.ts';
import {
  type AttributeValue,
  type Item,
  invalid,
  readItem,
  readValue,
  unreadable,
} from './attribute-value.ts';
import { type Condition, parseCondition } from './condition.ts';
import type { Aliases } from './expression.ts';
import { parseUpdate, type Update } from './update.ts';

export type Operation = 'GetItem' | 'PutItem' | 'UpdateItem' | 'DeleteItem' | 'Query';

/** One request, read as far as that goes without looking at a table. */
export interface MemoryRequest {
  readonly operation: Operation;
  readonly table: string;
  /** `Key`, or the whole `Item`; empty for a query. */
  readonly item: Item;
  readonly condition: Condition | undefined;
  readonly update: Update;
  readonly keyCondition: Condition | undefined;
  readonly returnValues: string;
  /** A refusal by condition is to show the item it failed on. */
  readonly showsWinner: boolean;
  readonly consistent: boolean;
  readonly limit: number;
  readonly forward: boolean;
  readonly start: Item | undefined;
}

type Input = Readonly<Record<string, unknown>>;

const WRITE = [
  'ConditionExpression',
  'ExpressionAttributeNames',
  'ExpressionAttributeValues',
  'ReturnValues',
  'ReturnValuesOnConditionCheckFailure',
];

/** What is not here would be ignored in silence, and the answer be another than DynamoDB's. */
const MEMBERS: Record<Operation, readonly string[]> = {
  GetItem: ['TableName', 'Key', 'ConsistentRead'],
  PutItem: ['TableName', 'Item', ...WRITE],
  UpdateItem: ['TableName', 'Key', 'UpdateExpression', ...WRITE],
  DeleteItem: ['TableName', 'Key', ...WRITE],
  Query: [
    'TableName',
    'KeyConditionExpression',
    'ExpressionAttributeNames',
    'ExpressionAttributeValues',
    'ConsistentRead',
    'ExclusiveStartKey',
    'Limit',
    'ScanIndexForward',
  ],
};

const RETURN_VALUES: Record<Operation, readonly string[]> = {
  GetItem: [],
  PutItem: ['NONE', 'ALL_OLD'],
  UpdateItem: ['NONE', 'ALL_OLD', 'ALL_NEW'],
  DeleteItem: ['NONE', 'ALL_OLD'],
  Query: [],
};

const textIn = (input: Input, member: string): string | undefined => {
  const value = input[member];
  if (value === undefined || typeof value === 'string') return value;
  throw unreadable(`${member} is not a string`);
};

const flagIn = (input: Input, member: string, otherwise: boolean): boolean => {
  const value = input[member] ?? otherwise;
  if (typeof value === 'boolean') return value;
  throw unreadable(`${member} is not a boolean`);
};

const objectIn = (input: Input, member: string): Record<string, unknown> | undefined => {
  const value = input[member];
  if (value === undefined || isObject(value)) return value;
  throw unreadable(`${member} is not a structure`);
};

const constraint = (value: unknown, member: string, rule: string): JsonRefusal => {
  const where = `${member.charAt(0).toLowerCase()}${member.slice(1)}`;
  const what = value === null ? 'null' : `'${String(value)}'`;
  return invalid(
    `1 validation error detected: Value ${what} at '${where}' ` +
      `failed to satisfy constraint: Member must ${rule}`,
  );
};

const required = <T>(value: T | undefined, member: string): T => {
  if (value !== undefined) return value;
  throw constraint(null, member, 'not be null');
};

const limitIn = (input: Input): number => {
  const { Limit: limit } = input;
  if (limit === undefined) return Number.POSITIVE_INFINITY;
  if (typeof limit !== 'number') throw unreadable('Limit is not a number');
  if (limit >= 1) return Math.floor(limit);
  throw constraint(limit, 'limit', 'have value greater than or equal to 1');
};

/** A sign, then word characters only. */
const checkAlias = (member: string, alias: string, first: '#' | ':'): void => {
  if (alias.startsWith(first) && /^\w+$/.test(alias.slice(1))) return;
  throw invalid(`${member} contains invalid key: Syntax error; key: "${alias}"`);
};

const readNames = (input: Input): Record<string, string> => {
  const member = 'ExpressionAttributeNames';
  const given = objectIn(input, member);
  if (given === undefined) return {};
  if (Object.keys(given).length === 0) throw invalid(`${member} must not be empty`);
  return Object.fromEntries(
    Object.entries(given).map(([alias, name]) => {
      checkAlias(member, alias, '#');
      if (typeof name === 'string') return [alias, name];
      throw unreadable(`${member} holds something else than strings`);
    }),
  );
};

const readAliasedValue = (member: string, alias: string, value: unknown): AttributeValue => {
  try {
    return readValue(value);
  } catch (error) {
    if (!(error instanceof JsonRefusal) || !error.code.endsWith('ValidationException')) throw error;
    throw invalid(`${member} contains invalid value: ${error.message} for key ${alias}`);
  }
};

const readValues = (input: Input): Item => {
  const member = 'ExpressionAttributeValues';
  const given = objectIn(input, member);
  if (given === undefined) return {};
  const entries = Object.entries(given);
  if (entries.length === 0) throw invalid(`${member} must not be empty`);
  for (const [alias] of entries) checkAlias(member, alias, ':');
  return Object.fromEntries(
    entries.map(([alias, value]) => [alias, readAliasedValue(member, alias, value)]),
  );
};

const checkUsed = (member: string, aliases: object, used: ReadonlySet<string>): void => {
  const idle = Object.keys(aliases).filter((alias) => !used.has(alias));
  if (idle.length === 0) return;
  throw invalid(`Value provided in ${member} unused in expressions: keys: {${idle.join(', ')}}`);
};

/** Aliases without any expression they could stand in are refused in words of their own. */
const checkNotAlone = (operation: Operation, input: Input): void => {
  const kinds = ['UpdateExpression', 'ConditionExpression', 'KeyConditionExpression'];
  const possible = kinds.filter((kind) => MEMBERS[operation].includes(kind));
  if (possible.some((kind) => input[kind] !== undefined)) return;
  if (input.ExpressionAttributeNames !== undefined) {
    throw invalid('ExpressionAttributeNames can only be specified when using expressions');
  }
  if (input.ExpressionAttributeValues === undefined) return;
  throw invalid(
    'ExpressionAttributeValues can only be specified when using expressions: ' +
      `${possible.join(' and ')} ${possible.length > 1 ? 'are' : 'is'} null`,
  );
};

const readExpressions = (operation: Operation, input: Input) => {
  checkNotAlone(operation, input);
  const aliases: Aliases = { names: readNames(input), values: readValues(input), used: new Set() };
  const update = textIn(input, 'UpdateExpression');
  const conditionIn = (member: string): Condition | undefined => {
    const source = textIn(input, member);
    return source === undefined ? undefined : parseCondition(member, source, aliases);
  };
  const read = {
    update: update === undefined ? [] : parseUpdate(update, aliases),
    condition: conditionIn('ConditionExpression'),
    keyCondition: conditionIn('KeyConditionExpression'),
  };
  checkUsed('ExpressionAttributeNames', aliases.names, aliases.used);
  checkUsed('ExpressionAttributeValues', aliases.values, aliases.used);
  return read;
};

const readReturnValues = (operation: Operation, input: Input): string => {
  const wanted = textIn(input, 'ReturnValues') ?? 'NONE';
  const allowed = RETURN_VALUES[operation];
  if (allowed.length === 0 || allowed.includes(wanted)) return wanted;
  throw invalid(
    operation === 'UpdateItem'
      ? `ReturnValues ${wanted} is not known to these tables`
      : 'ReturnValues can only be ALL_OLD or NONE',
  );
};

/**
 * Reads a request's body in the order in which DynamoDB complains: shape, keys and items,
 * expressions. Throws SerializationException and ValidationException, the latter also for every
 * member that these tables do not know.
 */
export const readRequest = (operation: Operation, body: unknown): MemoryRequest => {
  if (!isObject(body)) throw unreadable('the body is not a JSON object');
  const foreign = Object.keys(body).find((member) => !MEMBERS[operation].includes(member));
  if (foreign !== undefined) {
    throw invalid(`${foreign} of ${operation} is not known to these tables`);
  }
  const table = required(textIn(body, 'TableName'), 'TableName');
  const itemMember = operation === 'PutItem' ? 'Item' : 'Key';
  const given = operation === 'Query' ? {} : required(objectIn(body, itemMember), itemMember);
  const item = readItem(given);
  const returnValues = readReturnValues(operation, body);
  const start = objectIn(body, 'ExclusiveStartKey');
  return {
    operation,
    table,
    item,
    returnValues,
    showsWinner: textIn(body, 'ReturnValuesOnConditionCheckFailure') === 'ALL_OLD',
    consistent: flagIn(body, 'ConsistentRead', false),
    limit: limitIn(body),
    forward: flagIn(body, 'ScanIndexForward', true),
    start: start === undefined ? undefined : readItem(start),
    ...readExpressions(operation, body),
  };
};
