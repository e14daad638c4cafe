import { createHmac } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { SendRequest } from '../../../emulator/network.ts';
import type { SlackWorkspace } from '../../../emulator/services/slack/model.ts';
import { createSlack, type Slack } from '../../../emulator/services/slack/slack.ts';

const START = 1_795_381_200_000;
const setUp = (workspace: Partial<SlackWorkspace> = {}) => {
  let now = START;
  const time = { now: () => now, after: () => () => {} };
  const sent: SendRequest[] = [];
  const slack = createSlack({
    time,
    token: 'xoxb-good',
    channels: ['C1'],
    otherChannels: ['C3'],
    people: { U1: 'ana' },
    groups: { S1: ['U1'] },
    signingSecret: 'hush',
    interactivityUrl: 'https://app.example/',
    send: async (request) => {
      sent.push(request);
      return { status: 200, headers: {}, body: '' };
    },
    ...workspace,
  });
  return { sent, slack, wait: (ms: number) => (now += ms) };
};

/** A call as @slack/web-api makes it: a form, blocks as JSON, the token in a header. */
const call = async (
  slack: Slack,
  method: string,
  args: Record<string, unknown>,
  authorization = 'Bearer xoxb-good',
) => {
  const form = Object.fromEntries(
    Object.entries(args).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  );
  const response = await slack.handle(
    {
      method: 'POST',
      url: `https://slack.com/api/${method}`,
      headers: { 'content-type': 'application/x-www-form-urlencoded', authorization },
      body: new URLSearchParams(form).toString(),
    },
    { accessKeyId: '' },
  );
  return { ...response, json: response.body ? JSON.parse(response.body) : undefined };
};
/** What Slack says besides its error. */
const rest = ({ ok: _ok, error: _error, ...more }: Record<string, unknown>) => more;
const section = (text: string) => ({ type: 'section', text: { type: 'mrkdwn', text } });

