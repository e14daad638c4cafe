import * as fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { type Request, requests } from './requests.ts';
import { type Answer, dynaliteTables, keyOf, memoryTables, type Tables } from './tables.ts';

const KEYS = ['A', 'B'].flatMap((pk) =>
  ['OPEN', 'STEP#1', 'STEP#2', 'é'].map((sk) => keyOf(pk, sk)),
);

const answers = async (tables: Tables, all: readonly Request[]): Promise<Answer[]> => {
  for (const Key of KEYS) await tables.ask('DeleteItem', { Key });
  const given: Answer[] = [];
  for (const { operation, input } of all) given.push(await tables.ask(operation, input));
  return given;
};

let memory: Tables;
let dynalite: Tables;
beforeAll(async () => {
  [memory, dynalite] = await Promise.all([memoryTables(), dynaliteTables()]);
});

describe('tables in plain memory', () => {
  it('answer random requests as dynalite does, to the word', async () => {
    const kinds: Record<string, number> = {};
    await fc.assert(
      fc.asyncProperty(requests, async (all) => {
        const [ours, theirs] = [await answers(memory, all), await answers(dynalite, all)];
        for (const [index, answer] of ours.entries()) {
          expect(answer, JSON.stringify(all[index])).toEqual(theirs[index]);
          const kind = answer.body.__type?.split('#')[1] ?? 'answered';
          kinds[kind] = (kinds[kind] ?? 0) + 1;
        }
      }),
      { numRuns: 300, seed: 1 },
    );
    expect(kinds.answered).toBeGreaterThan(500);
    expect(kinds.ConditionalCheckFailedException).toBeGreaterThan(200);
    expect(kinds.ValidationException).toBeGreaterThan(100);
  });

  const Key = keyOf('A', 'OPEN');
  const names = { ExpressionAttributeNames: { '#n': 'n' } };
  const values = { ExpressionAttributeValues: { ':v': { N: '1' } } };
  const put = (more: object) => ['PutItem', { Item: Key, ...more }] as const;
  const update = (UpdateExpression: string, more: object = {}) =>
    ['UpdateItem', { Key, UpdateExpression, ...more }] as const;
  const query = (KeyConditionExpression: string, pk: object = { S: 'A' }) => {
    const aliases = KeyConditionExpression.match(/#\w+/g) ?? [];
    const all = { ':pk': pk, ...(/:sk/.test(KeyConditionExpression) && { ':sk': { S: 'a' } }) };
    return [
      'Query',
      {
        KeyConditionExpression,
        ExpressionAttributeNames: Object.fromEntries(aliases.map((a) => [a, a.slice(1)])),
        ExpressionAttributeValues: all,
      },
    ] as const;
  };

  it.each([
    ['no key', 'GetItem', {}],
    ['half a key', 'GetItem', { Key: { pk: { S: 'A' } } }],
    ['a key of another type', 'GetItem', { Key: { pk: { N: '1' }, sk: { S: 'x' } } }],
    ['an empty key', 'GetItem', { Key: keyOf('', 'x') }],
    ['too long a hash key', 'GetItem', { Key: keyOf('x'.repeat(2049), 'x') }],
    ['too long a range key', 'GetItem', { Key: keyOf('x', 'x'.repeat(1025)) }],
    ['another table', 'GetItem', { Key, TableName: 'other' }],
    ['an item without its key', 'PutItem', { Item: { pk: { S: 'A' } } }],
    ['an item with an empty key', 'PutItem', { Item: keyOf('A', '') }],
    ['an item with a key of another type', 'PutItem', { Item: { ...Key, sk: { BOOL: true } } }],
    ['a number that is none', ...put({ Item: { ...Key, n: { N: 'one' } } })],
    ['a number that is empty', ...put({ Item: { ...Key, n: { N: '' } } })],
    ['too many digits', ...put({ Item: { ...Key, n: { N: '1'.repeat(39) } } })],
    ['too large a number', ...put({ Item: { ...Key, n: { N: '1e126' } } })],
    ['too small a number', ...put({ Item: { ...Key, n: { N: '1e-131' } } })],
    ['an empty value', ...put({ Item: { ...Key, n: {} } })],
    ['a value of two types', ...put({ Item: { ...Key, n: { N: '1', S: '1' } } })],
    ['a null that is false', ...put({ Item: { ...Key, n: { NULL: false } } })],
    ['a nested value of two types', ...put({ Item: { ...Key, n: { L: [{ N: '1', S: '' }] } } })],
    ['ReturnValues of an update', ...put({ ReturnValues: 'ALL_NEW' })],
    ['names without expressions', ...put(names)],
    ['values without expressions', ...put(values)],
    ['an alias that is not declared', ...put({ ConditionExpression: '#m = :v', ...values })],
    ['a value that is not declared', ...put({ ConditionExpression: '#n = :w', ...names })],
    ['an alias too many', ...put({ ConditionExpression: 'attribute_exists(x)', ...names })],
    ['a value too many', ...put({ ConditionExpression: 'attribute_exists(x)', ...values })],
    ['a reserved word', ...put({ ConditionExpression: 'attribute_exists(status)' })],
    ['an empty condition', ...put({ ConditionExpression: '' })],
    [
      'an alias without its sign',
      ...put({ ConditionExpression: 'attribute_exists(n)', ExpressionAttributeNames: { n: 'n' } }),
    ],
    [
      'a value that is none',
      ...put({
        ConditionExpression: 'n = :v',
        ExpressionAttributeValues: { ':v': { N: 'one' } },
      }),
    ],
    ['a number as a prefix', ...put({ ConditionExpression: 'begins_with(n, :v)', ...values })],
    ['two sections of a kind', ...update('SET a = :v SET b = :v', values)],
    [
      'text in a sum',
      ...update('SET a = a + :v', { ExpressionAttributeValues: { ':v': { S: '' } } }),
    ],
    ['a key as the target', ...update('SET pk = :v', values)],
    ['no condition on the hash key', ...query('#sk = :sk AND #x = :pk')],
    ['a range of hash keys', ...query('#pk > :pk')],
    ['a number as the hash key', ...query('#pk = :pk', { N: '1' })],
    ['alternatives', ...query('#pk = :pk OR #sk = :sk')],
    ['inequality', ...query('#pk = :pk AND #sk <> :sk')],
    ['a negation', ...query('#pk = :pk AND NOT #sk = :sk')],
    ['two conditions on one key', ...query('#pk = :pk AND #pk = :sk')],
    ['a query for an attribute that is no key', ...query('#pk = :pk AND #x = :sk')],
    ['a query without condition', 'Query', {}],
    ['a limit of nothing', 'Query', { Limit: 0, KeyConditionExpression: 'pk = :v', ...values }],
  ])('refuse %s in the same words', async (_, operation, input) => {
    const refused = await memory.ask(operation, input);
    expect(refused).toEqual(await dynalite.ask(operation, input));
    expect(refused.status).toBe(400);
  });

  it.each([
    ['#n =', 'ConditionExpression'],
    ['#n = :v)', 'ConditionExpression'],
    ['#n == :v', 'ConditionExpression'],
    ['AND #n = :v', 'ConditionExpression'],
    ['#n IN :v', 'ConditionExpression'],
    ['#n.:v', 'ConditionExpression'],
    ['SET #n', 'UpdateExpression'],
    ['SET #n = :v,', 'UpdateExpression'],
    ['#n = :v', 'UpdateExpression'],
    ['ADD #n #n', 'UpdateExpression'],
  ])('refuse the syntax of "%s" as well', async (text, member) => {
    const input = { Key, [member]: text, ...names, ...values };
    for (const tables of [memory, dynalite]) {
      const { body } = await tables.ask('UpdateItem', input);
      expect(body.__type).toContain('ValidationException');
      expect(body.message).toContain(`Invalid ${member}: Syntax error;`);
    }
  });
});
