import { createHash } from 'node:crypto';
import { afterEach, describe, expect, it } from 'vitest';
import { closeAll, createFixture, type Fixture } from './fixture.ts';

afterEach(closeAll);

const TABLE = 'test-CountTable';
const key = { pk: { S: 'AGENT#i-1' }, sk: { S: 'OPEN' } };
const dynamo = (world: Fixture, operation: string, input: object, accessKeyId?: string) =>
  world.call('dynamodb', `DynamoDB_20120810.${operation}`, input, accessKeyId);

describe('DynamoDB', () => {
  const claim = (world: Fixture, owner: string, more: object = {}) =>
    dynamo(world, 'PutItem', {
      TableName: TABLE,
      Item: { ...key, owner: { S: owner } },
      ConditionExpression: 'attribute_not_exists(pk)',
      ...more,
    });

  it('lets one of two conditional writes win', async () => {
    const world = await createFixture();
    const claims = ['first', 'second'].map((owner) =>
      world.network.send({
        method: 'POST',
        url: 'https://dynamodb.us-east-1.amazonaws.com/',
        headers: {
          'content-type': 'application/x-amz-json-1.0',
          'x-amz-target': 'DynamoDB_20120810.PutItem',
          'x-amz-date': '20261122T210000Z',
          authorization:
            'AWS4-HMAC-SHA256 Credential=A/20261122/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0',
        },
        body: JSON.stringify({
          TableName: TABLE,
          Item: { ...key, owner: { S: owner } },
          ConditionExpression: 'attribute_not_exists(pk)',
        }),
      }),
    );
    const answers = await world.settle(Promise.all(claims));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 400]);
    expect(await world.settle(world.dynamodb.scan(TABLE))).toHaveLength(1);
  });

  it('shows the loser the winner when asked to', async () => {
    const world = await createFixture();
    await claim(world, 'first');
    const silent = await claim(world, 'second');
    expect(silent.body.__type).toContain('ConditionalCheckFailedException');
    expect(silent.body.Item).toBeUndefined();
    const told = await claim(world, 'second', { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' });
    expect(told.body).toMatchObject({ Item: { ...key, owner: { S: 'first' } } });
  });

  it('refuses a role what its policy does not allow', async () => {
    const world = await createFixture();
    const read = { TableName: TABLE, Key: key };
    const other = await dynamo(world, 'GetItem', read, 'ASIACallbackRole');
    expect(other.status).toBe(400);
    expect(other.body.__type).toContain('AccessDeniedException');
    expect((await dynamo(world, 'GetItem', read, 'ASIACountRole')).status).toBe(200);
    const scan = await dynamo(world, 'Scan', { TableName: TABLE }, 'ASIACountRole');
    expect(scan.body.__type).toContain('AccessDeniedException');
  });

  it('refuses in its own words what is no request', async () => {
    const world = await createFixture();
    expect((await dynamo(world, 'TransactWriteItems', {})).body.__type).toContain(
      'UnknownOperationException',
    );
    const missing = await dynamo(world, 'GetItem', { TableName: 'other', Key: key });
    expect(missing.body.__type).toContain('ResourceNotFoundException');
  });
});

describe('SQS', () => {
  const QueueUrl = 'https://sqs.us-east-1.amazonaws.com/123456789012/test-DeadLetters';
  const sqs = (world: Fixture, operation: string, input: object, accessKeyId?: string) =>
    world.call('sqs', `AmazonSQS.${operation}`, { QueueUrl, ...input }, accessKeyId);

  it('hides a received message until it is deleted or its time is over', async () => {
    const world = await createFixture();
    const sent = await sqs(world, 'SendMessage', { MessageBody: 'letter' });
    const md5 = createHash('md5').update('letter').digest('hex');
    expect(sent.body.MD5OfMessageBody).toBe(md5);
    const receive = async () => (await sqs(world, 'ReceiveMessage', {})).body.Messages as object[];
    expect(await receive()).toMatchObject([{ Body: 'letter', MD5OfBody: md5 }]);
    expect(await receive()).toEqual([]);
    const counted = await sqs(world, 'GetQueueAttributes', { AttributeNames: ['All'] });
    expect(counted.body.Attributes).toMatchObject({
      ApproximateNumberOfMessages: '0',
      ApproximateNumberOfMessagesNotVisible: '1',
    });
    await world.settle(new Promise<void>((resolve) => world.time.after(30_000, resolve)));
    const [again] = (await receive()) as { ReceiptHandle: string }[];
    await sqs(world, 'DeleteMessage', { ReceiptHandle: again?.ReceiptHandle });
    expect(world.sqs.messages(QueueUrl)).toEqual([]);
  });

  it('knows no other queue and no role without the right', async () => {
    const world = await createFixture();
    const other = await sqs(world, 'ReceiveMessage', { QueueUrl: `${QueueUrl}2` });
    expect(other.body.__type).toContain('QueueDoesNotExist');
    const denied = await sqs(world, 'ReceiveMessage', {}, 'ASIACountRole');
    expect(denied).toMatchObject({ status: 403, body: { __type: 'AccessDeniedException' } });
    expect(() => world.sqs.deliver('arn:none', '', {})).toThrow('arn:none');
  });
});

describe('Secrets Manager', () => {
  const get = (world: Fixture, SecretId: string, accessKeyId?: string) =>
    world.call('secretsmanager', 'secretsmanager.GetSecretValue', { SecretId }, accessKeyId);

  it('answers the newest value by name, ARN and partial ARN', async () => {
    const world = await createFixture();
    world.secrets.put('slack', 'old');
    world.secrets.put('slack', 'new');
    const { body } = await get(world, 'slack');
    expect(body).toMatchObject({ Name: 'slack', SecretString: 'new' });
    const arn = String(body.ARN);
    expect((await get(world, arn)).body.SecretString).toBe('new');
    expect((await get(world, arn.slice(0, -7))).body.SecretString).toBe('new');
  });

  it('tells a stranger nothing, and a person that it does not exist', async () => {
    const world = await createFixture();
    world.secrets.put('slack', 'value');
    for (const id of ['slack', 'nothing']) {
      expect((await get(world, id, 'ASIACountRole')).body.__type).toBe('AccessDeniedException');
    }
    expect((await get(world, 'nothing')).body.__type).toBe('ResourceNotFoundException');
  });
});
