import { describe, expect, it } from 'vitest';
import type { Item } from '../../../emulator/services/dynamodb/attribute-value.ts';
import type { Access, MemoryHooks } from '../../../emulator/services/dynamodb/memory-engine.ts';
import { createMemoryEngine } from '../../../emulator/services/dynamodb/memory-engine.ts';
import { keyOf, memoryTables } from './tables.ts';

const Key = keyOf('A', 'OPEN');
const withN = (n: number) => ({ Item: { ...Key, n: { N: String(n) } } });

describe('tables in plain memory', () => {
  it('show the past to a read that is not consistent, and to no other', async () => {
    let now = 1_000;
    const hooks: MemoryHooks = {};
    const tables = await memoryTables(hooks, () => now);
    for (const n of [1, 2, 3]) {
      await tables.ask('PutItem', withN(n));
      now += 100;
    }
    const query = {
      KeyConditionExpression: 'pk = :pk',
      ExpressionAttributeValues: { ':pk': { S: 'A' } },
    };
    const seen = async (more: object) => {
      const { body } = await tables.ask('GetItem', { Key, ...more });
      const page = await tables.ask('Query', { ...query, ...more });
      expect(page.body.Items).toEqual(body.Item === undefined ? [] : [body.Item]);
      return body.Item as { n: { N: string } } | undefined;
    };
    expect((await seen({}))?.n.N).toBe('3');
    hooks.staleMs = () => 150;
    expect((await seen({}))?.n.N).toBe('2');
    hooks.staleMs = () => 5_000;
    expect(await seen({})).toBeUndefined();
    expect((await seen({ ConsistentRead: true }))?.n.N).toBe('3');
  });

  it('decide conditions by the present, however far reads lag', async () => {
    let now = 1_000;
    const tables = await memoryTables({ staleMs: () => 60_000 }, () => now);
    const once = { ...withN(1), ConditionExpression: 'attribute_not_exists(pk)' };
    expect((await tables.ask('PutItem', once)).status).toBe(200);
    now += 1;
    expect((await tables.ask('PutItem', once)).body.__type).toContain('ConditionalCheckFailed');
  });

  it('are edited past every condition, as by a hand or a restore', async () => {
    const tables = await memoryTables();
    for (const sk of ['a', 'b', 'c']) {
      await tables.ask('PutItem', { Item: { ...keyOf('A', sk), n: { N: '1' } } });
    }
    const place = ({ sk }: Item): string => (sk && 'S' in sk ? sk.S : '');
    tables.edit((item) => {
      if (place(item) === 'b') return undefined;
      return place(item) === 'c' ? { ...item, n: { N: '9' } } : item;
    });
    const left = async (sk: string) => (await tables.ask('GetItem', { Key: keyOf('A', sk) })).body;
    expect([await left('a'), await left('b'), await left('c')]).toMatchObject([
      { Item: { n: { N: '1' } } },
      {},
      { Item: { n: { N: '9' } } },
    ]);
    expect(await left('b')).not.toHaveProperty('Item');
  });

  it('tell of every access that happened, with the item before and after', async () => {
    const seen: Access[] = [];
    const tables = await memoryTables({ onAccess: (access) => seen.push(access) });
    await tables.ask('PutItem', withN(1));
    await tables.ask('PutItem', { ...withN(2), ConditionExpression: 'attribute_not_exists(pk)' });
    await tables.ask('GetItem', { Key });
    await tables.ask('GetItem', { Key, ConsistentRead: true });
    await tables.ask('DeleteItem', { Key });
    expect(seen).toMatchObject([
      { kind: 'write', operation: 'PutItem', before: undefined, after: withN(1).Item },
      { kind: 'read', operation: 'GetItem', consistent: false, items: [withN(1).Item] },
      { kind: 'read', operation: 'GetItem', consistent: true },
      { kind: 'write', operation: 'DeleteItem', before: withN(1).Item, after: undefined },
    ]);
  });

  it('show the loser the winner only when asked to', async () => {
    const tables = await memoryTables();
    await tables.ask('PutItem', withN(1));
    const late = { ...withN(2), ConditionExpression: 'attribute_not_exists(pk)' };
    expect((await tables.ask('PutItem', late)).body.Item).toBeUndefined();
    const asked = { ...late, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' };
    expect((await tables.ask('PutItem', asked)).body.Item).toEqual(withN(1).Item);
  });

  it('compare maps and lists by their content', async () => {
    const tables = await memoryTables();
    const deep = (one: string) => ({
      M: { a: { L: [{ S: one }, { NULL: true }] }, b: { N: '1' } },
    });
    await tables.ask('PutItem', { Item: { ...Key, deep: deep('x') } });
    const guarded = (value: object) =>
      tables.ask('DeleteItem', {
        Key,
        ConditionExpression: 'deep = :v',
        ExpressionAttributeValues: { ':v': value },
      });
    expect((await guarded(deep('y'))).status).toBe(400);
    expect((await guarded({ M: { a: deep('x') } })).status).toBe(400);
    expect((await guarded(deep('x'))).status).toBe(200);
  });

  it.each([
    ['toString', 'attribute_exists(#name)', 400],
    ['constructor', 'attribute_not_exists(#name)', 200],
  ])('know no attribute %s unless somebody wrote it', async (name, condition, status) => {
    const tables = await memoryTables();
    const guarded = {
      ...withN(1),
      ConditionExpression: condition,
      ExpressionAttributeNames: { '#name': name },
    };
    expect((await tables.ask('PutItem', guarded)).status).toBe(status);
  });

  it('add exactly, where floating point would not', async () => {
    const tables = await memoryTables();
    await tables.ask('PutItem', { Item: { ...Key, n: { N: '0.1' } } });
    const change = (by: string) =>
      tables.ask('UpdateItem', {
        Key,
        UpdateExpression: 'SET n = n + :by',
        ExpressionAttributeValues: { ':by': { N: by } },
        ReturnValues: 'ALL_NEW',
      });
    expect((await change('0.2')).body.Attributes).toMatchObject({ n: { N: '0.3' } });
    expect((await change('99999999999999999999')).body.Attributes).toMatchObject({
      n: { N: '99999999999999999999.3' },
    });
    expect((await change('1e60')).body.message).toContain('more than 38 significant digits');
  });

  it('hold a partition in pages of a megabyte', async () => {
    const tables = await memoryTables();
    const text = { S: 'x'.repeat(300 * 1024) };
    for (const sk of ['a', 'b', 'c', 'd', 'e']) {
      await tables.ask('PutItem', { Item: { ...keyOf('A', sk), text } });
    }
    const ask = (start: object) =>
      tables.ask('Query', {
        KeyConditionExpression: 'pk = :pk',
        ExpressionAttributeValues: { ':pk': { S: 'A' } },
        ...start,
      });
    const first = await ask({});
    expect(first.body).toMatchObject({ Count: 4, LastEvaluatedKey: keyOf('A', 'd') });
    const second = await ask({ ExclusiveStartKey: first.body.LastEvaluatedKey });
    expect(second.body.Count).toBe(1);
    expect(second.body.LastEvaluatedKey).toBeUndefined();
    const large = { Item: { ...Key, text: { S: 'x'.repeat(400 * 1024) } } };
    expect((await tables.ask('PutItem', large)).body.message).toContain('Item size');
  });

  it.each([
    ['PutItem', { Item: { ...Key, b: { B: 'AA==' } } }],
    ['PutItem', { Item: { ...Key, set: { SS: ['a'] } } }],
    ['PutItem', { Item: Key, Expected: {} }],
    ['PutItem', { Item: Key, ConditionExpression: 'attribute_type(n, n)' }],
    ['PutItem', { Item: Key, ConditionExpression: 'attribute_exists(n[0])' }],
    ['GetItem', { Key, ProjectionExpression: 'n' }],
    ['UpdateItem', { Key, UpdateExpression: 'DELETE n n' }],
    ['UpdateItem', { Key, UpdateExpression: 'REMOVE n[1]' }],
    ['UpdateItem', { Key, UpdateExpression: 'REMOVE n', ReturnValues: 'UPDATED_NEW' }],
  ])('refuse what they do not know, rather than ignore it: %s %j', async (operation, input) => {
    const tables = await memoryTables();
    const { status, body } = await tables.ask(operation, input);
    expect(status).toBe(400);
    expect(body.__type).toContain('ValidationException');
    expect((await tables.ask('GetItem', { Key })).body).toEqual({});
  });

  it('know no other operations and no other kinds of keys', async () => {
    const tables = await memoryTables();
    for (const operation of ['Scan', 'TransactWriteItems', 'toString']) {
      expect((await tables.ask(operation, {})).body.__type).toContain('UnknownOperationException');
    }
    const table = (type: string, ...keys: string[]) => ({
      logicalId: 'T',
      type: 'AWS::DynamoDB::Table',
      ref: 'T',
      arn: 'arn',
      properties: {
        AttributeDefinitions: keys.map((AttributeName) => ({ AttributeName, AttributeType: type })),
        KeySchema: keys.map((AttributeName, index) => ({
          AttributeName,
          KeyType: index === 0 ? 'HASH' : 'RANGE',
        })),
      },
    });
    const engine = createMemoryEngine({ now: () => 0 }, {});
    await expect(engine.create(table('N', 'pk', 'sk'))).rejects.toThrow('type S');
    await expect(engine.create(table('S', 'pk'))).rejects.toThrow('a range key');
  });

  it('refuse what is no request in the words of the protocol', async () => {
    const engine = createMemoryEngine({ now: () => 0 }, {});
    const headers = { 'x-amz-target': 'DynamoDB_20120810.GetItem' };
    const request = { method: 'POST', url: 'https://dynamodb/', headers, body: '{' };
    for (const body of [undefined, 3, { TableName: 7 }]) {
      const response = await engine.handle(request, body, { accessKeyId: '' });
      expect(response.status).toBe(400);
      expect(JSON.parse(response.body).__type).toContain('SerializationException');
    }
  });
});
