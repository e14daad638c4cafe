import { createHmac } from 'node:crypto';
import type { WireRequest, WireResponse } from '../../core/wire.ts';
import type { SendRequest } from '../../network.ts';
import {
  argumentsOf,
  contentOf,
  plain,
  type SlackDeps,
  type SlackMessage,
  type SlackState,
} from './model.ts';

/** An answer to a press is taken so long and so often. */
const RESPONSE_URL_MS = 30 * 60_000;
const RESPONSES_MAX = 5;

/** Slack shows a warning to whoever pressed when the app has not answered by then. */
const ANSWER_WITHIN_MS = 3_000;

export interface Pressed {
  /** Of the app's answer; `none`: it did not come. */
  status: number | 'none';
  says: string;
  tookMs: number;
  /** No warning was shown. */
  isFine: boolean;
}

interface ButtonElement {
  type: string;
  action_id: string;
  value?: string;
  text: { text: string };
}

const buttonsOf = ({ blocks }: SlackMessage): ButtonElement[] =>
  (blocks as { type: string; elements?: ButtonElement[] }[])
    .filter(({ type }) => type === 'actions')
    .flatMap(({ elements = [] }) => elements);

const buttonOf = (message: SlackMessage, action: string): ButtonElement | undefined =>
  buttonsOf(message).find(({ action_id }) => action_id === action);

/** `block_actions`: docs.slack.dev/reference/interaction-payloads/block_actions-payload */
const blockActions = (pressed: {
  message: SlackMessage;
  button: ButtonElement;
  user: { id: string; name: string };
  responseUrl: string;
  /** Seconds and microseconds. */
  at: string;
}): object => {
  const { at, button, message, responseUrl, user } = pressed;
  const { blocks, channel, text, ts } = message;
  return {
    type: 'block_actions',
    user: { id: user.id, username: user.name, name: user.name, team_id: 'T1' },
    api_app_id: 'A1',
    token: 'deprecated',
    container: { type: 'message', message_ts: ts, channel_id: channel, is_ephemeral: false },
    trigger_id: `${at}.T1`,
    team: { id: 'T1', domain: 'example' },
    channel: { id: channel, name: 'incidents' },
    message: { type: 'message', bot_id: 'B1', text, ts, blocks },
    response_url: responseUrl,
    actions: [{ ...button, block_id: 'b1', action_ts: at }],
  };
};

/** As Slack signs what it sends: docs.slack.dev/authentication/verifying-requests-from-slack */
export const signedRequest = (given: {
  url: string;
  secret: string;
  payload: object;
  /** Epoch ms. */
  at: number;
}): SendRequest => {
  const timestamp = String(Math.floor(given.at / 1000));
  const body = new URLSearchParams({ payload: JSON.stringify(given.payload) }).toString();
  const hmac = createHmac('sha256', given.secret).update(`v0:${timestamp}:${body}`);
  return {
    method: 'POST',
    url: given.url,
    headers: {
      'content-type': 'application/x-www-form-urlencoded',
      'user-agent': 'Slackbot 1.0 (+https://api.slack.com/robots)',
      'x-slack-request-timestamp': timestamp,
      'x-slack-signature': `v0=${hmac.digest('hex')}`,
    },
    body,
  };
};

/** The address that came with a press: docs.slack.dev/interactivity/handling-user-interaction */
export const respond = (
  { time }: SlackDeps,
  state: SlackState,
  request: WireRequest,
): WireResponse => {
  const known = state.responses.get(request.url);
  if (!known) return plain(404, 'no_such_url');
  if (time.now() > known.until) return plain(404, 'expired_url');
  if (known.count >= RESPONSES_MAX) return plain(404, 'used_url');
  const args = argumentsOf(request);
  // A different answer is made visible to everybody, or replaces the message: nobody here wants that.
  if (args.response_type !== 'ephemeral' || args.replace_original !== false) {
    return plain(400, 'unsupported_here');
  }
  known.count += 1;
  const { channel, user } = known;
  state.ephemerals.push({ channel, user, ...contentOf(args), at: time.now() });
  return plain(200, 'ok');
};

/** Presses a button as a person would. */
export const createPress = (
  deps: SlackDeps,
  state: SlackState,
): ((what: { action: string; user?: string; ts?: string }) => Promise<Pressed>) => {
  const { interactivityUrl: url, people = {}, send, signingSecret: secret, time } = deps;
  const [somebody = ''] = Object.keys(people);
  return async ({ action, ts, user = somebody }) => {
    const message = state.messages.findLast((m) =>
      ts === undefined ? buttonOf(m, action) !== undefined : m.ts === ts,
    );
    const button = message && buttonOf(message, action);
    if (!message || !button) throw new RangeError(`no message has a button ${action}`);
    if (!url || !secret || !send) throw new RangeError('the Slack app has no Request URL');
    const at = time.now();
    const count = String(state.responses.size + 1).padStart(6, '0');
    const responseUrl = `https://hooks.slack.com/actions/T1/${at}/${count}`;
    const until = at + RESPONSE_URL_MS;
    state.responses.set(responseUrl, { channel: message.channel, user, until, count: 0 });
    const who = { id: user, name: people[user] ?? user };
    const stamp = `${Math.floor(at / 1000)}.${count}`;
    const payload = blockActions({ message, button, user: who, responseUrl, at: stamp });
    const sent = send(signedRequest({ url, secret, payload, at }));
    const { body, status } = await sent.catch((error: Error) => ({
      status: 'none' as const,
      body: error.message,
    }));
    const tookMs = time.now() - at;
    return { status, says: body, tookMs, isFine: status === 200 && tookMs <= ANSWER_WITHIN_MS };
  };
};
