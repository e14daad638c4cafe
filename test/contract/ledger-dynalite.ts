import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import {
  type AttributeValue,
  CreateTableCommand,
  DynamoDBClient,
  PutItemCommand,
  ScanCommand,
} from '@aws-sdk/client-dynamodb';
import { marshall } from '@aws-sdk/util-dynamodb';
import dynalite from 'dynalite';
import { createClusterLedger } from '../../src/adapters/dynamodb/cluster-ledger.ts';
import { createDriftLedger } from '../../src/adapters/dynamodb/drift-ledger.ts';
import { createIncidentLedger } from '../../src/adapters/dynamodb/incident-ledger.ts';
import { createNotificationLedger } from '../../src/adapters/dynamodb/notification-ledger.ts';
import { createOrderLedger } from '../../src/adapters/dynamodb/order-ledger.ts';
import { createOwnershipLedger } from '../../src/adapters/dynamodb/ownership-ledger.ts';
import { createQuarantineLedger } from '../../src/adapters/dynamodb/quarantine-ledger.ts';
import { createStormLedger } from '../../src/adapters/dynamodb/storm-ledger.ts';
import type { LedgerDeps } from '../../src/adapters/dynamodb/table.ts';
import { createTellingLedger } from '../../src/adapters/dynamodb/telling-ledger.ts';
import type { Ledgers } from './ledger.ts';

type Item = Record<string, unknown>;

/** A DynamoDB of our own for one test file. */
export interface Dynalite {
  /** Makes a client; one attempt only, as in production. */
  client(): DynamoDBClient;
  /** Makes an empty table and answers its name. */
  table(): Promise<string>;
  close(): Promise<void>;
}

export const startDynalite = async (): Promise<Dynalite> => {
  const server = dynalite({ createTableMs: 0 });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const clients: DynamoDBClient[] = [];
  const client = (): DynamoDBClient => {
    const made = new DynamoDBClient({
      endpoint: `http://127.0.0.1:${port}`,
      region: 'us-east-1',
      credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
      maxAttempts: 1,
    });
    clients.push(made);
    return made;
  };
  let tables = 0;
  const table = async (): Promise<string> => {
    tables += 1;
    const name = `ledger-${tables}`;
    await client().send(
      new CreateTableCommand({
        TableName: name,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [
          { AttributeName: 'pk', AttributeType: 'S' },
          { AttributeName: 'sk', AttributeType: 'S' },
        ],
        KeySchema: [
          { AttributeName: 'pk', KeyType: 'HASH' },
          { AttributeName: 'sk', KeyType: 'RANGE' },
        ],
      }),
    );
    return name;
  };
  const close = async (): Promise<void> => {
    for (const made of clients) made.destroy();
    server.close();
    await once(server, 'close');
  };
  return { client, table, close };
};

/** Writes an item past the ledger, as a person with a console would. */
export const plant = async ({ client, table }: LedgerDeps, item: Item): Promise<void> => {
  await client.send(new PutItemCommand({ TableName: table, Item: marshall(item) }));
};

/** Every item, in key order, in DynamoDB's own JSON. */
export const contents = async ({ client, table }: LedgerDeps) => {
  const { Items = [] } = await client.send(new ScanCommand({ TableName: table }));
  const key = ({ pk, sk }: Record<string, AttributeValue>) => `${pk?.S} ${sk?.S}`;
  return Items.sort((a, b) => (key(a) < key(b) ? -1 : 1));
};

export const ledgersOn = (deps: LedgerDeps): Ledgers => ({
  incidents: createIncidentLedger(deps),
  ownership: createOwnershipLedger(deps),
  cluster: createClusterLedger(deps),
  notifications: createNotificationLedger(deps),
  storms: createStormLedger(deps),
  quarantines: createQuarantineLedger(deps),
  drift: createDriftLedger(deps),
  orders: createOrderLedger(deps),
  telling: createTellingLedger(deps),
  setControl: (cluster, control) =>
    plant(deps, { pk: `CLUSTER#${cluster}`, sk: 'CONTROL', schema: 1, ...control }),
});

const writes = new Set(['PutItemCommand', 'UpdateItemCommand', 'DeleteItemCommand']);

export interface Request {
  readonly name: string;
  readonly input: object;
  readonly isWrite: boolean;
}

/** Puts `around` between the ledger and DynamoDB, request by request. */
export const intercept = (
  client: DynamoDBClient,
  around: <T>(request: Request, send: () => Promise<T>) => Promise<T>,
): DynamoDBClient => {
  client.middlewareStack.add(
    (next, { commandName = '' }) =>
      (args) =>
        around({ name: commandName, input: args.input, isWrite: writes.has(commandName) }, () =>
          next(args),
        ),
    { step: 'initialize', name: 'intercept' },
  );
  return client;
};

const reads = new Set(['GetItemCommand', 'QueryCommand']);

/** What is wrong with a request of the ledger, if anything. */
export const offenceOf = ({ name, input, isWrite }: Request): string | undefined => {
  if (isWrite) {
    const { ConditionExpression: condition } = input as { ConditionExpression?: string };
    return condition ? undefined : `${name} without a condition`;
  }
  if (!reads.has(name)) return `${name} is not for the ledger`;
  const { ConsistentRead: consistent } = input as { ConsistentRead?: boolean };
  return consistent === true ? undefined : `${name} may read what is old`;
};