describe('Slack', () => {
  it('keeps a message and changes it', async () => {
    const { slack, wait } = setUp();
    const posted = await call(slack, 'chat.postMessage', { channel: 'C1', text: 'fencing' });
    expect(posted.json).toMatchObject({ ok: true, channel: 'C1' });
    wait(5_000);
    const { ts } = posted.json;
    const blocks = [section('recovered')];
    await call(slack, 'chat.update', { channel: 'C1', ts, text: 'recovered', blocks });
    expect(slack.messages()).toEqual([
      {
        channel: 'C1',
        ts,
        text: 'recovered',
        blocks,
        postedAt: 1_795_381_200_000,
        updatedAt: [1_795_381_205_000],
      },
    ]);
  });

  it('takes JSON as well as a form', async () => {
    const { slack } = setUp();
    const response = await slack.handle(
      {
        method: 'POST',
        url: 'http://127.0.0.1:4566/slack/api/chat.postMessage',
        headers: { 'content-type': 'application/json', authorization: 'Bearer xoxb-good' },
        body: JSON.stringify({ channel: 'C1', text: 'hello' }),
      },
      { accessKeyId: '' },
    );
    expect(JSON.parse(response.body).ok).toBe(true);
    expect(slack.messages()).toMatchObject([{ text: 'hello' }]);
  });

  it('knows a good token from a bad and a missing one', async () => {
    const { slack } = setUp();
    expect((await call(slack, 'auth.test', {})).json.ok).toBe(true);
    expect((await call(slack, 'auth.test', {}, 'Bearer xoxb-bad')).json).toEqual({
      ok: false,
      error: 'invalid_auth',
    });
  });

  it.each([
    { wrong: 'another channel', args: { channel: 'C2' }, error: 'channel_not_found' },
    { wrong: 'a channel it is not in', args: { channel: 'C3' }, error: 'not_in_channel' },
    { wrong: '40,001 characters', args: { text: 'x'.repeat(40_001) }, error: 'msg_too_long' },
    { wrong: 'no text', args: { text: '' }, error: 'no_text' },
    { wrong: 'a thread of nothing', args: { thread_ts: '1.2' }, error: 'thread_not_found' },
    { wrong: 'blocks that are no JSON', args: { blocks: '[' }, error: 'invalid_blocks' },
    {
      wrong: 'more than all blocks may say together',
      args: { blocks: Array.from({ length: 4 }, () => section('x'.repeat(2_999))) },
      error: 'msg_blocks_too_long',
    },
  ])('refuses $wrong with 200 and ok:false', async ({ args, error }) => {
    const { slack } = setUp();
    const answer = await call(slack, 'chat.postMessage', { channel: 'C1', text: 'x', ...args });
    expect([answer.status, answer.json]).toEqual([200, { ok: false, error, ...rest(answer.json) }]);
    expect(slack.messages()).toEqual([]);
  });

  const plain = (text: string) => ({ type: 'plain_text', text });
  const button = (more: object = {}) => ({
    type: 'button',
    action_id: 'hold',
    text: plain('Hold'),
    ...more,
  });
  const confirm = (more: object) => ({
    title: plain('t'),
    text: plain('t'),
    confirm: plain('t'),
    deny: plain('t'),
    ...more,
  });
  const actions = (...elements: object[]) => ({ type: 'actions', elements });
  const asking = (more: object) => actions(button({ confirm: confirm(more) }));

  it.each<[string, unknown, string]>([
    ['51 blocks', Array.from({ length: 51 }, () => section('x')), 'no more than 50 items'],
    [
      'a section of 3,001',
      [section('x'.repeat(3_001))],
      '3001 characters [json-pointer:/blocks/0/text/text',
    ],
    ['an empty section', [section('')], 'must be more than 0 characters'],
    ['a section without text', [{ type: 'section' }], 'missing required field'],
    ['a header of 151', [{ type: 'header', text: plain('x'.repeat(151)) }], '151 characters'],
    ['a header in mrkdwn', [{ ...section('x'), type: 'header' }], 'unsupported type'],
    ['a block without type', [{ text: 'x' }], 'unsupported type'],
    ['no elements', [actions()], 'no fewer than 1 items'],
    [
      '26 buttons',
      [actions(...Array.from({ length: 26 }, (_, i) => button({ action_id: `${i}` })))],
      '25 items',
    ],
    ['two buttons of one name', [actions(button(), button())], '`action_id` already exists'],
    ['a button without name', [actions(button({ action_id: '' }))], 'missing required field'],
    ['a name of 256', [actions(button({ action_id: 'x'.repeat(256) }))], '256 characters'],
    ['a button of 76', [actions(button({ text: plain('x'.repeat(76)) }))], '76 characters'],
    ['a value of 2,001', [actions(button({ value: 'x'.repeat(2_001) }))], '2001 characters'],
    ['another style', [actions(button({ style: 'loud' }))], 'valid enum value'],
    ['a question of 101', [asking({ title: plain('x'.repeat(101)) })], '101 characters'],
    ['an explanation of 301', [asking({ text: plain('x'.repeat(301)) })], '301 characters'],
    ['a yes of 31', [asking({ confirm: plain('x'.repeat(31)) })], '31 characters'],
    ['no no', [asking({ deny: undefined })], 'missing required field'],
  ])('refuses %s as Block Kit does, and says where', async (_, blocks, problem) => {
    const { slack } = setUp();
    const { json } = await call(slack, 'chat.postMessage', { channel: 'C1', text: 'x', blocks });
    expect(json).toMatchObject({ ok: false, error: 'invalid_blocks' });
    expect(json.response_metadata.messages.join()).toContain(problem);
  });

  it('takes a message of everything that is used, each as long as it may be', async () => {
    const { slack } = setUp();
    const blocks = [
      { type: 'header', text: plain('x'.repeat(150)) },
      section('x'.repeat(3_000)),
      { type: 'section', fields: [plain('x')] },
      { type: 'divider' },
      asking({ title: plain('x'.repeat(100)), text: plain('x'.repeat(300)) }),
      { type: 'context', elements: [plain('x')] },
    ];
    const answer = await call(slack, 'chat.postMessage', { channel: 'C1', text: 'x', blocks });
    expect(answer.json.ok).toBe(true);
  });

  it('keeps replies in the thread of their message', async () => {
    const { slack } = setUp();
    const { json } = await call(slack, 'chat.postMessage', { channel: 'C1', text: 'fencing' });
    await call(slack, 'chat.postMessage', { channel: 'C1', text: 'why', thread_ts: json.ts });
    expect(slack.messages().map(({ text }) => text)).toEqual(['fencing']);
    expect(slack.thread(json.ts)).toMatchObject([{ text: 'why', threadTs: json.ts }]);
  });

  it('takes about one message per second and channel, and says when the next one', async () => {
    const { slack, wait } = setUp();
    const post = () => call(slack, 'chat.postMessage', { channel: 'C1', text: 'x' });
    for (let i = 0; i < 10; i += 1) expect((await post()).json.ok).toBe(true);
    const limited = await post();
    expect([limited.status, limited.headers['retry-after']]).toEqual([429, '1']);
    const { ts } = slack.messages()[0] ?? {};
    const update = { channel: 'C1', ts, text: 'y' };
    expect((await call(slack, 'chat.update', update)).json.ok).toBe(true);
    wait(1_000);
    expect((await post()).json.ok).toBe(true);
    expect((await post()).status).toBe(429);
  });

  it('tells one person alone, and who is in a group', async () => {
    const { slack } = setUp();
    const told = { channel: 'C1', user: 'U1', text: 'held' };
    expect((await call(slack, 'chat.postEphemeral', told)).json.ok).toBe(true);
    expect(slack.ephemerals()).toMatchObject([told]);
    expect(slack.messages()).toEqual([]);
    const stranger = { ...told, user: 'U9' };
    expect((await call(slack, 'chat.postEphemeral', stranger)).json.error).toBe(
      'user_not_in_channel',
    );
    const members = await call(slack, 'usergroups.users.list', { usergroup: 'S1' });
    expect(members.json).toEqual({ ok: true, users: ['U1'] });
    const nobody = await call(slack, 'usergroups.users.list', { usergroup: 'S9' });
    expect(nobody.json.error).toBe('no_such_subteam');
  });

  it('says which scope is missing', async () => {
    const { slack } = setUp({ scopes: ['chat:write'] });
    const { json } = await call(slack, 'usergroups.users.list', { usergroup: 'S1' });
    expect(json).toEqual({
      ok: false,
      error: 'missing_scope',
      needed: 'usergroups:read',
      provided: 'chat:write',
    });
  });

  it('finds no message it never posted and no method it does not know', async () => {
    const { slack } = setUp();
    const update = await call(slack, 'chat.update', { channel: 'C1', ts: '1.1', text: 'x' });
    expect(update.json.error).toBe('message_not_found');
    expect((await call(slack, 'chat.delete', {})).json.error).toBe('unknown_method');
  });

  it('is slow-going, revoked or down when told to, and heals', async () => {
    const { slack } = setUp();
    const post = () => call(slack, 'chat.postMessage', { channel: 'C1', text: 'x' });
    slack.trouble({ kind: 'ratelimited', retryAfterSeconds: 30 });
    const limited = await post();
    expect([limited.status, limited.headers['retry-after']]).toEqual([429, '30']);
    slack.trouble({ kind: 'error', error: 'token_revoked' });
    expect((await post()).json).toEqual({ ok: false, error: 'token_revoked' });
    slack.trouble({ kind: 'http', status: 503 });
    expect((await post()).status).toBe(503);
    slack.trouble(undefined);
    expect((await post()).json.ok).toBe(true);
    expect(slack.messages()).toHaveLength(1);
  });
});

