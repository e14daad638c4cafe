import { describe, expect, it } from 'vitest';
import { type ParsedEvent, parseEvent } from '../../../src/contracts/events/parse-event.ts';
import { fixture, fixtureNames, here, instanceId, otherInstanceId } from './fixtures.ts';

const idsOf = (parsed: ParsedEvent): string[] =>
  parsed.kind === 'signals' ? parsed.signals.map((signal) => signal.instanceId) : [];

const signalled: Record<string, { ids?: string[]; source: string; says: RegExp }> = {
  'ec2-stopping': { source: 'ec2-state', says: /i-0a1b2c3d4e5f60718 is stopping/ },
  'ec2-stopped': { source: 'ec2-state', says: /has stopped/ },
  'ec2-stopped-short-id': { ids: ['i-4f3e2d1c'], source: 'ec2-state', says: /has stopped/ },
  'ec2-shutting-down': { source: 'ec2-state', says: /is being terminated/ },
  'ec2-terminated': { source: 'ec2-state', says: /is terminated/ },
  'alarm-system': { source: 'status-alarm', says: /fails the system status check/ },
  'alarm-instance': { source: 'status-alarm', says: /fails the instance status check/ },
  'alarm-attached-ebs': { source: 'status-alarm', says: /fails the attached EBS status check/ },
  'alarm-any-check': { source: 'status-alarm', says: /fails a status check/ },
  'alarm-math': { source: 'status-alarm', says: /"agent-math".*system status check/ },
  'health-issue': { source: 'health', says: /SIMPLIFIED_AUTO_RECOVERY_FAILURE/ },
  'health-issue-arn': { source: 'health', says: /HOST_RECOVERY_FAILURE/ },
  'health-issue-page-2': {
    ids: [instanceId, otherInstanceId],
    source: 'health',
    says: /NETWORK_CONNECTIVITY/,
  },
  'health-issue-partly-resolved': {
    ids: [otherInstanceId],
    source: 'health',
    says: /NETWORK_CONNECTIVITY/,
  },
};

const ignored: Record<string, RegExp> = {
  'ec2-pending': /is pending, which is no failure/,
  'ec2-running': /is running, which is no failure/,
  'alarm-ok': /is OK/,
  'alarm-insufficient-data': /is INSUFFICIENT_DATA/,
  'alarm-muted': /is muted/,
  'health-closed': /is closed/,
  'health-scheduled': /scheduledChange/,
  'health-public': /public event/,
  'health-backup-copy': /backup copy/,
  'health-volume-lost': /a volume, not an instance/,
  'health-issue-resolved': /well again/,
};

const refused: Record<string, RegExp> = {
  'ec2-other-account': /account "345678901234", not 210987654321/,
  'ec2-other-region': /region "us-east-1", not eu-central-1/,
  'ec2-malformed-id': /"i-12345" is no instance id/,
  'alarm-composite': /composite alarm, which names no instance/,
  'alarm-math-without-instance': /no EC2 status check of a single instance/,
  'alarm-cpu': /no EC2 status check of a single instance/,
  'alarm-group': /no EC2 status check of a single instance/,
  'health-other-region': /concerns region "us-east-1"/,
  'health-other-account': /concerns account "345678901234"/,
  'health-nobody': /names no affected instance/,
  'spot-warning': /"EC2 Spot Instance Interruption Warning" of "aws.ec2" is no event/,
};

describe('parseEvent over the sample events', () => {
  it('has an expectation for every sample', () => {
    const expected = [signalled, ignored, refused].flatMap((table) => Object.keys(table));
    expect(expected.sort()).toEqual([...fixtureNames].sort());
  });

  it.each(Object.entries(signalled))('makes signals of %s', (name, { ids, source, says }) => {
    const parsed = parseEvent(fixture(name), here);
    expect(idsOf(parsed)).toEqual(ids ?? [instanceId]);
    if (parsed.kind !== 'signals') throw new Error('unreachable: ids were found');
    for (const signal of parsed.signals) {
      expect(signal).toMatchObject({ source, receivedAt: here.receivedAt });
      expect(signal.occurredAt).toBe(Date.parse('2026-10-05T08:15:42Z'));
      expect(signal.says).toMatch(says);
    }
  });

  it.each(Object.entries(ignored))('ignores %s', (name, why) => {
    expect(parseEvent(fixture(name), here)).toEqual({
      kind: 'ignored',
      why: expect.stringMatching(why),
    });
  });

  it.each(Object.entries(refused))('refuses %s', (name, why) => {
    expect(parseEvent(fixture(name), here)).toEqual({
      kind: 'refused',
      why: expect.stringMatching(why),
    });
  });
});

const read = (name: string, changes: Record<string, unknown> = {}): ParsedEvent =>
  parseEvent(fixture(name, changes), here);

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
    ['Health category', 'health-issue', 'eventTypeCategory', 'rumour'],
    ['Health status', 'health-issue', 'statusCode', 'ajar'],
  ])('refuses an unknown %s rather than guess', (_what, name, key, value) => {
    expect(read(name, { [`detail.${key}`]: value })).toMatchObject({
      kind: 'refused',
      why: expect.stringContaining(value),
    });
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

  it.each(Object.keys(signalled))('is not disturbed by what AWS adds to %s', (name) => {
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
    const parsed = read(name, changes);
    return parsed.kind === 'signals' ? parsed.signals.map(({ key }) => key) : [];
  };
  const otherDelivery = { id: '00000000-0000-4000-8000-000000000000' };

  it.each(Object.keys(signalled))('differs from instance to instance within %s', (name) => {
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
