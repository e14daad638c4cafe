import { describe, expect, it } from 'vitest';
import { createSlack, type Slack } from '../../../emulator/services/slack/slack.ts';

const setUp = () => {
  let now = 1_795_381_200_000;
  const time = { now: () => now, after: () => () => {} };
  const slack = createSlack({ time, token: 'xoxb-good', channels: ['C1'] });
  return { slack, wait: (ms: number) => (now += ms) };
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
    { wrong: '40,001 characters', args: { text: 'x'.repeat(40_001) }, error: 'msg_too_long' },
    { wrong: 'no text', args: { text: '' }, error: 'no_text' },
    {
      wrong: '51 blocks',
      args: { blocks: Array.from({ length: 51 }, () => section('x')) },
      error: 'invalid_blocks',
    },
    {
      wrong: 'a block of 3,001 characters',
      args: { blocks: [section('x'.repeat(3_001))] },
      error: 'invalid_blocks',
    },
    { wrong: 'blocks without type', args: { blocks: [{ text: 'x' }] }, error: 'invalid_blocks' },
    { wrong: 'blocks that are no JSON', args: { blocks: '[' }, error: 'invalid_blocks' },
  ])('refuses $wrong with 200 and ok:false', async ({ args, error }) => {
    const { slack } = setUp();
    const answer = await call(slack, 'chat.postMessage', { channel: 'C1', text: 'x', ...args });
    expect([answer.status, answer.json]).toEqual([200, { ok: false, error }]);
    expect(slack.messages()).toEqual([]);
  });

  it('accepts exactly 50 blocks of 3,000 characters', async () => {
    const { slack } = setUp();
    const blocks = Array.from({ length: 50 }, () => section('x'.repeat(3_000)));
    const answer = await call(slack, 'chat.postMessage', { channel: 'C1', text: 'x', blocks });
    expect(answer.json.ok).toBe(true);
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
