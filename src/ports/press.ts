import type { EpochMs, IncidentId, InstanceId } from '../domain/ids.ts';
import type { OrderAnswer } from '../domain/order.ts';

/** A request as it came in from the network: nobody is believed yet. */
export interface SignedRequest {
  readonly method: string;
  readonly timestamp: string | undefined;
  readonly signature: string | undefined;
  readonly body: Uint8Array;
}

/** Knows whose word a request is. */
export interface Seal {
  /**
   * `digest` names this very request for as long as it could be sent again, which is `until`. Throws
   * the domain's cloud errors when the secret cannot be had.
   */
  check(
    request: SignedRequest,
    now: EpochMs,
  ): Promise<
    | { readonly kind: 'genuine'; readonly digest: string; readonly until: EpochMs }
    | { readonly kind: 'refused'; readonly why: string }
  >;
}

/** Requests that were taken, for as long as they could be sent again. */
export interface RequestLedger {
  /** 'known': it was taken before. */
  rememberRequest(
    cluster: string,
    request: { readonly digest: string; readonly until: EpochMs },
    at: EpochMs,
  ): Promise<'new' | 'known'>;
}

/** What a button stands for. */
export type PressWish =
  | {
      readonly kind: 'order';
      /** As the function Operate takes it. */
      readonly order: Readonly<Record<string, string>>;
      /** Whose message is to be rewritten. */
      readonly incidentId?: IncidentId | undefined;
    }
  | { readonly kind: 'explain'; readonly instanceId: InstanceId }
  /** Nothing of ours, or no longer. */
  | { readonly kind: 'unknown'; readonly says: string };

/** A button that somebody pressed. */
export interface Press {
  readonly user: { readonly id: string; readonly name: string };
  /** Where it was pressed. */
  readonly channel: string;
  /** Takes an answer for that person alone. */
  readonly responseUrl: string;
  readonly wish: PressWish;
}

/** Who may press. Throws NotifierUnavailableError when that cannot be read. */
export interface Operators {
  mayPress(userId: string): Promise<boolean>;
}

/** Tells the person who pressed, and nobody else. Throws NotifierUnavailableError. */
export interface PressAnswers {
  answer(press: Press, lines: readonly string[]): Promise<void>;
}

/** The other functions of this deployment. All throw the domain's cloud errors. */
export interface Desk {
  /** Goes on with it in an invocation of its own: Slack does not wait. */
  later(press: Press): Promise<void>;
  operate(order: Readonly<Record<string, string>>): Promise<OrderAnswer>;
  /** In words, the answer first. */
  explain(instanceId: InstanceId): Promise<readonly string[]>;
  /** Has the incident's message rewritten. */
  retell(incidentId: IncidentId): Promise<void>;
}
