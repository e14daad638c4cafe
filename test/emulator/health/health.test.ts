import { describe, expect, it } from 'vitest';
import type { AwsEvent } from '../../../emulator/core/aws-event.ts';
import { createRng } from '../../../emulator/core/random.ts';
import { createHealth, type HealthNews } from '../../../emulator/services/health/health.ts';
import { ACCOUNT, bench, REGION, START } from '../ec2/kit.ts';

const HOUR = 3_600_000;

const issue = (change: Partial<HealthNews> = {}): HealthNews => ({
  service: 'EBS',
  eventTypeCode: 'AWS_EBS_VOLUME_LOST',
  category: 'issue',
  statusCode: 'open',
  startTime: START - HOUR,
  entities: ['vol-0123456789abcdef0'],
  ...change,
});

const healthIn = (region: string) => {
  const events: AwsEvent[] = [];
  const { time } = bench();
  const emit = (event: AwsEvent) => void events.push(event);
  const health = createHealth({ time, rng: createRng(5), account: ACCOUNT, region, emit });
  return { health, events, time };
};

// AWS Health User Guide, "AWS Health event EventBridge schema".
describe('an event of AWS Health', () => {
  it('has dates of RFC 1123 and its page and backup marks as strings', () => {
    const { health, events } = healthIn(REGION);
    const eventArn = health.announce(issue({ entityStatus: 'IMPAIRED' }));
    expect(events).toEqual([
      {
        version: '0',
        id: expect.any(String),
        'detail-type': 'AWS Health Event',
        source: 'aws.health',
        account: ACCOUNT,
        time: '2026-11-22T21:00:00Z',
        region: REGION,
        resources: ['vol-0123456789abcdef0'],
        detail: {
          eventArn,
          service: 'EBS',
          eventTypeCode: 'AWS_EBS_VOLUME_LOST',
          eventTypeCategory: 'issue',
          eventScopeCode: 'ACCOUNT_SPECIFIC',
          communicationId: expect.stringMatching(/^[0-9a-f]{24}-1$/),
          startTime: 'Sun, 22 Nov 2026 20:00:00 GMT',
          lastUpdatedTime: 'Sun, 22 Nov 2026 21:00:00 GMT',
          statusCode: 'open',
          eventRegion: REGION,
          eventDescription: [{ language: 'en_US', latestDescription: 'AWS_EBS_VOLUME_LOST' }],
          affectedEntities: [
            {
              entityValue: 'vol-0123456789abcdef0',
              lastUpdatedTime: 'Sun, 22 Nov 2026 21:00:00 GMT',
              status: 'IMPAIRED',
            },
          ],
          affectedAccount: ACCOUNT,
          page: '1',
          totalPages: '1',
          backupEvent: 'false',
          personas: ['OPERATIONS'],
        },
      },
    ]);
    expect(eventArn).toMatch(
      /^arn:aws:health:us-east-1::event\/EBS\/AWS_EBS_VOLUME_LOST\/AWS_EBS_VOLUME_LOST_\d{10}$/,
    );
  });

  it('keeps its ARN when it is closed, and gets another communication', () => {
    const { health, events, time } = healthIn(REGION);
    const eventArn = health.announce(issue());
    time.advance(HOUR);
    health.update(eventArn, { statusCode: 'closed', endTime: time.now() });
    const [first, second] = events.map(({ detail }) => detail);
    expect(second).toMatchObject({
      eventArn,
      statusCode: 'closed',
      endTime: 'Sun, 22 Nov 2026 22:00:00 GMT',
      lastUpdatedTime: 'Sun, 22 Nov 2026 22:00:00 GMT',
      startTime: first?.startTime,
    });
    expect(second?.communicationId).not.toBe(first?.communicationId);
    expect(() => health.update('arn:aws:health:x', {})).toThrow(RangeError);
  });

  it('comes in pages that differ in their entities only', () => {
    const { health, events } = healthIn(REGION);
    health.announce(issue({ entities: ['i-1', 'i-2', 'i-3'], perPage: 2 }));
    expect(events.map(({ resources }) => resources)).toEqual([['i-1', 'i-2'], ['i-3']]);
    expect(events.map(({ detail }) => [detail.page, detail.totalPages])).toEqual([
      ['1', '2'],
      ['2', '2'],
    ]);
    expect(new Set(events.map(({ detail }) => detail.eventArn)).size).toBe(1);
    expect(new Set(events.map(({ id }) => id)).size).toBe(2);
  });

  it('of a public issue names no entity', () => {
    const { health, events } = healthIn(REGION);
    health.announce(issue({ scope: 'PUBLIC', entities: [] }));
    expect(events).toHaveLength(1);
    expect(events[0]).toMatchObject({ resources: [], detail: { affectedEntities: [] } });
  });

  it.each([
    // where, of which region, how often, as a copy
    ['us-east-1', 'us-east-1', ['false']],
    ['us-west-2', 'us-east-1', ['true']],
    ['us-east-1', 'us-west-2', ['true']],
    ['eu-west-1', 'us-east-1', []],
    ['us-west-2', 'us-west-2', ['false']],
  ])('reaches %s if it is of %s: %j', (here, region, copies) => {
    const { health, events } = healthIn(here);
    health.announce(issue({ region }));
    expect(events.map(({ detail }) => detail.backupEvent)).toEqual(copies);
    for (const event of events) {
      expect([event.region, event.detail.eventRegion]).toEqual([here, region]);
    }
  });

  it('of a public issue elsewhere has no copy', () => {
    const { health, events } = healthIn('us-west-2');
    health.announce(issue({ region: 'us-east-1', scope: 'PUBLIC', entities: [] }));
    expect(events).toEqual([]);
  });
});
