import { isDeepStrictEqual } from 'node:util';
import type { Time } from '../../core/time.ts';
import type { Caller, WireRequest, WireResponse } from '../../core/wire.ts';
import { JsonRefusal } from '../json-protocol.ts';
import { type Item, invalid, sizeOfItem, unreadable } from './attribute-value.ts';
import { holds } from './condition.ts';
import { CONTENT_TYPE, type Engine, operationOf } from './engine.ts';
import { checkStart, keyConditionOf } from './key-condition.ts';
import { type MemoryRequest, type Operation, readRequest } from './memory-request.ts';
import { createMemoryTable, type MemoryTable } from './memory-table.ts';
import { applyUpdate } from './update.ts';

/** What was done to a table, told when it is done; refused requests are not. */
export type Access = { readonly table: string; readonly caller: Caller } & (
  | {
      readonly kind: 'read';
      readonly operation: 'GetItem' | 'Query';
      readonly consistent: boolean;
      readonly items: readonly Item[];
    }
  | {
      readonly kind: 'write';
      readonly operation: 'PutItem' | 'UpdateItem' | 'DeleteItem';
      readonly before: Item | undefined;
      readonly after: Item | undefined;
    }
);

/** Seams for a checker and for trouble; may be changed while it runs. */
export interface MemoryHooks {
  onAccess?: (access: Access) => void;
  /** How far behind a read without `ConsistentRead` is, ms. Absent: not at all. */
  staleMs?: (operation: 'GetItem' | 'Query') => number;
}

/** The condition did not hold. */
class ConditionFailed extends JsonRefusal {
  /** What it failed on, if the request wants to see that. */
  readonly winner: Item | undefined;
  constructor(winner: Item | undefined) {
    super(
      'com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException',
      'The conditional request failed',
    );
    this.winner = winner;
  }
}

const PAGE_BYTES_MAX = 1024 * 1024;

interface Deed {
  readonly output: object;
  readonly items?: readonly Item[];
  readonly before?: Item | undefined;
  readonly after?: Item | undefined;
}

/** `at` is the moment a read may see; undefined is now. */
type Act = (table: MemoryTable, request: MemoryRequest, at: number | undefined) => Deed;

const checkCondition = ({ condition, showsWinner }: MemoryRequest, old: Item | undefined): void => {
  if (condition === undefined || holds(condition, old ?? {})) return;
  throw new ConditionFailed(showsWinner ? old : undefined);
};

const attributes = (item: Item | undefined): object => (item ? { Attributes: item } : {});

const getItem: Act = (table, { item }, at) => {
  const found = table.get(table.keyOf(item, 'key'), at);
  return found ? { output: { Item: found }, items: [found] } : { output: {}, items: [] };
};

const putItem: Act = (table, request) => {
  const key = table.keyOf(request.item, 'item');
  const before = table.get(key);
  checkCondition(request, before);
  table.set(key, request.item);
  const output = request.returnValues === 'ALL_OLD' ? attributes(before) : {};
  return { output, before, after: request.item };
};

const deleteItem: Act = (table, request) => {
  const key = table.keyOf(request.item, 'key');
  const before = table.get(key);
  checkCondition(request, before);
  if (before !== undefined) table.set(key, undefined);
  const output = request.returnValues === 'ALL_OLD' ? attributes(before) : {};
  return { output, before, after: undefined };
};

const updateItem: Act = (table, request) => {
  const key = table.keyOf(request.item, 'key');
  const touched = table.keyNames.find((name) =>
    request.update.some(({ path }) => path[0] === name),
  );
  if (touched !== undefined) {
    throw invalid(
      'One or more parameter values were invalid: ' +
        `Cannot update attribute ${touched}. This attribute is part of the key`,
    );
  }
  const before = table.get(key);
  checkCondition(request, before);
  const after = applyUpdate(request.update, before ?? key);
  table.set(key, after);
  const { returnValues } = request;
  const shown =
    returnValues === 'ALL_NEW' ? after : returnValues === 'ALL_OLD' ? before : undefined;
  return { output: attributes(shown), before, after };
};

