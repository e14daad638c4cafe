import { afterEach, expect, it } from 'vitest';
import { messageLines } from '../../emulator/services/slack/text.ts';
import { type Cloud, closeClouds } from './cloud.ts';
import { start } from './person.ts';
import { channelOf, instanceId, opened, press, said } from './slack-kit.ts';

/*
 * Everything that Slack is told of one incident, in the order in which it is told, as a person reads
 * it. `--update` writes the files anew: read what has changed.
 */
afterEach(closeClouds);

/** What differs from world to world and says nothing: how long things took, ids of requests. */
const VARIES: readonly [RegExp, string][] = [
  [/\d+\.\d s/g, '#.# s'],
  [/for \d+ s/g, 'for # s'],
  [/request [0-9a-f-]{36}/g, 'request ...'],
  [/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '<time>'],
];
const steadied = (text: string): string =>
  VARIES.reduce((said_, [varies, word]) => said_.replaceAll(varies, word), text);

const TITLES: Readonly<Record<string, string>> = {
  'chat.postMessage': '== posted',
  'chat.update': '== rewritten',
  response_url: '== to the person who pressed, alone',
};

const blocksOf = (body: string, operation: string): unknown[] =>
  operation === 'response_url'
    ? JSON.parse(body).blocks
    : JSON.parse(new URLSearchParams(body).get('blocks') ?? '[]');

/** Writes down whatever goes to Slack from now on. */
const listen = (cloud: Cloud): (() => string) => {
  const heard: string[] = [];
  cloud.faults.intercept = ({ body }, { operation, service }) => {
    const title = TITLES[operation];
    if (service !== 'slack' || title === undefined) return 'pass';
    const isReply = new URLSearchParams(body).has('thread_ts');
    const lines = messageLines({ blocks: blocksOf(body, operation) });
    const text = [isReply ? '== in the thread' : title, ...lines].join('\n');
    if (text !== heard.at(-1)) heard.push(text);
    return 'pass';
  };
  return () => `${steadied(heard.join('\n\n'))}\n`;
};

const golden = (name: string): string => `../fixtures/slack/${name}.txt`;

it('a hung machine: from the verdict to the recovery', async () => {
  const cloud = await opened();
  const heard = listen(cloud);
  cloud.ec2.hang(instanceId);
  await said(cloud, 'recovered');
  await cloud.pass(10_000);
  await expect(heard()).toMatchFileSnapshot(golden('hung'));
});

it('a machine that only Mesos has lost: held until a person has it fenced', async () => {
  const cloud = await opened();
  const heard = listen(cloud);
  cloud.dcos.faults.partition(instanceId, true);
  await said(cloud, 'held (partitioned)');
  await press(cloud, { action: 'acknowledge' });
  await said(cloud, 'recovered');
  await cloud.pass(10_000);
  expect(channelOf(cloud)).not.toContain('[Acknowledge]');
  await expect(heard()).toMatchFileSnapshot(golden('partitioned'));
});

it('an order that a second person must approve: asked, approved, done', async () => {
  const parameters = { ApprovalVerdicts: 'Ordered', ApprovalSeconds: '600' };
  const cloud = await opened({ parameters });
  const heard = listen(cloud);
  const input = { instanceId, reason: 'it is odd', requestedBy: 'ben' };
  await start(cloud, 'FailoverStateMachine', input);
  await said(cloud, '[Approve]');
  await press(cloud, { action: 'approve' });
  await said(cloud, 'recovered');
  await cloud.pass(10_000);
  await expect(heard()).toMatchFileSnapshot(golden('approved'));
});
