import { afterEach, describe, expect, it } from 'vitest';
import { setStage } from '../../emulator/scenes/stage.ts';
import { samplesOf } from '../unit/contracts/events-table.ts';
import { type Cloud, closeClouds, openCloud, sampleEvent } from './cloud.ts';

afterEach(closeClouds);

const instanceId = 'i-0a1b2c3d4e5f60718';
const tags = { 'ebs-failover:cluster': 'demo', role: 'mesos-slave' };
/** Longer than both of Lambda's own repetitions, a minute and two later. */
const RETRIES_MS = 200_000;

/** Every sample in its turn, through Lambda's own queue, whether a rule lets it pass or not. */
const deliver = (cloud: Cloud, events: readonly unknown[]): void => {
  const intake = cloud.lambda.find('intake');
  if (intake === undefined) throw new RangeError('intake is not deployed');
  for (const event of events) cloud.lambda.enqueue(intake, JSON.stringify(event));
};

/** How the runs ended, by decision or error, in no order; the sweep's warm-up calls apart. */
const ends = (cloud: Cloud): unknown[] =>
  cloud
    .printed('intake')
    .filter(({ message, kind }) => /^invocation/.test(String(message)) && kind !== 'warmed')
    .map(({ error, kind }) => error ?? kind);

const counted = (cloud: Cloud, metric: string): number =>
  cloud
    .printed('intake')
    .map((line) => line[metric])
    .filter((count) => typeof count === 'number')
    .reduce((sum, count) => sum + count, 0);

const deadLetters = (cloud: Cloud): { requestPayload?: unknown }[] =>
  cloud.sqs
    .messages(cloud.infra.resource('IntakeDeadLetterQueue').arn)
    .map(({ body }) => JSON.parse(body));

/** Changes of machines and volumes by anybody, and executions. */
const mutations = (cloud: Cloud): string[] => [
  ...cloud.ec2.calls().flatMap(({ api }) => (api.startsWith('Describe') ? [] : [api])),
  ...cloud.states.executions().map(({ name }) => name),
];
/** What intake wrote to the ledger. */
const writes = (cloud: Cloud): string[] =>
  cloud.network
    .calls()
    .filter(({ functionName, service }) => functionName === 'intake' && service === 'dynamodb')
    .filter(({ operation }) => !/^(?:GetItem|Query)$/.test(operation))
    .map(({ operation }) => operation);

const withAgent = async (): Promise<Cloud> => {
  const cloud = await openCloud();
  cloud.ec2.seedInstance({ availabilityZone: 'eu-central-1a', instanceId, tags });
  return cloud;
};

const bySample = (event: unknown): string => JSON.stringify(event);

describe('what intake makes of every sample', () => {
  it('keeps each refused one for a person, counted, and changes nothing', async () => {
    const cloud = await withAgent();
    const events = samplesOf('refused').map((name) => sampleEvent(name));
    deliver(cloud, events);
    await cloud.pass(RETRIES_MS);
    expect(ends(cloud)).toEqual(Array(3 * events.length).fill('SignalRefusedError'));
    expect(counted(cloud, 'EventRefused')).toBe(3 * events.length);
    const kept = deadLetters(cloud).map(({ requestPayload }) => bySample(requestPayload));
    expect(kept.sort()).toEqual(events.map(bySample).sort());
    expect([...mutations(cloud), ...writes(cloud)]).toEqual([]);
  });

  it('keeps each one that lost its detail for a person, and changes nothing', async () => {
    const cloud = await withAgent();
    const kinds = ['signals', 'wake-ups', 'noted', 'zone-shift', 'aborted'] as const;
    const events = kinds.flatMap(samplesOf).map((name) => sampleEvent(name, { detail: {} }));
    deliver(cloud, events);
    await cloud.pass(RETRIES_MS);
    expect(counted(cloud, 'EventRefused')).toBe(3 * events.length);
    expect(deadLetters(cloud)).toHaveLength(events.length);
    expect([...mutations(cloud), ...writes(cloud)]).toEqual([]);
  });

  it('lets each ignored one go, and changes nothing', async () => {
    const cloud = await withAgent();
    const names = samplesOf('ignored');
    deliver(
      cloud,
      names.map((name) => sampleEvent(name)),
    );
    await cloud.pass(RETRIES_MS);
    expect(ends(cloud)).toEqual(names.map(() => 'ignored'));
    expect(deadLetters(cloud)).toEqual([]);
    expect([...mutations(cloud), ...writes(cloud)]).toEqual([]);
  });

  it('is not woken about an agent that runs', async () => {
    const cloud = await withAgent();
    const names = samplesOf('wake-ups');
    deliver(
      cloud,
      names.map((name) => sampleEvent(name)),
    );
    await cloud.pass(RETRIES_MS);
    expect(ends(cloud)).toEqual(names.map(() => 'admitted'));
    const idle = cloud.printed('intake').filter(({ message }) => message === 'woken for nothing');
    expect(idle).toHaveLength(names.length);
    expect([...mutations(cloud), ...writes(cloud)]).toEqual([]);
  });

  it('tells of what concerns everybody, and not of what the ledger does not know', async () => {
    const cloud = await withAgent();
    const names = samplesOf('noted');
    deliver(
      cloud,
      names.map((name) => sampleEvent(name)),
    );
    await cloud.pass(RETRIES_MS);
    const everybodys = ['health-public', 'health-schedule-unknown'];
    expect(counted(cloud, 'Noted')).toBe(everybodys.length);
    expect(counted(cloud, 'Ignored')).toBe(names.length - everybodys.length);
    expect([...mutations(cloud), ...writes(cloud)]).toEqual([]);
  });

  it('remembers each zone shift and changes nothing else', async () => {
    const cloud = await withAgent();
    const names = samplesOf('zone-shift');
    deliver(
      cloud,
      names.map((name) => sampleEvent(name)),
    );
    await cloud.pass(RETRIES_MS);
    expect(ends(cloud)).toEqual(names.map(() => 'zoneShift'));
    expect(mutations(cloud)).toEqual([]);
    const lines = cloud.printed('intake').filter(({ message }) => message === 'zone shift');
    expect(lines).toHaveLength(names.length);
    expect(lines[0]).toMatchObject({
      level: 'WARN',
      zoneId: 'euc1-az2',
      away: expect.any(Boolean),
    });
  });

  it.each(samplesOf('signals').filter((name) => name !== 'ec2-stopped-short-id'))(
    'opens the one incident of the agent that %s is about, and only looks',
    async (name) => {
      const cloud = await openCloud();
      for (const id of [instanceId, 'i-0b2c3d4e5f6071829']) {
        cloud.ec2.seedInstance({ availabilityZone: 'eu-central-1a', instanceId: id, tags });
      }
      deliver(cloud, [sampleEvent(name), sampleEvent(name)]);
      await cloud.until(() => ends(cloud).length === 2);
      expect(ends(cloud)).toEqual(['admitted', 'admitted']);
      const [first] = cloud.states.executions();
      expect(first?.name).toMatch(/^fo-i-0[ab][0-9a-f]{15}-1-1$/);
      expect(counted(cloud, 'IncidentOpened')).toBe(cloud.states.executions().length);
      expect(cloud.ec2.calls().filter(({ api }) => !api.startsWith('Describe'))).toEqual([]);
    },
  );
});

