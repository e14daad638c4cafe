import { describe, expect, it } from 'vitest';
import { patientFetch } from '../../../../src/adapters/http/patient-fetch.ts';
import type { EpochMs } from '../../../../src/domain/ids.ts';
import { ManualClock } from '../../../fakes/manual-clock.ts';
import { MemoryTelling } from '../../../fakes/memory-telling.ts';
import { t } from '../../../support/build.ts';

const busy = (retryAfter?: string): Response =>
  new Response('', {
    status: 429,
    headers: retryAfter === undefined ? {} : { 'retry-after': retryAfter },
  });

/** A server that gives these answers, and is well after that. */
const make = (answers: readonly Response[], waitMaxMs = 20_000) => {
  const clock = new ManualClock(t(0));
  const begun = clock.now();
  const telling = new MemoryTelling();
  const asked: number[] = [];
  const left = [...answers];
  const server: typeof fetch = async () => {
    asked.push(clock.now() - begun);
    return left.shift() ?? new Response('ok');
  };
  const quiet = {
    until: () => telling.quietUntil('c'),
    keep: (until: EpochMs) => telling.keepQuiet('c', until),
  };
  const another = () => patientFetch({ fetch: server, quiet, clock, waitMaxMs });
  return { ask: another(), another, asked, clock };
};

describe('a fetch that honours Retry-After', () => {
  it('waits a short while as long as it was told, and asks once more', async () => {
    const { ask, asked } = make([busy('3')]);
    expect((await ask('https://slack.com/')).status).toBe(200);
    expect(asked).toEqual([0, 3_000]);
  });

  it('asks no third time', async () => {
    const { ask, asked } = make([busy('3'), busy('3')]);
    expect((await ask('https://slack.com/')).status).toBe(429);
    expect(asked).toEqual([0, 3_000]);
  });

  it('does not wait out a long one, and sends nothing before it is over, whoever asks', async () => {
    const { another, ask, asked, clock } = make([busy('60')]);
    expect((await ask('https://slack.com/')).status).toBe(429);
    await clock.sleep(10_000);
    const early = await another()('https://slack.com/');
    expect([early.status, early.headers.get('retry-after')]).toEqual([429, '50']);
    await clock.sleep(50_000);
    expect((await another()('https://slack.com/')).status).toBe(200);
    expect(asked).toEqual([0, 60_000]);
  });

  it.each([
    ['nothing', undefined],
    ['a date', 'Thu, 26 Nov 2026 10:00:00 GMT'],
  ])('leaves a server that says %s about it alone for half a minute', async (_, header) => {
    const { another, ask, asked, clock } = make([busy(header)], 0);
    await ask('https://slack.com/');
    await clock.sleep(29_000);
    expect((await another()('https://slack.com/')).status).toBe(429);
    await clock.sleep(1_000);
    expect((await another()('https://slack.com/')).status).toBe(200);
    expect(asked).toEqual([0, 30_000]);
  });
});
