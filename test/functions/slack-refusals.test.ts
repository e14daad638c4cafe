import { afterEach, describe, expect, it } from 'vitest';
import type { SendRequest } from '../../emulator/network.ts';
import { signedRequest } from '../../emulator/services/slack/press.ts';
import { type Cloud, closeClouds } from './cloud.ts';
import { changesOf, incidentOf } from './person.ts';
import { incidentId, ordersOf, partitioned, press, settled } from './slack-kit.ts';

/*
 * Whoever is not Slack, and whoever may not press: refused, and nothing is changed. The incident under
 * attack waits for a person's word to be fenced.
 */
afterEach(closeClouds);

const SECRET = 'emulated-signing-secret';
const RESPONSE_URL = 'https://hooks.slack.com/actions/T1/1/000001';

const payloadOf = (action: string, about: object, change: object = {}) => ({
  type: 'block_actions',
  user: { id: 'U0ANA', username: 'ana' },
  channel: { id: 'C0FAILOVER' },
  response_url: RESPONSE_URL,
  actions: [{ type: 'button', action_id: action, value: JSON.stringify(about) }],
  ...change,
});
const acknowledge = payloadOf('acknowledge', { incidentId, hold: 'partitioned' });

const requestTo = (cloud: Cloud, change: Partial<Parameters<typeof signedRequest>[0]> = {}) =>
  signedRequest({
    url: cloud.lambda.urlOf('slackActions') ?? '',
    secret: SECRET,
    payload: acknowledge,
    at: cloud.clock.now(),
    ...change,
  });

const send = async (cloud: Cloud, request: SendRequest) => {
  const { body, status } = await settled(cloud, cloud.network.send(request));
  return { status, body };
};

/** Long enough for whatever came through to have its effect. */
const SETTLES_MS = 60_000;
const expectNothing = async (cloud: Cloud): Promise<void> => {
  await cloud.pass(SETTLES_MS);
  expect(ordersOf(cloud)).toEqual([]);
  expect(changesOf(cloud)).toEqual([]);
  expect(await incidentOf(cloud, incidentId.split('#')[1] ?? '')).toMatchObject({ status: 'held' });
};

it('the request that the refusals below spoil is taken', async () => {
  const cloud = await partitioned();
  expect(await send(cloud, requestTo(cloud))).toEqual({ status: 200, body: '' });
  await cloud.until(() => ordersOf(cloud).length === 1);
  expect(ordersOf(cloud)).toMatchObject([{ action: 'acknowledge', outcome: 'done' }]);
});

const with_ = (request: SendRequest, headers: Record<string, string>): SendRequest => ({
  ...request,
  headers: { ...request.headers, ...headers },
});
const without = (request: SendRequest, header: string): SendRequest => ({
  ...request,
  headers: Object.fromEntries(Object.entries(request.headers).filter(([name]) => name !== header)),
});
const FIVE_MINUTES = 300_000;