const query: Act = (table, request, at) => {
  const { keyCondition, limit, forward, start } = request;
  if (keyCondition === undefined) {
    throw invalid(
      'Either the KeyConditions or KeyConditionExpression parameter ' +
        'must be specified in the request.',
    );
  }
  const wanted = keyConditionOf(keyCondition, table);
  const startKey = start && table.keyOf(start, 'key');
  if (startKey) checkStart(startKey, wanted, table);
  const { hash, range } = wanted;
  const inOrder = table.partition(hash, at);
  if (!forward) inOrder.reverse();
  const candidates = inOrder.slice(startKey ? table.countUpTo(inOrder, startKey, forward) : 0);
  const items: Item[] = [];
  let bytes = 0;
  for (const item of candidates) {
    if (items.length >= limit || bytes >= PAGE_BYTES_MAX) break;
    if (range !== undefined && !holds(range, item)) continue;
    items.push(item);
    bytes += sizeOfItem(item);
  }
  const counts = { Count: items.length, ScannedCount: items.length, Items: items };
  const last = items.at(-1);
  if (last === undefined || (items.length < limit && bytes < PAGE_BYTES_MAX)) {
    return { output: counts, items };
  }
  return { output: { ...counts, LastEvaluatedKey: table.keyOf(last, 'item') }, items };
};

const ACTS: Record<Operation, Act> = {
  GetItem: getItem,
  PutItem: putItem,
  UpdateItem: updateItem,
  DeleteItem: deleteItem,
  Query: query,
};

const isOperation = (name: string): name is Operation => Object.hasOwn(ACTS, name);

const answer = (status: number, body: object): WireResponse => ({
  status,
  headers: { 'content-type': CONTENT_TYPE },
  body: JSON.stringify(body),
});

const refused = (error: unknown): WireResponse => {
  if (!(error instanceof JsonRefusal)) throw error;
  const { code: __type, message } = error;
  const shown = error instanceof ConditionFailed && error.winner ? { Item: error.winner } : {};
  return answer(400, { __type, ...(message === '' ? {} : { message }), ...shown });
};

/**
 * DynamoDB in plain memory, as much of it as this project's requests need; what it does not know
 * it refuses. Answers at once, so that virtual time never waits for it. Reads without
 * `ConsistentRead` may be made to see the past.
 */
export const createMemoryEngine = (time: Pick<Time, 'now'>, hooks: MemoryHooks): Engine => {
  const tables = new Map<string, MemoryTable>();
  const find = (name: string): MemoryTable => {
    const table = tables.get(name);
    if (table) return table;
    throw new JsonRefusal(
      'com.amazonaws.dynamodb.v20120810#ResourceNotFoundException',
      'Requested resource not found',
    );
  };
  const momentOf = ({ operation, consistent }: MemoryRequest): number | undefined => {
    if (consistent || (operation !== 'GetItem' && operation !== 'Query')) return undefined;
    const staleMs = hooks.staleMs?.(operation) ?? 0;
    return staleMs > 0 ? time.now() - staleMs : undefined;
  };
  const perform = (operation: Operation, body: unknown, caller: Caller): object => {
    const request = readRequest(operation, body);
    const deed = ACTS[operation](find(request.table), request, momentOf(request));
    const { before, after, items = [] } = deed;
    const what = { table: request.table, caller };
    hooks.onAccess?.(
      operation === 'GetItem' || operation === 'Query'
        ? { ...what, kind: 'read', operation, consistent: request.consistent, items }
        : { ...what, kind: 'write', operation, before, after },
    );
    return deed.output;
  };
  return {
    create: async (resource) => {
      tables.set(resource.ref, createMemoryTable(resource, time.now));
    },
    handle: (request: WireRequest, body, caller) => {
      try {
        const operation = operationOf(request);
        if (!isOperation(operation)) {
          throw new JsonRefusal('com.amazon.coral.service#UnknownOperationException', '');
        }
        if (body === undefined) throw unreadable('');
        return answer(200, perform(operation, body, caller));
      } catch (error) {
        return refused(error);
      }
    },
    edit: (name, change) => {
      const table = find(name);
      for (const item of table.all()) {
        const next = change(structuredClone(item));
        if (!isDeepStrictEqual(next, item)) table.set(table.keyOf(item, 'item'), next);
      }
    },
    scan: async (table) => structuredClone(find(table).all()) as Record<string, unknown>[],
  };
};
