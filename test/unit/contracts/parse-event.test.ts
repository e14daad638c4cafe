import { describe, expect, it } from 'vitest';
import { type ParsedEvent, parseEvent } from '../../../src/contracts/events/parse-event.ts';
import type { Signal } from '../../../src/domain/incident.ts';
import { type Row, samplesOf, table } from './events-table.ts';
import { fixture, fixtureNames, here, instanceId, otherInstanceId } from './fixtures.ts';

const signalsIn = (parsed: ParsedEvent): readonly Signal[] =>
  parsed.kind === 'signals' || parsed.kind === 'wake-ups' ? parsed.signals : [];
const idsOf = (parsed: ParsedEvent): string[] =>
  signalsIn(parsed).map((signal) => signal.instanceId);

const rows = Object.entries(table);
const signalled = [...samplesOf('signals'), ...samplesOf('wake-ups')];
const happenedAt = Date.parse('2026-10-05T08:15:42Z');

/** The signals a row stands for, whole, but for the words. */
const signalsOf = (row: Extract<Row, { source: unknown }>) =>
  (row.ids ?? [instanceId]).map((id) => ({
    key: /^(?:ec2|spot):/.test(row.key) ? row.key : `${row.key}:${id}`,
    source: row.source,
    instanceId: id,
    says: expect.stringMatching(row.says),
    occurredAt: happenedAt,
    receivedAt: here.receivedAt,
    ...(row.notice && { notice: row.notice }),
  }));

const expected = (row: Row): unknown => {
  switch (row.becomes) {
    case 'signals':
    case 'wake-ups':
      return { kind: row.becomes, signals: signalsOf(row) };
    case 'noted':
      return {
        kind: 'noted',
        note: {
          about: row.about,
          says: expect.stringContaining(row.names.join(', ')),
          instanceIds: row.names.filter((name) => name.startsWith('i-')),
          volumeIds: row.names.filter((name) => name.startsWith('vol-')),
        },
      };
    case 'zone-shift': {
      const [zoneId] = row.key.split(' ');
      const says = expect.stringContaining(row.away ? 'moved away from' : 'may return to');
      const shift = { key: row.key, zoneId, away: row.away, at: happenedAt, says };
      return { kind: 'zone-shift', shift };
    }
    case 'aborted': {
      const executionArn = expect.stringMatching(new RegExp(`:execution:[^:]+:${row.name}$`));
      return { kind: 'aborted', instanceId: row.name.slice(3, -4), executionArn };
    }
    default:
      return { kind: row.becomes, why: expect.stringMatching(row.why) };
  }
};

describe('parseEvent over the sample events', () => {
  it('has a row for every sample', () => {
    expect(Object.keys(table).sort()).toEqual([...fixtureNames].sort());
  });

  it.each(rows)('makes of %s what its row says', (name, row) => {
    expect(parseEvent(fixture(name), here)).toEqual(expected(row));
  });
});

const read = (name: string, changes: Record<string, unknown> = {}): ParsedEvent =>
  parseEvent(fixture(name, changes), here);

describe('an aborted execution', () => {
  const aborted = (name: string, input: unknown): ParsedEvent => {
    const detail = { executionArn: 'arn:x', name, status: 'ABORTED', input };
    return parseEvent(fixture('execution-aborted', { detail }), here);
  };

  it('that a person had started is about the instance of its input', () => {
    const input = JSON.stringify({ instanceId: 'i-0a1b2c3d4e5f60718', reason: 'drill' });
    expect(aborted('8f14e45f-ceea-467f', input)).toMatchObject({
      kind: 'aborted',
      instanceId: 'i-0a1b2c3d4e5f60718',
    });
  });

  it.each([
    ['no input', null],
    ['an input that is no JSON', '{'],
    ['an input that is no object', 'null'],
    ['no instance', '{"instanceId":"mysql"}'],
  ])('with %s is about nobody', (_, input) => {
    expect(aborted('by-hand', input)).toMatchObject({ kind: 'ignored' });
  });
});