describe('a request', () => {
  it.each<[string, (cloud: Cloud) => SendRequest, number, string]>([
    [
      'with a forged signature',
      (cloud) => with_(requestTo(cloud), { 'x-slack-signature': `v0=${'0'.repeat(64)}` }),
      401,
      'its signature is not that of our Slack app',
    ],
    [
      'signed by another app',
      (cloud) => requestTo(cloud, { secret: 'another' }),
      401,
      'its signature is not that of our Slack app',
    ],
    [
      'whose body was changed on the way',
      (cloud) => ({ ...requestTo(cloud), body: `${requestTo(cloud).body}&x=1` }),
      401,
      'its signature is not that of our Slack app',
    ],
    [
      'with a signature of another length',
      (cloud) => with_(requestTo(cloud), { 'x-slack-signature': 'v0=' }),
      401,
      'its signature is not that of our Slack app',
    ],
    [
      'without a signature',
      (cloud) => without(requestTo(cloud), 'x-slack-signature'),
      401,
      'it is not signed',
    ],
    [
      'without a timestamp',
      (cloud) => without(requestTo(cloud), 'x-slack-request-timestamp'),
      401,
      'it is not signed',
    ],
    [
      'with a timestamp that is none',
      (cloud) => with_(requestTo(cloud), { 'x-slack-request-timestamp': '-1' }),
      401,
      'its timestamp is none',
    ],
    [
      'that is stale',
      (cloud) => requestTo(cloud, { at: cloud.clock.now() - FIVE_MINUTES - 2_000 }),
      401,
      'its timestamp is more than five minutes off',
    ],
    [
      'from the future',
      (cloud) => requestTo(cloud, { at: cloud.clock.now() + FIVE_MINUTES + 2_000 }),
      401,
      'its timestamp is more than five minutes off',
    ],
    [
      'that is no press',
      (cloud) => requestTo(cloud, { payload: { type: 'view_submission' } }),
      400,
      'this is no press of a button',
    ],
    [
      'whose answer would go elsewhere',
      (cloud) =>
        requestTo(cloud, { payload: { ...acknowledge, response_url: 'https://evil.example/x' } }),
      400,
      'this is no press of a button',
    ],
    ['by GET', (cloud) => ({ ...requestTo(cloud), method: 'GET' }), 405, 'only POST is taken'],
    [
      'of more than a megabyte',
      (cloud) => requestTo(cloud, { payload: { ...acknowledge, more: 'x'.repeat(1024 * 1024) } }),
      413,
      'the body is too long',
    ],
  ])('%s is refused, and nothing is changed', async (_, spoil, status, body) => {
    const cloud = await partitioned();
    expect(await send(cloud, spoil(cloud))).toEqual({ status, body });
    expect(cloud.printed('slackActions')).toContainEqual(
      expect.objectContaining({ level: 'WARN', message: 'slack request refused', why: body }),
    );
    await expectNothing(cloud);
  });

  it('that is replayed is refused, at once and for as long as it could be sent', async () => {
    const cloud = await partitioned();
    const explain = requestTo(cloud, { payload: payloadOf('explain', { incidentId }) });
    expect((await send(cloud, explain)).status).toBe(200);
    const again = { status: 401, body: 'this very request was taken before' };
    expect(await send(cloud, explain)).toEqual(again);
    // Others come and are forgotten; this one is not.
    await cloud.pass(200_000);
    const other = payloadOf('explain', { incidentId }, { trigger_id: '2' });
    expect((await send(cloud, requestTo(cloud, { payload: other }))).status).toBe(200);
    cloud.lambda.coolDown();
    await cloud.pass(90_000);
    expect(await send(cloud, explain)).toEqual(again);
    await cloud.pass(20_000);
    expect((await send(cloud, explain)).body).toBe('its timestamp is more than five minutes off');
    await expectNothing(cloud);
  });

  it('is refused whatever it is where nobody may press', async () => {
    const parameters = { SlackSigningSecretId: 'none', SlackOperators: 'none' };
    const cloud = await partitioned({ parameters });
    const says = 'there are no buttons here: set SlackSigningSecretId and SlackOperators';
    expect(await send(cloud, requestTo(cloud))).toEqual({ status: 403, body: says });
    expect(cloud.printed('slackActions')).toContainEqual(
      expect.objectContaining({ level: 'WARN', message: 'slack request refused', why: says }),
    );
    await expectNothing(cloud);
  });

  it('is not taken while the ledger cannot tell whether it was taken before', async () => {
    const cloud = await partitioned();
    const role = cloud.iam.accessKeyId(cloud.infra.resource('SlackActionsRole').arn);
    cloud.faults.intercept = (_request, { accessKeyId, service }) =>
      accessKeyId === role && service === 'dynamodb'
        ? { answer: { status: 500, headers: {}, body: '{}' } }
        : 'pass';
    expect((await send(cloud, requestTo(cloud))).status).toBe(502);
    await expectNothing(cloud);
  });
});

describe('a press', () => {
  it('of somebody who may not is refused, and nothing is changed', async () => {
    const cloud = await partitioned();
    const { isFine, told } = await press(cloud, { action: 'acknowledge', user: 'U0EVE' });
    expect(isFine).toBe(true);
    expect(told).toBe(
      '*Nothing was done:* U0EVE is not among those who may press (SlackOperators).',
    );
    await expectNothing(cloud);
  });

  it('is refused when the group cannot be looked up', async () => {
    const cloud = await partitioned({ slack: { scopes: ['chat:write'] } });
    const { told } = await press(cloud, { action: 'acknowledge', user: 'U0BEN' });
    expect(told).toContain('*Nothing was done:* who may press could not be read');
    expect(told).toContain('missing_scope');
    await expectNothing(cloud);
  });

  it('of one who has left the group is refused', async () => {
    const cloud = await partitioned({ slack: { groups: { S0ONCALL: [] } } });
    const { told } = await press(cloud, { action: 'acknowledge', user: 'U0BEN' });
    expect(told).toContain('*Nothing was done:* U0BEN is not among those');
    await expectNothing(cloud);
  });

  it.each<[string, object, string]>([
    ['an action that nobody knows', payloadOf('format-disk', { incidentId }), 'format-disk'],
    ['a button without its names', payloadOf('approve', { incidentId }), 'what it is about'],
    ['a button with too much', payloadOf('hold', { incidentId, by: 'root' }), 'what it is about'],
    ['a button of no incident', payloadOf('explain', { incidentId: 'x' }), 'what it is about'],
    ['a button of another cluster', payloadOf('acknowledge-storm', { cluster: 'prod' }), 'of prod'],
    [
      'an incident of another cluster',
      payloadOf('acknowledge', { incidentId: incidentId.replace('demo', 'prod') }),
      'is of another cluster: this one is demo',
    ],
    [
      'a hold that nobody may wave through',
      payloadOf('acknowledge', { incidentId, hold: 'ledger-rewound' }),
      'ledger-rewound cannot be acknowledged',
    ],
    [
      'an approval that nobody asked for',
      payloadOf('approve', { incidentId, approvalId: 'a7' }),
      'Refused',
    ],
  ])('on %s is refused in words', async (_, payload, says) => {
    const cloud = await partitioned();
    // The address that such a request brings along is none of Slack's: the bot answers.
    expect(await send(cloud, requestTo(cloud, { payload }))).toEqual({ status: 200, body: '' });
    await cloud.until(() => cloud.slack.ephemerals().length > 0);
    expect(JSON.stringify(cloud.slack.ephemerals())).toContain(says);
    await cloud.pass(SETTLES_MS);
    expect(changesOf(cloud)).toEqual([]);
    const done = ordersOf(cloud).filter(({ outcome }) => outcome !== 'refused');
    expect(done).toEqual([]);
  });
});
