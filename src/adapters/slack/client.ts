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

export interface SlackClientOptions {
  /** A bot token. */
  readonly token: () => Promise<string>;
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
export const undelivered = (method: string, error: unknown): NotifierUnavailableError =>
  new NotifierUnavailableError(method, codeOf(error));

/**
 * One call of Slack's Web API. Nothing is retried here: whoever delivers decides when. Throws
 * NotifierUnavailableError whose code is Slack's error (`channel_not_found`), `rate_limited, retry
 * after 30 s`, `HTTP 503` or Node's code.
 */
export const callSlack = async <T>(
  { fetch, token }: SlackClientOptions,
  method: string,
  act: (client: WebClient) => Promise<T>,
): Promise<T> => {
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
