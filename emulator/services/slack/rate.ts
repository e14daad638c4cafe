import type { Time } from '../../core/time.ts';

/**
 * "We allow bursts over that limit for short periods" (api.slack.com/docs/rate-limits); how many, Slack
 * does not say.
 */
const BURST = 10;
const EVERY_MS = 1_000;

/** About one message per second and channel: how long to wait, in whole seconds; 0: it may go. */
export const createPostLimit = (time: Time): ((channel: string) => number) => {
  /** By channel: when all that was posted is paid for. */
  const paidAt = new Map<string, number>();
  return (channel) => {
    const now = time.now();
    const next = Math.max(paidAt.get(channel) ?? 0, now) + EVERY_MS;
    const waitMs = next - now - BURST * EVERY_MS;
    if (waitMs > 0) return Math.ceil(waitMs / 1000);
    paidAt.set(channel, next);
    return 0;
  };
};
