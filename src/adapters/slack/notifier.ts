import {
  LogLevel,
  WebAPIHTTPError,
  WebAPIPlatformError,
  WebAPIRateLimitedError,
  WebAPIRequestError,
  WebClient,
  type WebClientOptions,
} from '@slack/web-api';
import { NotifierUnavailableError } from '../../domain/errors.ts';
import type { Notifier } from '../../ports/events.ts';
import { renderLines, renderMessage } from './render.ts';

export interface SlackNotifierOptions {
  /** A bot token with `chat:write`. */
  readonly token: () => Promise<string>;
  /** A channel id. */
  readonly channel: string;
  /** Is there anybody who may press one, and a place where it is heard? */
  readonly buttons: boolean;
  readonly fetch: NonNullable<WebClientOptions['fetch']>;
}

/** Slack's client logs requests and headers; what people need is in the error. */
const SILENT = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: () => {},
  setLevel: () => {},
  getLevel: () => LogLevel.ERROR,
  setName: () => {},
};

const nameOf = (error: unknown): string => {
  if (!(error instanceof Error)) return 'unknown';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
};

/** Slack's word for it. Texts of errors and answers stay out: they may quote the request. */
const codeOf = (error: unknown): string => {
  if (error instanceof WebAPIRateLimitedError) {
    return `rate_limited, retry after ${error.retryAfter} s`;
  }
  if (error instanceof WebAPIPlatformError) {
    // An answer that is no JSON arrives here whole.
    return /^[a-z0-9_]{1,80}$/.test(error.data.error) ? error.data.error : 'unreadable answer';
  }
  if (error instanceof WebAPIHTTPError) return `HTTP ${error.statusCode}`;
  return nameOf(error instanceof WebAPIRequestError ? error.original : error);
};

/** Without the cause, for the same reason. */
const undelivered = (method: string, error: unknown): NotifierUnavailableError =>
  new NotifierUnavailableError(method, codeOf(error));

/**
 * One Slack message per incident, posted once and then updated in place. Nothing is retried here:
 * whoever delivers notifications decides when. Throws NotifierUnavailableError whose code is
 * Slack's error (`channel_not_found`), `rate_limited, retry after 30 s`, `HTTP 503` or Node's code.
 */
export const createSlackNotifier = (options: SlackNotifierOptions): Notifier => {
  const { buttons, channel, fetch, token } = options;
  const deliver = async <T>(method: string, act: (client: WebClient) => Promise<T>): Promise<T> => {
    try {
      const client = new WebClient(await token(), {
        fetch,
        retryConfig: { retries: 0 },
        rejectRateLimitedCalls: true,
        logger: SILENT,
      });
      return await act(client);
    } catch (error) {
      throw undelivered(method, error);
    }
  };

  return {
    post: (message) =>
      deliver('chat.postMessage', async (client) => {
        const answer = await client.chat.postMessage({
          channel,
          ...renderMessage(message, buttons),
        });
        // Without them the next update would have nowhere to go.
        if (!answer.channel || !answer.ts) throw new TypeError('no channel or ts');
        return { channel: answer.channel, ts: answer.ts };
      }),
    update: (at, ts, message) =>
      deliver('chat.update', async (client) => {
        await client.chat.update({ channel: at, ts, ...renderMessage(message, buttons) });
      }),
    reply: (at, ts, lines) =>
      deliver('chat.postMessage', async (client) => {
        await client.chat.postMessage({ channel: at, thread_ts: ts, ...renderLines(lines) });
      }),
  };
};
