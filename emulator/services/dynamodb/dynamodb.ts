import { EventEmitter } from 'node:events';
import type { Server } from 'node:http';
import dynalite from 'dynalite';
import type { Rng } from '../../core/random.ts';
import type { Clock } from '../../core/virtual-time.ts';
import type { Caller, Service, WireRequest, WireResponse } from '../../core/wire.ts';
import type { Resource } from '../../infra.ts';
import type { Iam } from '../iam/iam.ts';
import { tryParse } from '../json-protocol.ts';

export interface DynamoDb extends Service {
  /** The tables exist; they answer as soon as the clock moves at all. Rejects for a bad table. */
  ready(): Promise<void>;
  /** Every item of a table in key order, in DynamoDB's own JSON: for oracles, never for handlers. */
  scan(table: string): Promise<Record<string, unknown>[]>;
}

type Attributes = Record<string, Record<string, unknown>>;
interface Body {
  TableName?: string;
  Key?: Attributes;
  Item?: Attributes;
  ExpressionAttributeNames?: Record<string, string>;
  ExpressionAttributeValues?: Attributes;
  RequestItems?: Record<string, unknown>;
  KeyConditionExpression?: string;
  ReturnValuesOnConditionCheckFailure?: string;
}

const CONTENT_TYPE = 'application/x-amz-json-1.0';

/** Requests made inside the emulator carry the form of a signature: the engine insists on one. */
const INTERNAL_HEADERS = {
  'content-type': CONTENT_TYPE,
  authorization:
    'AWS4-HMAC-SHA256 Credential=a/b/c/dynamodb/aws4_request, SignedHeaders=d, Signature=e',
  'x-amz-date': '20260101T000000Z',
};

const operationOf = (request: WireRequest): string =>
  (request.headers['x-amz-target'] ?? '').split('.')[1] ?? '';

/** One request through the engine's own HTTP handler, without a socket. */
const exchange = (server: Server, request: WireRequest): Promise<WireResponse> =>
  new Promise((resolve) => {
    const { pathname, search } = new URL(request.url);
    const incoming = Object.assign(new EventEmitter(), {
      method: request.method,
      url: `${pathname}${search}`,
      headers: request.headers,
    });
    const headers: Record<string, string> = {};
    const outgoing = {
      statusCode: 200,
      setHeader: (name: string, value: unknown) => {
        headers[name.toLowerCase()] = String(value);
      },
      end: (body = '') => resolve({ status: outgoing.statusCode, headers, body }),
    };
    server.emit('request', incoming, outgoing);
    incoming.emit('data', Buffer.from(request.body));
    incoming.emit('end');
  });

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
 * DynamoDB by dynalite, inside the process. Requests are applied one at a time, so a conditional
 * write and the item it failed on are read in one piece. Added to the engine: rights of the
 * caller's role, `ReturnValuesOnConditionCheckFailure: ALL_OLD`, and request ids from the seed.
 */
export const createDynamoDb = (deps: {
  time: Clock;
  rng: Rng;
  iam: Iam;
  account: string;
  region: string;
  tables: readonly Resource[];
}): DynamoDb => {
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work);
    // The next in line does not care how this one ended; whoever asked for it does.
    last = mine.catch(() => undefined);
    return deps.time.busy(mine);
  };
  const ask = async (operation: string, body: object): Promise<Record<string, unknown>> => {
    const response = await exchange(server, {
      method: 'POST',
      url: 'https://dynamodb/',
      headers: { ...INTERNAL_HEADERS, 'x-amz-target': `DynamoDB_20120810.${operation}` },
      body: JSON.stringify(body),
    });
    if (response.status !== 200) throw new Error(`${operation}: ${response.body}`);
    return JSON.parse(response.body);
  };
  const created = deps.tables.map(({ ref, properties }) => {
    const { KeySchema, AttributeDefinitions, BillingMode } = properties;
    const table = { TableName: ref, KeySchema, AttributeDefinitions, BillingMode };
    return inTurn(() => ask('CreateTable', table));
  });

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

  /** The engine ignores the wish for the winner's item: it is read before anyone else may write. */
  const withWinner = async (response: WireResponse, body: Body): Promise<WireResponse> => {
    if (
      body.ReturnValuesOnConditionCheckFailure !== 'ALL_OLD' ||
      !response.body.includes('ConditionalCheckFailedException')
    ) {
      return response;
    }
    const key = body.Key ?? { pk: body.Item?.pk, sk: body.Item?.sk };
    const { Item } = await ask('GetItem', {
      TableName: body.TableName,
      Key: key,
      ConsistentRead: true,
    });
    if (!Item) return response;
    const { 'x-amz-crc32': _, 'content-length': __, ...headers } = response.headers;
    return { ...response, headers, body: JSON.stringify({ ...JSON.parse(response.body), Item }) };
  };

  return {
    ready: async () => {
      await Promise.all(created);
    },
    handle: (request, caller) =>
      inTurn(async () => {
        // What is no JSON is refused by the engine itself, in DynamoDB's words.
        const body = (tryParse(request.body)?.value ?? {}) as Body;
        const why = denied(request, body, caller);
        if (why) return refusal('com.amazon.coral.service#AccessDeniedException', why);
        const response = await withWinner(await exchange(server, request), body);
        response.headers['x-amzn-requestid'] = deps.rng.hex(26).toUpperCase();
        return response;
      }),
    scan: (table) =>
      inTurn(async () => {
        const { Items } = await ask('Scan', { TableName: table });
        const items = Items as Record<string, { S?: string }>[];
        const order = (item: (typeof items)[number]): string => `${item.pk?.S}\n${item.sk?.S}`;
        return items.sort((a, b) => (order(a) < order(b) ? -1 : 1));
      }),
  };
};
