/** What crosses the emulated network, in either clock and through either door. */
export interface WireRequest {
  method: string;
  /** Absolute, with scheme and host. */
  url: string;
  /** Lower-case names. */
  headers: Record<string, string>;
  /** Empty string when there is none. */
  body: string;
}

export interface WireResponse {
  status: number;
  /** Lower-case names. */
  headers: Record<string, string>;
  body: string;
}

/** Who is asking, as far as the wire tells. */
export interface Caller {
  /** From the SigV4 credential scope; empty when unsigned. Identifies the IAM role in tests. */
  accessKeyId: string;
  /** The emulated Lambda invocation the request belongs to, if any. */
  invocationId?: string;
}

/**
 * One emulated service. `handle` applies the request to the service's state at once and answers;
 * latency, lost answers and refusals for reasons of transport are added around it. It may be
 * asynchronous only for real work in this process (the embedded DynamoDB), never to let emulated
 * time pass: that is what `Time.after` is for.
 */
export interface Service {
  handle(request: WireRequest, caller: Caller): WireResponse | Promise<WireResponse>;
}

/** A network failure as Node reports it: the request may or may not have been applied. */
export class WireError extends Error {
  override readonly name = 'WireError';
  readonly code: 'ECONNRESET' | 'ETIMEDOUT' | 'ECONNREFUSED' | 'ENOTFOUND';
  constructor(code: WireError['code'], message: string) {
    super(message);
    this.code = code;
  }
}
