import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { EpochMs } from '../../domain/ids.ts';
import type { Seal } from '../../ports/press.ts';

/** Slack's own advice: older, or so far ahead, is a replay. */
const windowMs = 5 * 60_000;

const isEqual = (a: string, b: string): boolean => {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
};

/**
 * Slack's request signature, version 0: HMAC-SHA256 of `v0:<timestamp>:<body>` under the app's signing
 * secret, over the very bytes that came in.
 */
export const createSeal = ({ secret }: { readonly secret: () => Promise<string> }): Seal => ({
  async check({ body, signature, timestamp }, now) {
    if (timestamp === undefined || signature === undefined) {
      return { kind: 'refused', why: 'it is not signed' };
    }
    if (!/^\d{1,12}$/.test(timestamp)) return { kind: 'refused', why: 'its timestamp is none' };
    const at = Number(timestamp) * 1000;
    if (Math.abs(now - at) > windowMs) {
      return { kind: 'refused', why: 'its timestamp is more than five minutes off' };
    }
    const hmac = createHmac('sha256', await secret());
    const expected = `v0=${hmac.update(`v0:${timestamp}:`).update(body).digest('hex')}`;
    if (!isEqual(signature, expected)) {
      return { kind: 'refused', why: 'its signature is not that of our Slack app' };
    }
    const digest = createHash('sha256').update(expected).digest('hex');
    return { kind: 'genuine', digest, until: (at + windowMs) as EpochMs };
  },
});