describe('the rules', () => {
  it('let pass what intake acts on, and little else', async () => {
    const cloud = await openCloud();
    const unheard: string[] = [];
    cloud.events.onUnheard(({ id }) => unheard.push(id));
    const acted = (['signals', 'wake-ups', 'noted', 'zone-shift'] as const).flatMap(samplesOf);
    for (const name of acted) cloud.events.publish(sampleEvent(name));
    expect(unheard).toEqual([]);
    const left = [
      'spot-rebalance',
      'spot-fulfilled',
      'asg-launch-hook',
      'asg-launch-successful',
      'asg-launch-unsuccessful',
      'asg-terminate-unsuccessful',
      'ebs-created',
      'ebs-modified',
      'ebs-initialized',
      'ebs-snapshots',
      'ebs-detach-by-cloudtrail',
      'arc-practice-started',
      'arc-practice-interrupted',
      'execution-failed',
      'health-notification',
      'health-backup-copy',
      'alarm-cpu',
      'alarm-composite',
    ].map((name) => sampleEvent(name));
    for (const event of left) cloud.events.publish(event);
    expect(unheard).toEqual(left.map(({ id }) => id));
  });
});

describe('what is wrong with a volume of ours', () => {
  it('reaches people as a metric with an alarm, and moves nothing', async () => {
    const cloud = await openCloud();
    setStage(cloud, { group: false, alarms: false, instanceId });
    // Two sweeps: the first adopts the volumes, the second knows the inventory.
    await cloud.pass(130_000);
    const before = mutations(cloud);
    const owners = (await cloud.dynamodb.scan(cloud.infra.resource('LedgerTable').ref)) as {
      pk: { S: string };
    }[];
    const ours = owners.find(({ pk }) => pk.S.startsWith('VOLUME#'))?.pk.S.slice('VOLUME#'.length);
    const resources = [`arn:aws:ec2:eu-central-1:210987654321:volume/${ours}`];
    cloud.events.publish(sampleEvent('ebs-attach-failed', { resources }));
    cloud.events.publish(sampleEvent('health-unknown-code'));
    await cloud.pass(10_000);
    expect(counted(cloud, 'Noted')).toBe(2);
    expect(cloud.printed('intake')).toContainEqual(
      expect.objectContaining({
        level: 'WARN',
        message: 'people should know',
        about: 'attach-failed',
        volumeIds: [ours],
      }),
    );
    expect(mutations(cloud)).toEqual(before);
    expect(cloud.infra.resource('NewsAlarm').properties).toMatchObject({
      Namespace: 'ebs-failover',
      MetricName: 'Noted',
      Dimensions: [
        { Name: 'service', Value: 'Intake' },
        { Name: 'cluster', Value: 'demo' },
      ],
    });
    const emf = cloud.printed('intake').find((line) => line.Noted === 1);
    expect(emf).toMatchObject({ service: 'Intake', cluster: 'demo' });
  });
});
