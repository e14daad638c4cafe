import { afterEach, describe, expect, it } from 'vitest';
import type { AwsEvent } from '../../../emulator/core/aws-event.ts';
import { matchesPattern } from '../../../emulator/services/events/pattern.ts';
import { rateMs } from '../../../emulator/services/scheduler/scheduler.ts';
import { closeAll, createFixture, type Fixture, START } from './fixture.ts';

afterEach(closeAll);

const LETTERS = 'arn:aws:sqs:us-east-1:123456789012:test-DeadLetters';
const stopped: AwsEvent = {
  version: '0',
  id: '7bf73129-1428-4cd3-a780-95db273d1602',
  'detail-type': 'EC2 Instance State-change Notification',
  source: 'aws.ec2',
  account: '123456789012',
  time: '2026-11-22T21:29:54Z',
  region: 'us-east-1',
  resources: ['arn:aws:ec2:us-east-1:123456789012:instance/i-1'],
  detail: { 'instance-id': 'i-1', state: 'stopped' },
};
const pass = (world: Fixture, ms = 300_000) =>
  world.time.run({ until: () => false, horizonMs: ms });
const ran = (world: Fixture): number =>
  world.lambda.records().filter(({ functionKey }) => functionKey === 'count').length;

describe('an event pattern', () => {
  it.each([
    [{ source: ['aws.ec2'] }, true],
    [{ source: ['aws.health', 'aws.ec2'] }, true],
    [{ source: ['aws.health'] }, false],
    [{ source: [{ prefix: 'aws.' }] }, true],
    [{ source: [{ suffix: '.ec2' }] }, true],
    [{ source: [{ wildcard: 'a*.ec?' }] }, true],
    [{ source: [{ 'equals-ignore-case': 'AWS.EC2' }] }, true],
    [{ source: [{ 'anything-but': 'aws.health' }] }, true],
    [{ source: [{ 'anything-but': ['aws.health', 'aws.ec2'] }] }, false],
    [{ source: [{ 'anything-but': { prefix: 'aws.' } }] }, false],
    [{ detail: { state: ['stopped'], 'instance-id': [{ prefix: 'i-' }] } }, true],
    [{ detail: { state: ['running'] } }, false],
    [{ detail: { reason: [{ exists: false }] } }, true],
    [{ detail: { reason: [{ exists: true }] } }, false],
    [{ detail: { reason: { code: ['x'] } } }, false],
    [{ detail: { reason: [{ 'anything-but': 'x' }] } }, false],
    [{ resources: [{ suffix: 'i-1' }] }, true],
    [{ $or: [{ source: ['x'] }, { detail: { state: ['stopped'] } }] }, true],
    [{ $or: [{ source: ['x'] }, { source: ['y'] }] }, false],
  ])('%j matches: %s', (pattern, matches) => {
    expect(matchesPattern(pattern, stopped)).toBe(matches);
  });

  it('looks into every object of a list', () => {
    const pattern = { metrics: { metricStat: { metric: { name: [{ prefix: 'Status' }] } } } };
    const metric = (name: string) => ({ metricStat: { metric: { name } } });
    expect(matchesPattern(pattern, { metrics: [metric('CPU'), metric('StatusCheck')] })).toBe(true);
    expect(matchesPattern(pattern, { metrics: [metric('CPU')] })).toBe(false);
  });

  it('does not pass over an operator it does not know', () => {
    expect(() => matchesPattern({ source: [{ cidr: '10.0.0.0/8' }] }, stopped)).toThrow('cidr');
    expect(() => matchesPattern({ source: 'aws.ec2' }, stopped)).toThrow('source');
  });
});

