import { EventEmitter } from 'node:events';
import type { Server } from 'node:http';
import dynalite from 'dynalite';
import type { Clock } from '../../core/virtual-time.ts';
import type { WireRequest, WireResponse } from '../../core/wire.ts';
import { isObject } from '../json-protocol.ts';
import { CONTENT_TYPE, type Engine } from './engine.ts';

/** Requests made inside the emulator carry the form of a signature: the engine insists on one. */
const INTERNAL_HEADERS = {
  'content-type': CONTENT_TYPE,
  authorization:
    'AWS4-HMAC-SHA256 Credential=a/b/c/dynamodb/aws4_request, SignedHeaders=d, Signature=e',
  'x-amz-date': '20260101T000000Z',
};

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

/**
 * DynamoDB by dynalite, inside the process. Requests are applied one at a time, so a conditional
 * write and the item it failed on are read in one piece. Added to the engine:
 * `ReturnValuesOnConditionCheckFailure: ALL_OLD`.
 */
export const createDynaliteEngine = (time: Pick<Clock, 'busy'>): Engine => {
  const server = dynalite({ createTableMs: 0, deleteTableMs: 0, updateTableMs: 0 });
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work);
    // The next in line does not care how this one ended; whoever asked for it does.
    last = mine.catch(() => undefined);
    return time.busy(mine);
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

  /** The engine ignores the wish for the winner's item: it is read before anyone else may write. */
  const withWinner = async (response: WireResponse, body: unknown): Promise<WireResponse> => {
    if (
      !isObject(body) ||
      body.ReturnValuesOnConditionCheckFailure !== 'ALL_OLD' ||
      !response.body.includes('ConditionalCheckFailedException')
    ) {
      return response;
    }
    const written = isObject(body.Item) ? body.Item : {};
    const { Item } = await ask('GetItem', {
      TableName: body.TableName,
      Key: body.Key ?? { pk: written.pk, sk: written.sk },
      ConsistentRead: true,
    });
    if (!Item) return response;
    const { 'x-amz-crc32': _, 'content-length': __, ...headers } = response.headers;
    return { ...response, headers, body: JSON.stringify({ ...JSON.parse(response.body), Item }) };
  };

  return {
    create: async ({ ref, properties }) => {
      const { KeySchema, AttributeDefinitions, BillingMode } = properties;
      const table = { TableName: ref, KeySchema, AttributeDefinitions, BillingMode };
      await inTurn(() => ask('CreateTable', table));
    },
    // What is no JSON is refused by the engine itself, in DynamoDB's words.
    handle: (request, body) =>
      inTurn(async () => withWinner(await exchange(server, request), body)),
    scan: (table) =>
      inTurn(async () => {
        const { Items } = await ask('Scan', { TableName: table });
        return Items as Record<string, unknown>[];
      }),
  };
};
