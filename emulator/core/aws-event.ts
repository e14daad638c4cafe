import type { Rng } from './random.ts';
import { isoTime, type Time } from './time.ts';

/** One EventBridge document, exactly as a rule's target receives it. */
export interface AwsEvent {
  version: '0';
  /** UUID; a duplicated delivery carries the same one. */
  id: string;
  'detail-type': string;
  source: string;
  account: string;
  /** Whole seconds, `2026-11-22T21:29:54Z`. */
  time: string;
  region: string;
  resources: string[];
  detail: Record<string, unknown>;
}

/** What differs from event to event; the envelope is filled in by `createEventFactory`. */
export interface EventContent {
  source: string;
  detailType: string;
  resources: string[];
  detail: Record<string, unknown>;
}

/** UUID-shaped hex from seeded randomness: request ids, event ids, activity ids. */
export const uuid = (rng: Rng): string =>
  [8, 4, 4, 4, 12].map((digits) => rng.hex(digits)).join('-');

/** ISO 8601 in whole seconds, as EventBridge envelopes and most AWS times are written. */
export const isoSeconds = (epochMs: number): string => isoTime(epochMs).replace(/\.\d{3}Z$/, 'Z');

/** Wraps contents in EventBridge envelopes: the current time, and ids drawn from `rng`. */
export const createEventFactory =
  (deps: { time: Time; rng: Rng; account: string; region: string }) =>
  (content: EventContent): AwsEvent => ({
    version: '0',
    id: uuid(deps.rng),
    'detail-type': content.detailType,
    source: content.source,
    account: deps.account,
    time: isoSeconds(deps.time.now()),
    region: deps.region,
    resources: content.resources,
    detail: content.detail,
  });
