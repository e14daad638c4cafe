import type { Rng } from '../../core/random.ts';
import type { Clock } from '../../core/virtual-time.ts';
import type { Caller, Service, WireRequest, WireResponse } from '../../core/wire.ts';
import type { Resource } from '../../infra.ts';
import type { Iam } from '../iam/iam.ts';
import { tryParse } from '../json-protocol.ts';
import { createDynaliteEngine } from './dynalite-engine.ts';
import { CONTENT_TYPE, type Edit, operationOf } from './engine.ts';
import { createMemoryEngine, type MemoryHooks } from './memory-engine.ts';

export interface DynamoDb extends Service {
  /** The tables exist; they answer as soon as the clock moves at all. Rejects for a bad table. */
  ready(): Promise<void>;
  /** Every item of a table in key order, in DynamoDB's own JSON: for oracles, never for handlers. */
  scan(table: string): Promise<Record<string, unknown>[]>;
  /**
   * Goes over every item at once and past all rights and conditions: a restore, or a hand in the
   * console. Throws for tables that are not in plain memory.
   */
  edit(table: string, change: Edit): void;
}

type Attributes = Record<string, Record<string, unknown>>;
interface Body {
  TableName?: string;
  Key?: Attributes;
  Item?: Attributes;
  ExpressionAttributeValues?: Attributes;
  RequestItems?: Record<string, unknown>;
  KeyConditionExpression?: string;
}

const hashKeysOf = (body: Body): string[] => {
  const item = body.Key ?? body.Item;
  if (item) return Object.values(item.pk ?? {}).map(String);
  const values = body.ExpressionAttributeValues ?? {};
  const wanted = /(?:^|[\s(])(#?\w+)\s*=\s*(:\w+)/.exec(body.KeyConditionExpression ?? '')?.[2];
  return wanted ? Object.values(values[wanted] ?? {}).map(String) : [];
};

const refusal = (code: string, message: string): WireResponse => ({
  status: 400,
  headers: { 'content-type': CONTENT_TYPE },
  body: JSON.stringify({ __type: code, message }),
});

/**
 * DynamoDB for the stack's tables: rights of the caller's role, request ids from the seed, and
 * behind them one of two engines. dynalite knows all of DynamoDB that tools and people ask for;
 * tables in plain memory, given `memory`, know what this project's functions ask for, answer at
 * once, and can be watched and made to lag.
 */
export const createDynamoDb = (deps: {
  time: Clock;
  rng: Rng;
  iam: Iam;
  account: string;
  region: string;
  tables: readonly Resource[];
  memory?: MemoryHooks;
}): DynamoDb => {
  const { time, memory } = deps;
  const engine = memory ? createMemoryEngine(time, memory) : createDynaliteEngine(time);
  const created = deps.tables.map(engine.create);

  const denied = (request: WireRequest, body: Body, caller: Caller): string | undefined => {
    const names = body.TableName ? [body.TableName] : Object.keys(body.RequestItems ?? {});
    const { account, region } = deps;
    const targets = names.map((name) => ({
      arn: name.startsWith('arn:') ? name : `arn:aws:dynamodb:${region}:${account}:table/${name}`,
    }));
    const leading = hashKeysOf(body);
    const keys: Record<string, string[]> = leading.length
      ? { 'dynamodb:LeadingKeys': leading }
      : {};
    const everything = targets.length > 0 ? targets : [{ arn: '*' }];
    return deps.iam.denial(`dynamodb:${operationOf(request)}`, everything, caller, keys);
  };
  const stamped = (response: WireResponse): WireResponse => {
    response.headers['x-amzn-requestid'] = deps.rng.hex(26).toUpperCase();
    return response;
  };

  return {
    ready: async () => {
      await Promise.all(created);
    },
    handle: (request, caller) => {
      const body = tryParse(request.body)?.value;
      const why = denied(request, (body ?? {}) as Body, caller);
      if (why) return refusal('com.amazon.coral.service#AccessDeniedException', why);
      const response = engine.handle(request, body, caller);
      return response instanceof Promise ? response.then(stamped) : stamped(response);
    },
    edit: (table, change) => {
      if (!engine.edit) throw new Error(`${table} is not in plain memory`);
      engine.edit(table, change);
    },
    scan: async (table) => {
      const items = (await engine.scan(table)) as Record<string, { S?: string }>[];
      const order = (item: (typeof items)[number]): string => `${item.pk?.S}\n${item.sk?.S}`;
      return items.sort((a, b) => (order(a) < order(b) ? -1 : 1));
    },
  };
};
