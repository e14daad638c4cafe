import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBClient,
  DynamoDBServiceException,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall, type NativeAttributeValue, unmarshall } from '@aws-sdk/util-dynamodb';
import * as z from 'zod';
import {
  CloudRefusedError,
  CorruptRecordError,
  LedgerUnavailableError,
  NotAuthorizedError,
} from '../../domain/errors.ts';
import { type Key, keyText } from './keys.ts';
import { schemaVersion } from './records.ts';

/** What every ledger is made of. */
export interface LedgerDeps {
  readonly client: DynamoDBClient;
  /** Name of the table, with the key `pk` (hash) and `sk` (range), both strings. */
  readonly table: string;
}

/** What must hold for a write to happen. `#name` stands for the attribute, `:name` for the value. */
export interface Condition {
  readonly when: string;
  readonly values?: Values;
  /** For a `#name` that stands for something else than itself. */
  readonly names?: Readonly<Record<string, string>>;
}

/** An update; absent keys stay as they are. */
export interface Change {
  /** Attribute or path, such as `#signals.#key`, to its new value. */
  readonly set?: Values;
  /** Attributes to add to; they count from 0. */
  readonly add?: Readonly<Record<string, number>>;
  readonly remove?: readonly string[];
}

type Values = Readonly<Record<string, NativeAttributeValue>>;
type Operation = 'GetItem' | 'Query' | 'PutItem' | 'UpdateItem' | 'DeleteItem';

/** 100 MB of records: a walk this long is a fault, not an incident. */
const pagesMax = 100;

const authErrors = new Set([
  'AccessDeniedException',
  'MissingAuthenticationTokenException',
  'UnrecognizedClientException',
  'InvalidSignatureException',
]);

/** Refusals that repeating does not change: the table or the request is wrong. */
const permanentErrors = new Set(['ResourceNotFoundException', 'ValidationException']);

/** Anything DynamoDB did not clearly refuse is unknown: the caller repeats or gives up. */
const translated = (operation: Operation, cause: unknown): Error => {
  if (cause instanceof DynamoDBServiceException) {
    if (authErrors.has(cause.name)) return new NotAuthorizedError(operation, cause.name, { cause });
    if (permanentErrors.has(cause.name)) {
      return new CloudRefusedError(operation, cause.name, cause.message, { cause });
    }
  }
  return new LedgerUnavailableError(operation, { cause });
};

const attributes = (record: Values): Record<string, NativeAttributeValue> =>
  marshall(record, { removeUndefinedValues: true });

const prefixed = (prefix: string, values: Values): Values =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`${prefix}${name}`, value]));

/** Every attribute goes by an alias: half of the good names are reserved words of DynamoDB. */
const namesIn = (expressions: string, special: Condition['names'] = {}): Record<string, string> =>
  Object.fromEntries(
    [...expressions.matchAll(/#(\w+)/g)].map(([alias, name = '']) => [
      alias,
      special[name] ?? name,
    ]),
  );

const path = (attribute: string): string =>
  attribute.startsWith('#') ? attribute : `#${attribute}`;

const clause = (word: string, parts: readonly string[]): string =>
  parts.length === 0 ? '' : `${word} ${parts.join(', ')} `;

/** `SET ... ADD ... REMOVE ...` and its values. */
const updateOf = ({ set = {}, add = {}, remove = [] }: Change) => {
  const sets = Object.entries(set).filter(([, value]) => value !== undefined);
  const adds = Object.entries(add);
  const expression =
    clause(
      'SET',
      sets.map(([attribute], i) => `${path(attribute)} = :set${i}`),
    ) +
    clause(
      'ADD',
      adds.map(([attribute], i) => `${path(attribute)} :add${i}`),
    ) +
    clause('REMOVE', remove.map(path));
  const values = Object.fromEntries([
    ...sets.map(([, value], i) => [`:set${i}`, value]),
    ...adds.map(([, value], i) => [`:add${i}`, value]),
  ]);
  return { expression: expression.trim(), values };
};

/**
 * The only way to the table. Reads are consistent, every write carries a condition, each touches
 * one item, and each record is parsed on the way in: what this version does not understand throws
 * CorruptRecordError. Refusals of access throw NotAuthorizedError, a wrong table or request
 * CloudRefusedError, everything else that is not an answer LedgerUnavailableError.
 */
export class LedgerTable {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  constructor({ client, table }: LedgerDeps) {
    this.#client = client;
    this.#table = table;
  }

