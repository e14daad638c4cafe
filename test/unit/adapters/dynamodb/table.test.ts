import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  DynamoDBClient,
  DynamoDBServiceException,
  GetItemCommand,
  InternalServerError,
  ProvisionedThroughputExceededException,
  PutItemCommand,
  QueryCommand,
  RequestLimitExceeded,
  ResourceNotFoundException,
  ScanCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { beforeEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { LedgerTable } from '../../../../src/adapters/dynamodb/table.ts';
import { intercept, offenceOf, type Request } from '../../../contract/ledger-dynalite.ts';

const client = new DynamoDBClient({ region: 'us-east-1' });
const dynamo = mockClient(client);
const table = new LedgerTable({ client, table: 'ledger' });
const key = { pk: 'VOLUME#vol-1', sk: 'OWNER' };
const schema = z.object({ schema: z.literal(1), n: z.number() });
const item = { pk: { S: key.pk }, sk: { S: key.sk }, schema: { N: '1' }, n: { N: '4' } };
const absent = { when: 'attribute_not_exists(#pk)' };
const $metadata = {};
const message = 'from DynamoDB';

beforeEach(() => dynamo.reset());

const operations = [
  { name: 'GetItem', run: () => table.get(key, schema) },
  { name: 'Query', run: () => table.list(key.pk, 'EPOCH#', schema) },
  { name: 'PutItem', run: () => table.put(key, { n: 4 }, absent) },
  { name: 'UpdateItem', run: () => table.update(key, { set: { n: 5 } }, absent, schema) },
  { name: 'DeleteItem', run: () => table.remove(key, absent) },
];

describe('what the table asks for', () => {
  const watched = (): { requests: Request[]; client: DynamoDBClient } => {
    const requests: Request[] = [];
    const seen = intercept(new DynamoDBClient({ region: 'us-east-1' }), async (request) => {
      requests.push(request);
      throw new Error('not sent');
    });
    return { requests, client: seen };
  };

  it('DB-04: is consistent in every read and conditional in every write', async () => {
    const { requests, client: seen } = watched();
    const spied = new LedgerTable({ client: seen, table: 'ledger' });
    await Promise.allSettled([
      spied.get(key, schema),
      spied.list(key.pk, 'EPOCH#', schema),
      spied.put(key, { n: 4 }, absent),
      spied.update(key, { set: { n: 5 } }, absent, schema),
      spied.remove(key, absent),
    ]);
    expect(requests).toHaveLength(5);
    expect(requests.map(offenceOf)).toEqual(requests.map(() => undefined));
  });

  it('would be caught otherwise', async () => {
    const { requests, client: seen } = watched();
    const Key = { pk: { S: key.pk }, sk: { S: key.sk } };
    const TableName = 'ledger';
    await Promise.allSettled([
      seen.send(new GetItemCommand({ TableName, Key })),
      seen.send(new QueryCommand({ TableName, ConsistentRead: false })),
      seen.send(new PutItemCommand({ TableName, Item: item })),
      seen.send(new UpdateItemCommand({ TableName, Key, UpdateExpression: 'REMOVE n' })),
      seen.send(new DeleteItemCommand({ TableName, Key })),
      seen.send(new ScanCommand({ TableName, ConsistentRead: true })),
      seen.send(new TransactWriteItemsCommand({ TransactItems: [] })),
    ]);
    expect(requests.map(offenceOf)).toEqual([
      'GetItemCommand may read what is old',
      'QueryCommand may read what is old',
      'PutItemCommand without a condition',
      'UpdateItemCommand without a condition',
      'DeleteItemCommand without a condition',
      'ScanCommand is not for the ledger',
      'TransactWriteItemsCommand is not for the ledger',
    ]);
  });

  it('changes no item of another schema', async () => {
    dynamo.on(UpdateItemCommand).resolves({ Attributes: item });
    await table.update(key, { set: { n: 5 } }, { when: '#n = :n', values: { n: 4 } }, schema);
    expect(dynamo.commandCalls(UpdateItemCommand)[0]?.args[0].input).toMatchObject({
      ConditionExpression: '#schema = :schema AND (#n = :n)',
      ExpressionAttributeNames: { '#schema': 'schema', '#n': 'n' },
      ExpressionAttributeValues: { ':schema': { N: '1' }, ':n': { N: '4' }, ':set0': { N: '5' } },
    });
  });

  it('leaves out what is undefined, in items and in changes', async () => {
    dynamo.on(PutItemCommand).resolves({}).on(UpdateItemCommand).resolves({ Attributes: item });
    await table.put(key, { n: 4, owner: undefined }, absent);
    await table.update(key, { set: { n: 5, owner: undefined } }, absent, schema);
    expect(dynamo.commandCalls(PutItemCommand)[0]?.args[0].input.Item).toEqual(item);
    const update = dynamo.commandCalls(UpdateItemCommand)[0]?.args[0].input;
    expect(update?.UpdateExpression).toBe('SET #n = :set0');
  });
});

describe('what the table makes of the answers', () => {
  it('parses what it reads', async () => {
    dynamo.on(GetItemCommand).resolves({ Item: item });
    expect(await table.get(key, schema)).toEqual({ schema: 1, n: 4 });
  });

  it('takes no item for a confirmed miss', async () => {
    dynamo.on(GetItemCommand).resolves({});
    expect(await table.get(key, schema)).toBeUndefined();
  });

  it('takes a condition that did not hold for an answer', async () => {
    dynamo.onAnyCommand().rejects(new ConditionalCheckFailedException({ $metadata, message }));
    expect(await table.put(key, { n: 4 }, absent)).toBe(false);
    expect(await table.remove(key, absent)).toBe(false);
    expect(await table.update(key, { set: { n: 5 } }, absent, schema)).toBeUndefined();
  });

  it('names the record that does not read as its schema', async () => {
    dynamo.on(GetItemCommand).resolves({ Item: { ...item, schema: { N: '2' } } });
    await expect(table.get(key, schema)).rejects.toMatchObject({
      name: 'CorruptRecordError',
      details: { key: 'VOLUME#vol-1/OWNER', problem: expect.stringContaining('schema') },
    });
  });

  const throttled = new ProvisionedThroughputExceededException({ $metadata, message });
  const denied = new DynamoDBServiceException({
    name: 'AccessDeniedException',
    $fault: 'client',
    $metadata,
    message,
  });
  const invalid = new DynamoDBServiceException({
    name: 'ValidationException',
    $fault: 'client',
    $metadata,
    message,
  });
  const lost = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });

  it.each([
    { cause: throttled, becomes: 'LedgerUnavailableError' },
    { cause: new RequestLimitExceeded({ $metadata, message }), becomes: 'LedgerUnavailableError' },
    { cause: new InternalServerError({ $metadata, message }), becomes: 'LedgerUnavailableError' },
    { cause: lost, becomes: 'LedgerUnavailableError' },
    { cause: denied, becomes: 'NotAuthorizedError' },
    { cause: invalid, becomes: 'CloudRefusedError' },
    {
      cause: new ResourceNotFoundException({ $metadata, message }),
      becomes: 'CloudRefusedError',
    },
  ])('turns $cause.name into $becomes, with its cause', async ({ cause, becomes }) => {
    dynamo.onAnyCommand().rejects(cause);
    for (const { name, run } of operations) {
      await expect(run()).rejects.toMatchObject({
        name: becomes,
        cause,
        details: { operation: name },
      });
    }
  });

  it('walks all pages, each where the last one ended', async () => {
    dynamo
      .on(QueryCommand)
      .resolvesOnce({ Items: [item], LastEvaluatedKey: { pk: { S: 'a' }, sk: { S: 'b' } } })
      .resolvesOnce({ Items: [item, item] });
    expect(await table.list(key.pk, 'EPOCH#', schema)).toHaveLength(3);
    const starts = dynamo.commandCalls(QueryCommand).map(({ args }) => args[0].input);
    expect(starts[0]).not.toHaveProperty('ExclusiveStartKey');
    expect(starts[1]?.ExclusiveStartKey).toEqual({ pk: { S: 'a' }, sk: { S: 'b' } });
  });

  it('gives up on a walk without end, rather than answer a part', async () => {
    dynamo.on(QueryCommand).resolves({ Items: [], LastEvaluatedKey: { pk: { S: 'a' } } });
    await expect(table.list(key.pk, 'EPOCH#', schema)).rejects.toThrow('Query');
    expect(dynamo.commandCalls(QueryCommand)).toHaveLength(100);
  });
});
