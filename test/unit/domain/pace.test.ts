import { describe, expect, it } from 'vitest';
import type { EpochMs } from '../../../src/domain/ids.ts';
import {
  believed,
  bucketOf,
  documented,
  drawn,
  isCrowd,
  isQueueShort,
  mayBeDown,
  type PacedApi,
} from '../../../src/domain/pace.ts';
import { factsOf, signalOf, t } from '../../support/build.ts';

const apis = Object.keys(documented) as PacedApi[];
const at = (ms: number): EpochMs => (1_000_000 + ms) as EpochMs;

/** EC2's own bucket, as documented: plays the calls and counts those it would refuse. */
const refusals = (api: PacedApi, share: number, calls: readonly number[]): number => {
  const { burst, perSecond } = documented[api];
  let tokens = burst * share;
  let before = calls[0] ?? 0;
  let refused = 0;
  for (const call of calls) {
    tokens = Math.min(burst * share, tokens + ((call - before) / 1000) * perSecond * share);
    before = call;
    if (tokens < 1) refused += 1;
    else tokens -= 1;
  }
  return refused;
};

describe('turns at a bucket', () => {
  it.each(apis)('of %s never ask EC2 for more than it has, however late they are used', (api) => {
    const bucket = bucketOf(api, 70);
    let emptyAt: EpochMs | undefined;
    const calls = Array.from({ length: 600 }, (_, n) => {
      emptyAt = drawn(emptyAt, 1, bucket, at(0));
      return Math.max(at(0), emptyAt) + ((n * 7_919) % 1_500);
    });
    expect(
      refusals(
        api,
        0.7,
        calls.sort((a, b) => a - b),
      ),
    ).toBe(0);
  });

  it('lose little: four hundred detaches take at most a second more than the bucket allows', () => {
    const { burst, perSecond } = documented.DetachVolume;
    const best = ((400 - burst * 0.7) / (perSecond * 0.7)) * 1000;
    const last = drawn(undefined, 400, bucketOf('DetachVolume', 70), at(0)) - at(0);
    expect(last - best).toBeLessThanOrEqual(1_300);
    expect(last).toBeGreaterThanOrEqual(best);
  });

  it('of twelve agents with four volumes come within three seconds at the whole bucket', () => {
    expect(drawn(undefined, 48, bucketOf('DetachVolume', 100), at(0)) - at(0)).toBeLessThan(3_000);
  });

  it('of one agent come at once', () => {
    for (const api of apis) {
      expect(drawn(undefined, 4, bucketOf(api, 70), at(0))).toBeLessThanOrEqual(at(0));
      expect(drawn(undefined, 1, bucketOf(api, 10), at(0))).toBeLessThanOrEqual(at(0));
    }
  });
});

describe('a turn', () => {
  it('far ahead is not believed where only a few incidents are open', () => {
    expect(believed(at(900_000), 2, at(0))).toBe(at(30_000));
    expect(believed(at(20_000), undefined, at(0))).toBe(at(20_000));
    expect(believed(at(900_000), 100, at(0))).toBe(at(900_000));
  });
});

describe('whoever', () => {
  const facts = (state: 'running' | 'stopping' | 'stopped' | 'terminated') =>
    factsOf({ at: t(10), state });
  const heard = (seconds: number) => signalOf({ receivedAt: t(seconds) });

  it.each([
    { who: 'was not assessed yet', is: false, of: { signals: [heard(20)] } },
    { who: 'was going down', is: false, of: { facts: facts('stopping'), signals: [heard(5)] } },
    { who: 'was down', is: true, of: { facts: facts('stopped'), signals: [heard(5)] } },
    { who: 'was terminated', is: true, of: { facts: facts('terminated'), signals: [heard(5)] } },
    {
      who: 'was heard of since',
      is: true,
      of: { facts: facts('stopping'), signals: [heard(5), heard(11)] },
    },
  ])('$who when it was assessed may be down by now: $is', ({ is, of }) => {
    expect(mayBeDown(of)).toBe(is);
  });
});

describe('who is down', () => {
  it.each([
    { last: undefined, is: true },
    { last: -60_000, is: true },
    { last: 2_900, is: true },
    { last: 3_100, is: false },
  ])('goes first while the queue of detaches ends at $last ms: $is', ({ last, is }) => {
    const lastTurn = last === undefined ? undefined : at(last);
    expect(isQueueShort(lastTurn, at(0))).toBe(is);
  });
});

describe('a crowd', () => {
  it.each([
    [undefined, false],
    [0, false],
    [3, false],
    [4, true],
  ])('of %s open incidents is one: %s', (open, crowd) => {
    expect(isCrowd(open)).toBe(crowd);
  });
});