describe('what no sample shows', () => {
  it.each([
    ['nothing', undefined],
    ['null', null],
    ['text', '{"source":"aws.ec2"}'],
    ['a list', [fixture('ec2-stopped')]],
    ['an empty document', {}],
    ['a document without detail', fixture('ec2-stopped', { detail: undefined })],
  ])('refuses %s', (_what, document) => {
    expect(parseEvent(document, here)).toMatchObject({
      kind: 'refused',
      why: expect.stringMatching(/^no EventBridge event: /),
    });
  });

  it.each([
    ['an EC2 event without state', 'ec2-stopped', 'state', 'malformed EC2 state change: state'],
    ['an alarm without state', 'alarm-system', 'state', 'malformed alarm state change: state'],
    ['a Spot warning without action', 'spot-warning', 'instance-action', 'malformed Spot warning'],
    ['a hook without token', 'asg-terminate-hook', 'LifecycleActionToken', 'LifecycleActionToken'],
    ['a terminated nobody', 'asg-terminate-successful', 'EC2InstanceId', 'malformed Auto Scaling'],
    ['a volume’s event without result', 'ebs-attach-failed', 'result', 'malformed EBS'],
    ['a shift without a zone', 'arc-autoshift', 'metadata', 'malformed zonal shift: metadata'],
    ['a Health event without ARN', 'health-issue', 'eventArn', 'malformed Health event: eventArn'],
  ])('refuses %s and names what is missing', (_what, name, key, why) => {
    expect(read(name, { [`detail.${key}`]: undefined })).toMatchObject({
      kind: 'refused',
      why: expect.stringContaining(why),
    });
  });

  it.each([
    ['instance state', 'ec2-stopped', 'state', 'vanished'],
    ['alarm state', 'alarm-system', 'state.value', 'PANIC'],
    ['Spot action', 'spot-warning', 'instance-action', 'nap'],
    ['event of a volume', 'ebs-attach-failed', 'event', 'shredVolume'],
    ['id of a zone', 'arc-autoshift', 'metadata.awayFrom', 'eu-central-1a'],
    ['Health category', 'health-issue', 'eventTypeCategory', 'rumour'],
    ['Health status', 'health-issue', 'statusCode', 'ajar'],
  ])('refuses an unknown %s rather than guess', (_what, name, key, value) => {
    expect(read(name, { [`detail.${key}`]: value })).toMatchObject({
      kind: 'refused',
      why: expect.stringContaining(value),
    });
  });

  it.each([
    ['spot-warning', 'instance-id'],
    ['asg-terminate-hook', 'EC2InstanceId'],
    ['asg-terminate-successful', 'EC2InstanceId'],
  ])('refuses %s about something that is no instance', (name, key) => {
    const why = '"i-1; rm -rf" is no instance id';
    expect(read(name, { [`detail.${key}`]: 'i-1; rm -rf' })).toEqual({ kind: 'refused', why });
  });

  it('refuses a terminate hook that speaks of a launch', () => {
    const launching = { 'detail.LifecycleTransition': 'autoscaling:EC2_INSTANCE_LAUNCHING' };
    expect(read('asg-terminate-hook', launching).kind).toBe('refused');
  });

  it('never reads the resources of a Spot warning', () => {
    const other = ['arn:aws:ec2:eu-central-1a:instance/i-0b2c3d4e5f6071829'];
    expect(read('spot-warning', { resources: other })).toEqual(read('spot-warning'));
  });

  it('plans nothing for a Spot warning that somebody delivers long after its two minutes', () => {
    const at = (minutes: number) => ({
      time: new Date(here.receivedAt - minutes * 60_000).toISOString(),
    });
    expect(read('spot-warning', at(10))).toHaveProperty('signals.0.notice');
    const [late] = signalsIn(read('spot-warning', at(11)));
    expect(late).toMatchObject({ instanceId, source: 'spot' });
    expect(late).not.toHaveProperty('notice');
  });

  it('counts the two minutes of a Spot warning without a time from when it came', () => {
    for (const time of [undefined, 'soon', '2026-10-05T08:20:00Z']) {
      const deadline = here.receivedAt + 120_000;
      expect(read('spot-warning', { time })).toMatchObject({ signals: [{ notice: { deadline } }] });
    }
  });

  it.each([
    ['in another form', '2026-10-12T04:00:00Z'],
    ['impossible', 'Mon, 45 Foo 2026 04:00:00 GMT'],
    ['before all time', 'Thu, 01 Jan 1931 04:00:00 GMT'],
    ['a number', 5],
    ['missing', undefined],
  ])('keeps a schedule whose start is %s, without a deadline', (_what, startTime) => {
    const [signal] = signalsIn(read('health-stop-scheduled', { 'detail.startTime': startTime }));
    expect(signal?.notice).toEqual({ kind: 'retiring', action: 'stop' });
    expect(signal?.says).toMatch(/: stop \(upcoming\)$/);
  });

  it.each([
    ['account', 'arn:aws:ec2:eu-central-1:345678901234:volume/vol-0c3d4e5f607182930'],
    ['region', 'arn:aws:ec2:us-east-1:210987654321:volume/vol-0c3d4e5f607182930'],
    ['kind', 'arn:aws:ec2:eu-central-1:210987654321:instance/i-0a1b2c3d4e5f60718'],
  ])('refuses a failed attachment of another %s', (_what, arn) => {
    expect(read('ebs-attach-failed', { resources: [arn] })).toMatchObject({
      kind: 'refused',
      why: expect.stringContaining('names no volume of this account and region'),
    });
  });

  it('says what is the matter with the key of a volume', () => {
    expect(read('ebs-attach-failed')).toMatchObject({
      note: { says: expect.stringContaining('655443322110 is disabled.') },
    });
  });

  it('notes an operational issue that names no machine, instead of refusing it', () => {
    const changes = {
      'detail.eventTypeCode': 'AWS_EC2_OPERATIONAL_ISSUE',
      'detail.affectedEntities': [],
    };
    expect(read('health-issue', changes)).toMatchObject({ note: { about: 'public-issue' } });
  });

  it.each([
    ['health-scheduled', 'scheduledChange'],
    ['health-public', 'scheduledChange'],
    ['health-public', 'accountNotification'],
  ])('takes no public %s as %s for a plan or an alarm', (name, category) => {
    const changes = { 'detail.eventScopeCode': 'PUBLIC', 'detail.eventTypeCategory': category };
    expect(read(name, changes).kind).toBe('ignored');
  });

  it('ignores an alarm that hears nothing and names nobody, or is muted', () => {
    const silent = { 'detail.state.value': 'INSUFFICIENT_DATA' };
    expect(read('alarm-group', silent).kind).toBe('ignored');
    expect(read('alarm-muted', silent).kind).toBe('ignored');
  });

  it('keeps the shifts of two resources apart, and the key short', () => {
    const keyOf = (resource: unknown): string | undefined => {
      const parsed = read('arc-manual-started', { resources: resource });
      return parsed.kind === 'zone-shift' ? parsed.shift.key : undefined;
    };
    const long = `${'x'.repeat(2_000)}/app/public/1`;
    expect(keyOf([long])).not.toBe(keyOf([`${long}2`]));
    expect(keyOf([long])?.length).toBeLessThan(100);
    for (const none of [[], undefined, 'x']) expect(keyOf(none)).toBe('euc1-az2 manual unnamed');
  });

  const dimension = 'detail.configuration.metrics.0.metricStat.metric.dimensions.InstanceId';

  it('refuses an alarm whose InstanceId dimension is no instance id', () => {
    const why = '"*" is no instance id';
    expect(read('alarm-system', { [dimension]: '*' })).toEqual({ kind: 'refused', why });
  });

  it.each([
    ['account', `${here.region}:345678901234`],
    ['region', `us-east-1:${here.account}`],
  ])('refuses an affected instance of another %s', (_what, elsewhere) => {
    const parsed = read('health-issue', {
      'detail.affectedEntities.0.entityValue': `arn:aws:ec2:${elsewhere}:instance/${instanceId}`,
    });
    expect(parsed).toMatchObject({ kind: 'refused', why: expect.stringMatching(/no instance of/) });
  });

  it('signals each instance that one alarm watches, once', () => {
    const metric = (id: string): unknown => ({
      metricStat: {
        metric: {
          namespace: 'AWS/EC2',
          name: 'StatusCheckFailed',
          dimensions: { InstanceId: id },
        },
      },
    });
    const metrics = [instanceId, otherInstanceId, instanceId].map(metric);
    const parsed = read('alarm-system', { 'detail.configuration.metrics': metrics });
    expect(idsOf(parsed)).toEqual([instanceId, otherInstanceId]);
  });

  it('signals an instance that a Health event names twice only once', () => {
    const arn = `arn:aws:ec2:${here.region}:${here.account}:instance/${instanceId}`;
    const entities = [{ entityValue: instanceId }, { entityValue: arn }];
    expect(idsOf(read('health-issue', { 'detail.affectedEntities': entities }))).toEqual([
      instanceId,
    ]);
  });

  it.each(signalled)('is not disturbed by what AWS adds to %s', (name) => {
    const grown = read(name, {
      'trace-header': 'Root=1-2-3',
      resources: { anything: ['goes'] },
      'detail.addedNextYear': { deep: [1, null] },
    });
    expect(grown).toEqual(read(name));
  });

  it('reads flags and pages of Health that are no longer strings', () => {
    const changes = { 'detail.page': 2, 'detail.backupEvent': false };
    expect(read('health-issue-page-2', changes)).toEqual(read('health-issue-page-2'));
    expect(read('health-issue', { 'detail.backupEvent': true }).kind).toBe('ignored');
  });

  it.each([
    ['in the future', '2026-10-05T08:15:46Z'],
    ['unreadable', 'yesterday'],
    ['impossible', '2026-13-05T08:15:42Z'],
    ['a number', 5],
    ['missing', undefined],
  ])('keeps a failure whose time is %s, without the time', (_what, time) => {
    const parsed = read('ec2-stopped', { time });
    expect(idsOf(parsed)).toEqual([instanceId]);
    expect(parsed).not.toHaveProperty('signals.0.occurredAt');
  });

  it('keeps foreign text in its sentences short', () => {
    const parsed = read('ec2-stopped', { source: 'x'.repeat(2_000) });
    expect(parsed.kind === 'refused' && parsed.why.length).toBeLessThan(200);
  });
});

