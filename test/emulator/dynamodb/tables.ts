import type { Clock } from '../../../emulator/core/virtual-time.ts';
import { createDynaliteEngine } from '../../../emulator/services/dynamodb/dynalite-engine.ts';
import type { Edit, Engine } from '../../../emulator/services/dynamodb/engine.ts';
import {
  createMemoryEngine,
  type MemoryHooks,
} from '../../../emulator/services/dynamodb/memory-engine.ts';

const TABLE = 'ledger';

export interface Answer {
  status: number;
  body: Record<string, unknown> & {
    __type?: string;
    message?: string;
    Items?: Record<string, unknown>[];
  };
}

/** One table with the keys `pk` and `sk`, asked over the wire. */
export interface Tables {
  ask(operation: string, input: object): Promise<Answer>;
  /** Past the wire; throws for an engine that cannot. */
  edit(change: Edit): void;
}

const caller = { accessKeyId: 'AKIAPERSON' };

const over = async (engine: Engine): Promise<Tables> => {
  await engine.create({
    logicalId: 'Ledger',
    type: 'AWS::DynamoDB::Table',
    ref: TABLE,
    arn: `arn:aws:dynamodb:us-east-1:123456789012:table/${TABLE}`,
    properties: {
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'sk', AttributeType: 'S' },
      ],
      KeySchema: [
        { AttributeName: 'pk', KeyType: 'HASH' },
        { AttributeName: 'sk', KeyType: 'RANGE' },
      ],
    },
  });
  return {
    edit: (change) => {
      if (!engine.edit) throw new Error('this engine is edited by requests only');
      engine.edit(TABLE, change);
    },
    ask: async (operation, input) => {
      const body = JSON.stringify({ TableName: TABLE, ...input });
      const request = {
        method: 'POST',
        url: 'https://dynamodb.us-east-1.amazonaws.com/',
        headers: {
          'content-type': 'application/x-amz-json-1.0',
          'x-amz-target': `DynamoDB_20120810.${operation}`,
          'x-amz-date': '20261122T210000Z',
          authorization:
            'AWS4-HMAC-SHA256 Credential=A/20261122/us-east-1/dynamodb/aws4_request, ' +
            'SignedHeaders=host, Signature=0',
        },
        body,
      };
      const response = await engine.handle(request, JSON.parse(body), caller);
      return { status: response.status, body: JSON.parse(response.body) };
    },
  };
};

export const memoryTables = (
  hooks: MemoryHooks = {},
  now: () => number = () => 0,
): Promise<Tables> => over(createMemoryEngine({ now }, hooks));

export const dynaliteTables = async (): Promise<Tables> => {
  const busy: Clock['busy'] = (work) => work;
  const tables = await over(createDynaliteEngine({ busy }));
  // A table becomes active on a timer of the engine's own.
  while ((await tables.ask('GetItem', { Key: keyOf('a', 'a') })).status !== 200) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return tables;
};

export const keyOf = (pk: string, sk: string) => ({ pk: { S: pk }, sk: { S: sk } });