describe('a press', () => {
  const blocks = [
    {
      type: 'actions',
      elements: [
        {
          type: 'button',
          action_id: 'hold',
          text: { type: 'plain_text', text: 'Hold' },
          value: '{"incidentId":"x"}',
        },
      ],
    },
  ];
  const posted = async (slack: Slack): Promise<string> =>
    (await call(slack, 'chat.postMessage', { channel: 'C1', text: 'x', blocks })).json.ts;
  const respond = async (slack: Slack, url: string, more: object = {}) => {
    const body = { response_type: 'ephemeral', replace_original: false, text: 'held', ...more };
    const headers = { 'content-type': 'application/json' };
    const request = { method: 'POST', url, headers, body: JSON.stringify(body) };
    return slack.handle(request, { accessKeyId: '' });
  };
  const payloadOf = (request: SendRequest | undefined) =>
    JSON.parse(new URLSearchParams(String(request?.body)).get('payload') ?? '');

  it('is sent as block_actions, signed as Slack signs', async () => {
    const { sent, slack } = setUp();
    const ts = await posted(slack);
    expect(await slack.press({ action: 'hold' })).toEqual({
      status: 200,
      says: '',
      tookMs: 0,
      isFine: true,
    });
    const [request] = sent;
    expect(payloadOf(request)).toMatchObject({
      type: 'block_actions',
      user: { id: 'U1', username: 'ana' },
      container: { message_ts: ts, channel_id: 'C1' },
      actions: [{ action_id: 'hold', value: '{"incidentId":"x"}', type: 'button' }],
    });
    const timestamp = String(START / 1000);
    const signed = createHmac('sha256', 'hush').update(`v0:${timestamp}:${request?.body}`);
    expect(request?.headers).toMatchObject({
      'x-slack-request-timestamp': timestamp,
      'x-slack-signature': `v0=${signed.digest('hex')}`,
    });
  });

  it('may be answered five times within half an hour, for that person alone', async () => {
    const { sent, slack, wait } = setUp();
    await posted(slack);
    await slack.press({ action: 'hold' });
    const { response_url: url } = payloadOf(sent[0]);
    for (let i = 0; i < 5; i += 1) expect((await respond(slack, url)).status).toBe(200);
    expect(await respond(slack, url)).toMatchObject({ status: 404, body: 'used_url' });
    expect(slack.ephemerals()).toHaveLength(5);
    await slack.press({ action: 'hold' });
    wait(30 * 60_000 + 1);
    const { response_url: late } = payloadOf(sent[1]);
    expect(await respond(slack, late)).toMatchObject({ status: 404, body: 'expired_url' });
    expect((await respond(slack, `${late}0`)).status).toBe(404);
  });

  it('needs a button, and an app that hears of it', async () => {
    const { slack } = setUp();
    await expect(slack.press({ action: 'hold' })).rejects.toThrow('no message has a button hold');
    const deaf = setUp({ interactivityUrl: undefined }).slack;
    await posted(deaf);
    await expect(deaf.press({ action: 'hold' })).rejects.toThrow('no Request URL');
  });

  it('can be made by hand, and everything read, on the local port', async () => {
    const { sent, slack } = setUp();
    await posted(slack);
    const url = 'http://127.0.0.1:4566/slack/press';
    const hand = { method: 'POST', url, headers: {}, body: 'action=hold&user=U1' };
    expect((await slack.handle(hand, { accessKeyId: '' })).status).toBe(200);
    expect(sent).toHaveLength(1);
    const none = { ...hand, body: 'action=fly' };
    expect(await slack.handle(none, { accessKeyId: '' })).toMatchObject({
      status: 400,
      body: 'no message has a button fly\n',
    });
    const read = { ...hand, method: 'GET', url: 'http://127.0.0.1:4566/slack/messages', body: '' };
    expect((await slack.handle(read, { accessKeyId: '' })).body).toContain('[Hold]');
  });
});