  /** undefined is a confirmed miss. */
  async get<T>(key: Key, schema: z.ZodType<T>): Promise<T | undefined> {
    const command = new GetItemCommand({
      TableName: this.#table,
      Key: attributes({ ...key }),
      ConsistentRead: true,
    });
    const { Item } = await this.#ask('GetItem', () => this.#client.send(command));
    return Item === undefined ? undefined : this.#parsed(key, Item, schema);
  }

  /** All records of a partition whose sort key begins so, in the order of the sort key. */
  async list<T>(pk: string, prefix: string, schema: z.ZodType<T>): Promise<T[]> {
    const records: T[] = [];
    let start: Record<string, NativeAttributeValue> | undefined;
    for (let page = 0; page < pagesMax; page += 1) {
      const command = new QueryCommand({
        TableName: this.#table,
        KeyConditionExpression: '#pk = :pk AND begins_with(#sk, :prefix)',
        ExpressionAttributeNames: { '#pk': 'pk', '#sk': 'sk' },
        ExpressionAttributeValues: attributes({ ':pk': pk, ':prefix': prefix }),
        ConsistentRead: true,
        ...(start && { ExclusiveStartKey: start }),
      });
      const answer = await this.#ask('Query', () => this.#client.send(command));
      for (const item of answer.Items ?? []) {
        records.push(this.#parsed({ pk, sk: String(item.sk?.S) }, item, schema));
      }
      start = answer.LastEvaluatedKey;
      if (start === undefined) return records;
    }
    throw new LedgerUnavailableError('Query', {
      cause: new Error(`${pk} has more than ${pagesMax} pages of ${prefix}`),
    });
  }

  /** Writes the whole item; false when the condition did not hold. */
  put(key: Key, record: Values, condition: Condition): Promise<boolean> {
    const command = new PutItemCommand({
      TableName: this.#table,
      Item: attributes({ ...key, ...record, schema: schemaVersion }),
      ...this.#guard(condition),
    });
    return this.#attempt('PutItem', () => this.#client.send(command).then(() => true), false);
  }

  /**
   * Changes an item of this schema and answers the new record; undefined when the condition did
   * not hold, or the item is missing or of another schema.
   */
  async update<T>(
    key: Key,
    change: Change,
    condition: Condition,
    schema: z.ZodType<T>,
  ): Promise<T | undefined> {
    const { expression, values } = updateOf(change);
    const guard = {
      ...condition,
      when: `#schema = :schema AND (${condition.when})`,
      values: { ...condition.values, schema: schemaVersion },
    };
    const command = new UpdateItemCommand({
      TableName: this.#table,
      Key: attributes({ ...key }),
      UpdateExpression: expression,
      ReturnValues: 'ALL_NEW',
      ...this.#guard(guard, expression, values),
    });
    const send = () => this.#client.send(command);
    const answer = await this.#attempt('UpdateItem', send, undefined);
    return answer && this.#parsed(key, answer.Attributes ?? {}, schema);
  }

  /** Removes the item; false when the condition did not hold. */
  remove(key: Key, condition: Condition): Promise<boolean> {
    const command = new DeleteItemCommand({
      TableName: this.#table,
      Key: attributes({ ...key }),
      ...this.#guard(condition),
    });
    return this.#attempt('DeleteItem', () => this.#client.send(command).then(() => true), false);
  }

  /** The condition as DynamoDB wants it; names and values in no expression would be refused. */
  #guard({ when, values = {}, names }: Condition, expression = '', more: Values = {}) {
    const all = { ...prefixed(':', values), ...more };
    return {
      ConditionExpression: when,
      ExpressionAttributeNames: namesIn(`${when} ${expression}`, names),
      ...(Object.keys(all).length > 0 && { ExpressionAttributeValues: attributes(all) }),
    };
  }

  async #ask<T>(operation: Operation, send: () => Promise<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      throw translated(operation, error);
    }
  }

  /** A condition that did not hold is an answer, not an error. */
  async #attempt<T, R>(operation: Operation, send: () => Promise<T>, refused: R): Promise<T | R> {
    try {
      return await send();
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return refused;
      throw translated(operation, error);
    }
  }

  #parsed<T>(key: Key, item: Record<string, NativeAttributeValue>, schema: z.ZodType<T>): T {
    const parsed = schema.safeParse(unmarshall(item));
    if (parsed.success) return parsed.data;
    throw new CorruptRecordError(keyText(key), z.prettifyError(parsed.error), {
      cause: parsed.error,
    });
  }
}