describe('a rule', () => {
  it('delivers an event to its target some 150 ms later', async () => {
    const world = await createFixture();
    const before = world.time.now();
    world.events.publish(stopped);
    await pass(world, 5_000);
    const [delivery] = world.events.deliveries();
    expect(delivery).toMatchObject({ outcome: 'delivered', rule: 'test-SignalRule' });
    expect((delivery?.at ?? 0) - before).toBeGreaterThan(40);
    expect((delivery?.at ?? 0) - before).toBeLessThan(800);
    expect(ran(world)).toBe(1);
  });

  it('hears nothing of what it does not match', async () => {
    const world = await createFixture();
    world.events.publish({ ...stopped, detail: { state: 'running' } });
    await pass(world);
    expect(world.events.deliveries()).toEqual([]);
  });

  it('parks an event whose target it may not invoke, with the reason', async () => {
    const world = await createFixture();
    world.events.publish(stopped);
    await pass(world, 5_000);
    expect(world.sqs.messages(LETTERS)).toMatchObject([
      {
        body: JSON.stringify(stopped),
        attributes: {
          ERROR_CODE: 'NO_PERMISSIONS',
          RULE_ARN: expect.stringContaining('SignalRule'),
        },
      },
    ]);
    expect(world.lambda.records().map(({ functionKey }) => functionKey)).toEqual(['count']);
  });

  it('delivers twice, late or never when told to', async () => {
    const world = await createFixture();
    world.faults.deliver = (_, target) =>
      target.endsWith('count') ? [{ delayMs: 0 }, { delayMs: 60_000 }] : [];
    world.events.publish(stopped);
    await pass(world, 30_000);
    expect(ran(world)).toBe(1);
    await pass(world, 60_000);
    expect(ran(world)).toBe(2);
    expect(world.sqs.messages(LETTERS)).toEqual([]);
  });
});

describe('PutEvents', () => {
  const put = (world: Fixture, entry: object, key?: string) =>
    world.call('events', 'AWSEvents.PutEvents', { Entries: [entry] }, key);
  const news = {
    Source: 'count.x',
    DetailType: 'News',
    Detail: '{"a":1}',
    EventBusName: 'news-blue',
  };

  it('carries an event over a custom bus, by name or ARN', async () => {
    const world = await createFixture();
    const arn = 'arn:aws:events:us-east-1:123456789012:event-bus/news-blue';
    const first = await put(world, news, 'ASIACountRole');
    await put(world, { ...news, EventBusName: arn });
    expect(first).toMatchObject({ status: 200, body: { FailedEntryCount: 0 } });
    await pass(world, 5_000);
    const [message] = world.sqs.messages(LETTERS);
    expect(world.sqs.messages(LETTERS)).toHaveLength(2);
    expect(JSON.parse(message?.body ?? '{}')).toMatchObject({
      source: 'count.x',
      'detail-type': 'News',
      account: '123456789012',
      detail: { a: 1 },
    });
  });

  it.each([
    {
      wrong: 'a source of AWS',
      change: { Source: 'aws.ec2' },
      code: 'NotAuthorizedForSourceException',
    },
    {
      wrong: 'a bus that is not there',
      change: { EventBusName: 'x' },
      code: 'ResourceNotFoundException',
    },
    { wrong: 'a detail that is no JSON', change: { Detail: '{' }, code: 'MalformedDetail' },
    { wrong: 'a detail that is a list', change: { Detail: '[]' }, code: 'MalformedDetail' },
    { wrong: 'no type', change: { DetailType: undefined }, code: 'InvalidArgument' },
  ])('answers 200 and fails the entry for $wrong', async ({ change, code }) => {
    const world = await createFixture();
    expect(await put(world, { ...news, ...change })).toMatchObject({
      status: 200,
      body: { FailedEntryCount: 1, Entries: [{ ErrorCode: code }] },
    });
    await pass(world, 5_000);
    expect(world.sqs.messages(LETTERS)).toEqual([]);
  });

  it('refuses a role without the right and a request without entries', async () => {
    const world = await createFixture();
    expect((await put(world, news, 'ASIACallbackRole')).body.__type).toBe('AccessDeniedException');
    const none = await world.call('events', 'AWSEvents.PutEvents', { Entries: [] });
    expect(none.body.__type).toBe('ValidationException');
  });
});

describe('the scheduler', () => {
  it('runs a function every minute, at a phase of its own, until it is stopped', async () => {
    const world = await createFixture();
    const stop = world.scheduler.start();
    await pass(world, 600_000);
    const starts = world.lambda.records().map(({ startedAt }) => startedAt);
    expect(starts).toHaveLength(10);
    expect((starts[2] ?? 0) - (starts[1] ?? 0)).toBe(60_000);
    expect((starts[0] ?? 0) - START).toBeLessThan(61_000);
    stop();
    await pass(world, 600_000);
    expect(ran(world)).toBe(10);
  });

  it('knows rates and nothing else', () => {
    expect([rateMs('rate(1 minute)'), rateMs('rate(2 hours)')]).toEqual([60_000, 7_200_000]);
    expect(() => rateMs('cron(0 * * * ? *)')).toThrow('cron');
  });
});
