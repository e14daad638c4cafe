import { inspect } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { fetchOver } from '../../../../src/adapters/http/fetch-over.ts';
import { createSlackNotifier } from '../../../../src/adapters/slack/notifier.ts';
import type { IncidentMessage } from '../../../../src/domain/message.ts';
import type { HttpRequest, HttpResponse } from '../../../../src/ports/http.ts';

const TOKEN = 'xoxb-123-secret';
const message: IncidentMessage = {
  title: 'i-1 is down',
  lines: ['fencing'],
  mood: 'working',
  buttons: [{ action: 'explain', words: 'Explain', about: { incidentId: 'prod#i-1#1' } }],
};

const answer = (body: object, status = 200, headers: object = {}): HttpResponse => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8', ...headers },
  body: JSON.stringify(body),
});

const against = (response: HttpResponse | Error, token = async () => TOKEN, buttons = false) => {
  const requests: HttpRequest[] = [];
  const fetch = fetchOver(async (request) => {
    requests.push(request);
    if (response instanceof Error) throw response;
    return response;
  });
  return { requests, notifier: createSlackNotifier({ token, channel: 'C1', buttons, fetch }) };
};

const formOf = (request: HttpRequest | undefined): Record<string, string> =>
  Object.fromEntries(new URLSearchParams(String(request?.body)));

describe('a message', () => {
  it('is posted to the channel with the token in its header only', async () => {
    const { notifier, requests } = against(answer({ ok: true, channel: 'C1', ts: '17.000001' }));
    expect(await notifier.post(message)).toEqual({ channel: 'C1', ts: '17.000001' });
    expect(requests).toHaveLength(1);
    const [request] = requests;
    expect(request).toMatchObject({
      method: 'POST',
      url: 'https://slack.com/api/chat.postMessage',
    });
    expect(request?.headers.authorization).toBe(`Bearer ${TOKEN}`);
    expect(request?.body).not.toContain(TOKEN);
    const form = formOf(request);
    expect(form).toMatchObject({ channel: 'C1', text: 'i-1 is down' });
    expect(JSON.parse(form.blocks ?? '')).toHaveLength(3);
  });

  it('is updated in place', async () => {
    const { notifier, requests } = against(answer({ ok: true, channel: 'C1', ts: '17.000001' }));
    await notifier.update('C9', '17.000001', message);
    expect(requests[0]?.url).toBe('https://slack.com/api/chat.update');
    expect(formOf(requests[0])).toMatchObject({ channel: 'C9', ts: '17.000001' });
  });

  it('has buttons only where somebody hears of them', async () => {
    const { notifier, requests } = against(
      answer({ ok: true, channel: 'C1', ts: '17.000001' }),
      async () => TOKEN,
      true,
    );
    await notifier.post(message);
    await notifier.update('C1', '17.000001', message);
    for (const request of requests) {
      const blocks: { type: string }[] = JSON.parse(formOf(request).blocks ?? '');
      expect(blocks.map(({ type }) => type)).toEqual(['header', 'section', 'actions', 'context']);
    }
  });

  it('is told more of in its thread', async () => {
    const { notifier, requests } = against(answer({ ok: true, channel: 'C9', ts: '17.000002' }));
    await notifier.reply('C9', '17.000001', ['+0.1 s verdict', '+0.2 s call']);
    expect(requests[0]?.url).toBe('https://slack.com/api/chat.postMessage');
    expect(formOf(requests[0])).toMatchObject({ channel: 'C9', thread_ts: '17.000001' });
    expect(formOf(requests[0]).blocks).toContain('+0.1 s verdict\\n+0.2 s call');
  });

  it('that Slack does not say where to find is not delivered', async () => {
    const { notifier } = against(answer({ ok: true }));
    await expect(notifier.post(message)).rejects.toMatchObject({
      name: 'NotifierUnavailableError',
    });
  });
});

const TROUBLES: readonly [string, HttpResponse | Error, string][] = [
  ['a revoked token', answer({ ok: false, error: 'token_revoked' }), 'token_revoked'],
  ['a missing channel', answer({ ok: false, error: 'channel_not_found' }), 'channel_not_found'],
  [
    'too many messages',
    answer({ ok: false, error: 'ratelimited' }, 429, { 'retry-after': '30' }),
    'rate_limited, retry after 30 s',
  ],
  ['an outage', answer({}, 503), 'HTTP 503'],
  ['a page', { status: 200, headers: {}, body: '<html>proxy</html>' }, 'unreadable answer'],
  ['a reset', Object.assign(new Error('gone'), { code: 'ECONNRESET' }), 'ECONNRESET'],
  ['a timeout', Object.assign(new Error('slow'), { code: 'ETIMEDOUT' }), 'ETIMEDOUT'],
];

describe('trouble with Slack', () => {
  it.each(TROUBLES)('%s is told in a word, after one try', async (_, trouble, code) => {
    for (const act of ['post', 'update'] as const) {
      const { notifier, requests } = against(trouble);
      const told =
        act === 'post' ? notifier.post(message) : notifier.update('C1', '17.000001', message);
      const operation = act === 'post' ? 'chat.postMessage' : 'chat.update';
      await expect(told).rejects.toMatchObject({
        name: 'NotifierUnavailableError',
        details: { operation, code },
      });
      expect(requests).toHaveLength(1);
    }
  });

  it('that says no time to wait is an error all the same', async () => {
    const { notifier, requests } = against(answer({ ok: false }, 429));
    await expect(notifier.post(message)).rejects.toMatchObject({
      name: 'NotifierUnavailableError',
    });
    expect(requests).toHaveLength(1);
  });

  it('prints nothing', async () => {
    const output = [
      vi.spyOn(console, 'warn'),
      vi.spyOn(console, 'error'),
      vi.spyOn(console, 'info'),
      vi.spyOn(console, 'debug'),
      vi.spyOn(process.stderr, 'write'),
    ];
    const { notifier } = against(Object.assign(new Error('gone'), { code: 'ECONNRESET' }));
    await notifier.post(message).catch(() => {});
    for (const spy of output) expect(spy).not.toHaveBeenCalled();
    vi.restoreAllMocks();
  });

  it.each<[string, HttpResponse | Error]>([
    ['a network error', new Error(`header Bearer ${TOKEN} is not valid`)],
    ['a page', { status: 200, headers: {}, body: `you sent ${TOKEN}` }],
    ['a 5xx', { status: 500, headers: { 'x-echo': TOKEN }, body: TOKEN }],
    ['a refusal', answer({ ok: false, error: TOKEN })],
  ])('does not show the token that %s quotes', async (_, trouble) => {
    const error = await against(trouble)
      .notifier.post(message)
      .then(
        () => 'none',
        (e) => e,
      );
    expect(error).toBeInstanceOf(Error);
    expect(`${inspect(error, { depth: 20 })} ${JSON.stringify(error)}`).not.toContain(TOKEN);
  });
});

it('a token that cannot be had is a notification that waits', async () => {
  const token = () =>
    Promise.reject(Object.assign(new Error('no'), { code: 'ThrottlingException' }));
  const { notifier, requests } = against(answer({ ok: true }), token);
  const details = { code: 'ThrottlingException' };
  await expect(notifier.post(message)).rejects.toMatchObject({ details });
  expect(requests).toHaveLength(0);
});
