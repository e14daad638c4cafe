import type { Time } from '../../core/time.ts';
import type { WireRequest, WireResponse } from '../../core/wire.ts';
import type { Network } from '../../network.ts';
import { blockProblems, isTooLong } from './blocks.ts';

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

/** What one person is shown and nobody else. */
export interface Ephemeral {
  channel: string;
  user: string;
  text: string;
  blocks: unknown[];
  at: number;
}

/** A workspace, and an app in it. */
export interface SlackWorkspace {
  /** The bot token that is accepted. */
  token: string;
  /** What the token may do; absent: all that is emulated. */
  scopes?: readonly string[];
  /** Those that the bot is in. */
  channels: readonly string[];
  /** Those that it is not in. */
  otherChannels?: readonly string[];
  signingSecret?: string;
  /** User groups and who is in them. */
  groups?: Readonly<Record<string, readonly string[]>>;
  /** Names by user id; the first one presses where nobody else is named. */
  people?: Readonly<Record<string, string>>;
  /** Where presses are sent. */
  interactivityUrl?: string | undefined;
}

/** What the workspace holds. */
export interface SlackState {
  messages: SlackMessage[];
  ephemerals: Ephemeral[];
  /** By address: who pressed where, until when, and how often it was answered. */
  responses: Map<string, { channel: string; user: string; until: number; count: number }>;
}

export type SlackDeps = SlackWorkspace & { time: Time; send?: Network['send'] };

export type Arguments = Record<string, unknown>;

const TEXT_MAX = 40_000;

/** Refused in Slack's way. */
export class SlackRefusal extends Error {
  override readonly name = 'SlackRefusal';
  readonly more: object;
  constructor(error: string, options: ErrorOptions = {}, more: object = {}) {
    super(error, options);
    this.more = more;
  }
}

/** JSON, or a form whose blocks are a JSON string: Slack takes both. */
export const argumentsOf = (request: WireRequest): Arguments => {
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

/** What a message says, if Slack takes it. */
export const contentOf = (args: Arguments): { text: string; blocks: unknown[] } => {
  const text = typeof args.text === 'string' ? args.text : '';
  const blocks = args.blocks ?? [];
  const problems = blockProblems(blocks);
  if (problems.length > 0 || !Array.isArray(blocks)) {
    const more = { errors: problems, response_metadata: { messages: problems } };
    throw new SlackRefusal('invalid_blocks', {}, more);
  }
  if (isTooLong(blocks)) throw new SlackRefusal('msg_blocks_too_long');
  if (text.length > TEXT_MAX) throw new SlackRefusal('msg_too_long');
  if (!text && blocks.length === 0) throw new SlackRefusal('no_text');
  return { text, blocks };
};

export const answer = (body: object): WireResponse => ({
  status: 200,
  headers: { 'content-type': 'application/json; charset=utf-8' },
  body: JSON.stringify(body),
});
export const limited = (retryAfterSeconds: number): WireResponse => ({
  ...answer({ ok: false, error: 'ratelimited' }),
  status: 429,
  headers: {
    'content-type': 'application/json; charset=utf-8',
    'retry-after': String(retryAfterSeconds),
  },
});
export const plain = (status: number, body: string): WireResponse => ({
  status,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body,
});
