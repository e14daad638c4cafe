import { afterEach, describe, expect, it } from 'vitest';
import { planted } from '../unit/contracts/fixtures.ts';
import { type Cloud, closeClouds, openCloud, sampleEvent } from './cloud.ts';

afterEach(closeClouds);

const ours = { 'ebs-failover:cluster': 'demo', role: 'mesos-slave' };
const instanceId = 'i-0a1b2c3d4e5f60718';
const stopped = sampleEvent('ec2-stopped');

/** Through Lambda's queue, where EventBridge puts what a rule lets pass; forged or not. */
const deliver = (cloud: Cloud, event: unknown): void => {
  const intake = cloud.lambda.find('intake');
  if (intake === undefined) throw new RangeError('intake is not deployed');
  cloud.lambda.enqueue(intake, JSON.stringify(event));
};

/** How each run ended, by decision or error; the sweep's warm-up calls apart. */
const ends = (cloud: Cloud): unknown[] =>
  cloud
    .printed('intake')
    .filter(({ message, kind }) => /^invocation/.test(String(message)) && kind !== 'warmed')
    .map(({ error, kind }) => error ?? kind);

const deadLetters = (cloud: Cloud): Record<string, unknown>[] =>
  cloud.sqs
    .messages(cloud.infra.resource('IntakeDeadLetterQueue').arn)
    .map(({ body }) => JSON.parse(body));

const READS: Readonly<Record<string, RegExp>> = {
  ec2: /^Describe/,
  dynamodb: /^(?:GetItem|Query|BatchGetItem)$/,
};
/** What anybody changed in the cloud, and what intake changed in the ledger and elsewhere. */
const changes = (cloud: Cloud): string[] => [
  ...cloud.ec2
    .calls()
    .filter(({ api }) => !api.startsWith('Describe'))
    .map(({ api }) => `ec2 ${api}`),
  ...cloud.network
    .calls()
    .filter(({ functionName }) => functionName === 'intake')
    .filter(({ service, operation }) => !READS[service]?.test(operation))
    .map(({ service, operation }) => `${service} ${operation}`),
];

const expectNothingDone = (cloud: Cloud): void => {
  expect(changes(cloud)).toEqual([]);
  expect(cloud.states.executions()).toEqual([]);
};

/** Longer than both of Lambda's own repetitions, a minute and two later. */
const RETRIES_MS = 200_000;

describe('an event that cannot be for us', () => {
  it.each([
    { what: 'an empty document', event: {}, says: 'no EventBridge event' },
    { what: 'a text', event: 'help', says: 'no EventBridge event' },
    {
      what: 'an event without detail',
      event: planted(stopped, ['detail'], undefined),
      says: 'no EventBridge event: detail',
    },
    {
      what: 'a state change without an instance',
      event: planted(stopped, ['detail'], { state: 'stopped' }),
      says: 'malformed EC2 state change: instance-id',
    },
    {
      what: 'an id that is none',
      event: sampleEvent('ec2-malformed-id'),
      says: 'is no instance id',
    },
    {
      what: 'an unknown detail-type',
      event: planted(stopped, ['detail-type'], 'EC2 Instance Launch Successful'),
      says: '"EC2 Instance Launch Successful" of "aws.ec2" is no event this service acts on',
    },
    {
      what: 'another account',
      event: planted(stopped, ['account'], '999999999999'),
      says: 'the event comes from account "999999999999", not 210987654321',
    },
    {
      what: 'another region',
      event: planted(stopped, ['region'], 'eu-west-1'),
      says: 'the event comes from region "eu-west-1", not eu-central-1',
    },
    {
      what: 'an instance that does not exist',
      event: stopped,
      says: `${instanceId} is unknown to EC2 and to the inventory`,
    },
  ])('($what) changes nothing and waits for a person, with the reason', async ({ event, says }) => {
    const cloud = await openCloud();
    deliver(cloud, event);
    await cloud.pass(RETRIES_MS);
    expectNothingDone(cloud);
    expect(ends(cloud)).toEqual(Array(3).fill('SignalRefusedError'));
    expect(deadLetters(cloud)).toEqual([
      expect.objectContaining({
        requestPayload: event,
        responsePayload: expect.objectContaining({
          errorType: 'SignalRefusedError',
          errorMessage: expect.stringContaining(says),
        }),
      }),
    ]);
  });

  it('(malformed JSON) does not get past the door of Lambda', async () => {
    const cloud = await openCloud();
    const name = cloud.lambda.find('intake')?.name;
    const answers: { status: number; body: string }[] = [];
    const send = cloud.network.send({
      method: 'POST',
      url: `https://lambda.eu-central-1.amazonaws.com/2015-03-31/functions/${name}/invocations`,
      headers: { 'x-amz-invocation-type': 'Event' },
      body: '{"detail-type": "EC2 Instance State-change Notif',
    });
    void send.then((answer) => answers.push(answer));
    await cloud.until(() => answers.length > 0);
    expect(answers[0]).toMatchObject({ status: 400 });
    expect(answers[0]?.body).toContain('Could not parse request body into json');
    expectNothingDone(cloud);
    expect(ends(cloud)).toEqual([]);
  });
});

describe('an event about a machine that is not ours', () => {
  it.each([
    {
      what: 'without a cluster tag',
      tags: { role: 'mesos-slave' },
      why: 'carries no ebs-failover:cluster tag',
    },
    {
      what: "with another cluster's tag",
      tags: { ...ours, 'ebs-failover:cluster': 'other' },
      why: 'belongs to cluster other',
    },
    {
      what: 'with the cluster tag in another spelling',
      tags: { 'EBS-Failover:Cluster': 'demo', role: 'mesos-slave' },
      why: 'carries ebs-failover:cluster in another spelling',
    },
    {
      what: 'of the cluster, but a master',
      tags: { 'ebs-failover:cluster': 'demo' },
      why: 'is not tagged role=mesos-slave',
    },
  ])(
    '($what) is refused with a record and a metric, and changes nothing',
    async ({ tags, why }) => {
      const cloud = await openCloud();
      cloud.ec2.seedInstance({ availabilityZone: 'eu-central-1a', instanceId, tags });
      deliver(cloud, stopped);
      await cloud.pass(RETRIES_MS);
      expectNothingDone(cloud);
      expect(ends(cloud)).toEqual(['admitted']);
      expect(deadLetters(cloud)).toEqual([]);
      const lines = cloud.printed('intake');
      expect(lines).toContainEqual(
        expect.objectContaining({ message: 'signal refused', instanceId, why }),
      );
      expect(lines).toContainEqual(expect.objectContaining({ SignalRefused: 1 }));
    },
  );
});

describe('the watch over changes', () => {
  it('sees what an event of ours leads to', async () => {
    const cloud = await openCloud();
    cloud.ec2.seedInstance({ availabilityZone: 'eu-central-1a', instanceId, tags: ours });
    deliver(cloud, stopped);
    await cloud.until(() => cloud.states.executions().length > 0);
    expect(changes(cloud)).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^dynamodb (?:Put|Update)Item$/),
        'states StartExecution',
      ]),
    );
  });
});
