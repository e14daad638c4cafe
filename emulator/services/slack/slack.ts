import type { Service, WireRequest, WireResponse } from '../../core/wire.ts';
import {
  answer,
  type Ephemeral,
  limited,
  plain,
  type SlackDeps,
  type SlackMessage,
  SlackRefusal,
  type SlackState,
} from './model.ts';
import { createPress, type Pressed, respond } from './press.ts';
import { messageLines } from './text.ts';
import { createWebApi } from './web-api.ts';

export interface Slack extends Service {
  /** What stands in the channels, threads left out. */
  messages(): readonly SlackMessage[];
  /** The replies in a message's thread. */
  thread(ts: string): readonly SlackMessage[];
  ephemerals(): readonly Ephemeral[];
  /**
   * Presses a button as a person would: under the message with that `ts`, or the newest that has one.
   * Throws RangeError where there is none.
   */
  press(what: { action: string; user?: string; ts?: string }): Promise<Pressed>;
  /** From now on every call is answered like this; undefined heals it. */
  trouble(kind: SlackTrouble | undefined): void;
}

export type SlackTrouble =
  /** HTTP 429 with Retry-After, as for more than about one message per second and channel. */
  | { kind: 'ratelimited'; retryAfterSeconds: number }
  | { kind: 'error'; error: string }
  | { kind: 'http'; status: number };

/** Everything as people see it: each message, its thread, and what single persons were told. */
const read = ({ ephemerals, messages }: SlackState): string => {
  const lines = messages
    .filter(({ threadTs }) => threadTs === undefined)
    .flatMap((message) => [
      ...messageLines(message),
      ...messages
        .filter(({ threadTs }) => threadTs === message.ts)
        .flatMap((reply) => messageLines(reply).map((line) => `  > ${line}`)),
      '',
    ]);
  const alone = ephemerals.flatMap((told) =>
    messageLines(told).map((line) => `(only ${told.user}) ${line}`),
  );
  return [...lines, ...alone, ''].join('\n');
};

/** On the local port: a form with `action`, and `user` or `ts` where it matters. */
const pressByHand = (press: Slack['press'], { body }: WireRequest): Promise<WireResponse> => {
  const { action = '', ...rest } = Object.fromEntries(new URLSearchParams(body));
  return press({ action, ...rest }).then(answer, (error: Error) =>
    plain(400, `${error.message}\n`),
  );
};

/**
 * Slack's Web API as far as a bot needs it that keeps one message per incident, and what happens when
 * somebody presses a button of it. Refusals are HTTP 200 with `{"ok":false,"error"}`, as in life.
 */
export const createSlack = (deps: SlackDeps): Slack => {
  const state: SlackState = { messages: [], ephemerals: [], responses: new Map() };
  let trouble: SlackTrouble | undefined;
  const call = createWebApi(deps, state);
  const press = createPress(deps, state);

  return {
    messages: () => state.messages.filter(({ threadTs }) => threadTs === undefined),
    thread: (ts) => state.messages.filter(({ threadTs }) => threadTs === ts),
    ephemerals: () => state.ephemerals,
    press,
    trouble: (kind) => {
      trouble = kind;
    },
    handle: (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === '/slack/messages') return plain(200, read(state));
      if (pathname === '/slack/press') return pressByHand(press, request);
      if (trouble?.kind === 'http') return plain(trouble.status, '');
      if (trouble?.kind === 'ratelimited') return limited(trouble.retryAfterSeconds);
      try {
        if (trouble) throw new SlackRefusal(trouble.error);
        return request.url.startsWith('https://hooks.slack.com/')
          ? respond(deps, state, request)
          : call(request);
      } catch (error) {
        if (error instanceof SlackRefusal) {
          return answer({ ok: false, error: error.message, ...error.more });
        }
        throw error;
      }
    },
  };
};
