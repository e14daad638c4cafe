/** One HTTP request of an adapter. Header names are lower case. */
export interface HttpRequest {
  readonly method: string;
  /** Absolute. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly signal?: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * The only door to the network: every adapter, the AWS clients included, goes through one function
 * of this kind. Rejects with an Error that carries Node's `code` (ECONNRESET, ETIMEDOUT, ...) when
 * the outcome is unknown, and with an AbortError when `signal` aborted.
 */
export type HttpSend = (request: HttpRequest) => Promise<HttpResponse>;
