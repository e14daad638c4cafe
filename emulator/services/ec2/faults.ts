import type { StopMethod } from '../../core/durations.ts';
import type { Caller } from '../../core/wire.ts';

/** One request as the service saw it. */
export interface Ec2Call {
  api: string;
  params: Record<string, string>;
  caller: Caller;
  /** Epoch ms. */
  at: number;
  /** `ok`, or the error code the caller got. */
  outcome: string;
}

/** How a list is cut into pages. */
export interface Paging {
  /** No page is longer, whatever was asked for: MaxResults is an upper bound only. */
  size: number;
  /** Asked where another page follows: by how many places its items have moved meanwhile. */
  drift(): number;
}

/**
 * Trouble to be injected. Every member is consulted at each use, so a fault can begin and end
 * while the world runs. An absent member means no trouble.
 */
export interface Ec2Faults {
  /**
   * Before the request is looked at: throw `Ec2Refusal` for throttling (`RequestLimitExceeded`),
   * a failing zone or a broken service (`InternalError`).
   */
  onCall?(call: Omit<Ec2Call, 'outcome'>): void;
  /** Extra ms until a Stop or Terminate by this method is finished; `Infinity` never ends. */
  stuckStop?(instanceId: string, method: StopMethod): number;
  /** Extra ms until a detach is finished; `Infinity` stays `detaching`. */
  slowDetach?(volumeId: string, forced: boolean): number;
  /**
   * Ms for which the machine goes on running, writes included, after `stopped` was reported. Asked
   * only where Force was used: the one case for which EC2 documents writes after the stop.
   */
  postStopWrites?(instanceId: string): number;
  /** Lists change while they are read: -1 repeats an item on the next page, 1 misses one. */
  paging?(): Paging | undefined;
}
