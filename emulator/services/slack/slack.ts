import type { Time } from '../../core/time.ts';
import type { Service, WireRequest, WireResponse } from '../../core/wire.ts';

export interface SlackMessage {
  channel: string;
  /** Slack's message id: seconds and a counter, unique within the channel. */
  ts: string;
  threadTs?: string;
  text: string;
  blocks: unknown[];
  postedAt: number;
  /** Times at which chat.update changed it. */
  updatedAt: number[];
}

export interface Slack extends Service {
  /** What stands in the channels, threads left out. */
  messages(): readonly SlackMessage[];
  /** The replies in a message's thread. */
  thread(ts: string): readonly SlackMessage[];
  /** From now on every call is answered like this; undefined heals it. */
  trouble(kind: SlackTrouble | undefined): void;
}

export type SlackTrouble =
  /** HTTP 429 with Retry-After, as for more than about one message per second and channel. */
  | { kind: 'ratelimited'; retryAfterSeconds: number }
  | { kind: 'error'; error: string }
  | { kind: 'http'; status: number };

type Arguments = Record<string, unknown>;

/** Slack's documented limits. */
const BLOCKS_MAX = 50;
const BLOCK_TEXT_MAX = 3_000;
const TEXT_MAX = 40_000;

class SlackRefusal extends Error {
  override readonly name = 'SlackRefusal';
}

/** JSON, or a form whose blocks are a JSON string: Slack takes both. */
const argumentsOf = (request: WireRequest): Arguments => {
  const { 'content-type': type = '' } = request.headers;
  try {
    if (type.startsWith('application/json')) return JSON.parse(request.body || '{}');
    const form = Object.fromEntries(new URLSearchParams(request.body));
    return form.blocks ? { ...form, blocks: JSON.parse(form.blocks) } : form;
  } catch (cause) {
    const error = type.startsWith('application/json') ? 'invalid_json' : 'invalid_blocks';
    throw new SlackRefusal(error, { cause });
  }
};

const longestText = (value: unknown): number => {
  if (Array.isArray(value)) return Math.max(0, ...value.map(longestText));
  if (typeof value !== 'object' || value === null) return 0;
  return Math.max(
    0,
    ...Object.entries(value).map(([key, part]) =>
      key === 'text' && typeof part === 'string' ? part.length : longestText(part),
    ),
  );
};

const contentOf = (args: Arguments): { text: string; blocks: unknown[] } => {
  const text = typeof args.text === 'string' ? args.text : '';
  const blocks = args.blocks ?? [];
  const typed = Array.isArray(blocks) && blocks.every((block) => typeof block?.type === 'string');
  if (!typed || blocks.length > BLOCKS_MAX || longestText(blocks) > BLOCK_TEXT_MAX) {
    throw new SlackRefusal('invalid_blocks');
  }
  if (text.length > TEXT_MAX) throw new SlackRefusal('msg_too_long');
  if (!text && blocks.length === 0) throw new SlackRefusal('no_text');
  return { text, blocks };
};

/**
 * Slack's Web API as far as a bot that keeps one message per incident needs it: auth.test,
 * chat.postMessage, chat.update. Refusals are HTTP 200 with `{"ok":false,"error"}`, as in life.
 */
export const createSlack = (deps: {
  time: Time;
  /** The bot token that is accepted. */
  token: string;
  channels: readonly string[];
}): Slack => {
  const messages: SlackMessage[] = [];
  let trouble: SlackTrouble | undefined;

  const channelOf = (args: Arguments): string => {
    const channel = String(args.channel ?? '');
    if (!deps.channels.includes(channel)) throw new SlackRefusal('channel_not_found');
    return channel;
  };
  const methods: Record<string, (args: Arguments) => object> = {
    'auth.test': () => ({ url: 'https://example.slack.com/', team_id: 'T1', user_id: 'U1' }),
    'chat.postMessage': (args) => {
      const channel = channelOf(args);
      const postedAt = deps.time.now();
      const count = String(messages.length + 1).padStart(6, '0');
      const ts = `${Math.floor(postedAt / 1000)}.${count}`;
      const message = { channel, ts, ...contentOf(args), postedAt, updatedAt: [] };
      const { thread_ts: threadTs } = args;
      messages.push(typeof threadTs === 'string' ? { ...message, threadTs } : message);
      return { channel, ts, message: { type: 'message', text: message.text, ts } };
    },
    'chat.update': (args) => {
      const channel = channelOf(args);
      const message = messages.find((m) => m.channel === channel && m.ts === args.ts);
      if (!message) throw new SlackRefusal('message_not_found');
      Object.assign(message, contentOf(args));
      message.updatedAt.push(deps.time.now());
      return { channel, ts: message.ts, text: message.text };
    },
  };
  const answer = (body: object): WireResponse => ({
    status: 200,
    headers: { 'content-type': 'application/json; charset=utf-8' },
    body: JSON.stringify(body),
  });

  return {
    messages: () => messages.filter(({ threadTs }) => threadTs === undefined),
    thread: (ts) => messages.filter(({ threadTs }) => threadTs === ts),
    trouble: (kind) => {
      trouble = kind;
    },
    handle: (request) => {
      if (trouble?.kind === 'http') return { status: trouble.status, headers: {}, body: '' };
      if (trouble?.kind === 'ratelimited') {
        const response = answer({ ok: false, error: 'ratelimited' });
        response.headers['retry-after'] = String(trouble.retryAfterSeconds);
        return { ...response, status: 429 };
      }
      try {
        if (trouble) throw new SlackRefusal(trouble.error);
        const { pathname } = new URL(request.url);
        const method = methods[pathname.slice(pathname.lastIndexOf('/') + 1)];
        if (!method) throw new SlackRefusal('unknown_method');
        const args = argumentsOf(request);
        const token = request.headers.authorization?.replace(/^Bearer /, '') ?? args.token;
        if (token === undefined) throw new SlackRefusal('not_authed');
        if (token !== deps.token) throw new SlackRefusal('invalid_auth');
        return answer({ ok: true, ...method(args) });
      } catch (error) {
        if (error instanceof SlackRefusal) return answer({ ok: false, error: error.message });
        throw error;
      }
    },
  };
};
