import type { Caller, WireRequest, WireResponse } from '../../core/wire.ts';
import type { Resource } from '../../infra.ts';
import type { Item } from './attribute-value.ts';

/** An item, in DynamoDB's own JSON, as it shall be; undefined: it shall be no more. */
export type Edit = (item: Item) => Item | undefined;

/** Tables and the wire protocol of DynamoDB; who may ask is decided before. */
export interface Engine {
  /** Resolves when the table takes requests. Rejects for a declaration DynamoDB would refuse. */
  create(table: Resource): Promise<void>;
  /** `body` is the request's body, parsed; undefined when it is no JSON. */
  handle(request: WireRequest, body: unknown, caller: Caller): WireResponse | Promise<WireResponse>;
  /** Every item of a table, in any order, in DynamoDB's own JSON. */
  scan(table: string): Promise<Record<string, unknown>[]>;
  /** See DynamoDb. */
  edit?(table: string, change: Edit): void;
}

export const CONTENT_TYPE = 'application/x-amz-json-1.0';

/** `PutItem`, of `DynamoDB_20120810.PutItem`. */
export const operationOf = (request: WireRequest): string =>
  (request.headers['x-amz-target'] ?? '').split('.')[1] ?? '';