describe('the key of a signal', () => {
  const keys = (name: string, changes: Record<string, unknown> = {}): string[] => {
    return signalsIn(read(name, changes)).map(({ key }) => key);
  };
  const otherDelivery = { id: '00000000-0000-4000-8000-000000000000' };

  it.each(signalled)('differs from instance to instance within %s', (name) => {
    expect(keys(name).length).toBeGreaterThan(0);
    expect(new Set(keys(name)).size).toBe(keys(name).length);
  });

  it('does not depend on when the event was delivered', () => {
    const again = { ...here, receivedAt: (here.receivedAt + 60_000) as typeof here.receivedAt };
    const [signal] = [parseEvent(fixture('ec2-stopped'), again)];
    expect(signal).toHaveProperty('signals.0.key', keys('ec2-stopped')[0]);
  });

  it('differs when the same instance stops a second time', () => {
    expect(keys('ec2-stopped', otherDelivery)).not.toEqual(keys('ec2-stopped'));
  });

  it('follows the alarm and its change of state, not the delivery', () => {
    expect(keys('alarm-system', otherDelivery)).toEqual(keys('alarm-system'));
    const later = { 'detail.state.timestamp': '2026-10-05T09:00:00.000+0000' };
    expect(keys('alarm-system', later)).not.toEqual(keys('alarm-system'));
  });

  it.each([
    ['page', '7'],
    ['communicationId', 'c0ffee42-9'],
    ['eventArn', 'arn:aws:health:eu-central-1::event/EC2/OTHER/OTHER_1'],
  ])('differs between Health events that differ in %s alone', (key, value) => {
    expect(keys('health-issue', { [`detail.${key}`]: value })).not.toEqual(keys('health-issue'));
  });

  it('of a Health event without communicationId is the delivery', () => {
    const older = { 'detail.communicationId': undefined, ...otherDelivery };
    expect(keys('health-issue', older)[0]).toContain(otherDelivery.id);
  });
});
