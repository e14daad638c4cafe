import type { EpochMs } from '../../domain/ids.ts';
import type { Clock } from '../../ports/system.ts';

/** What is remembered, across functions, of a server's wish to be left alone. */
export interface Quiet {
  until(): Promise<EpochMs | undefined>;
  keep(until: EpochMs): Promise<void>;
}

export interface PatientFetchDeps {
  readonly fetch: typeof fetch;
  readonly quiet: Quiet;
  readonly clock: Clock;
  /** A wait of at most so long is waited out here; a longer one is answered as the server did. */
  readonly waitMaxMs: number;
}

/** For a 429 that does not say how long. */
const silentMs = 30_000;

/** Seconds, as RFC 9110 has it first, and as Slack sends it. */
const askedMs = (answer: Response): number => {
  const seconds = answer.headers.get('retry-after') ?? '';
  return /^\d{1,6}$/.test(seconds) ? Number(seconds) * 1000 : silentMs;
};

const tooMany = (leftMs: number): Response =>
  new Response('', { status: 429, headers: { 'retry-after': String(Math.ceil(leftMs / 1000)) } });

/**
 * A `fetch` that honours Retry-After: after a 429 nothing is sent before the time the server named, by
 * nobody who shares `quiet`. What would have to wait too long is answered 429 without being sent.
 */
export const patientFetch = ({
  clock,
  fetch,
  quiet,
  waitMaxMs,
}: PatientFetchDeps): typeof fetch => {
  /** Once the server may be asked: undefined; else how long that takes. */
  const waited = async (): Promise<number | undefined> => {
    const leftMs = ((await quiet.until()) ?? 0) - clock.now();
    if (leftMs > waitMaxMs) return leftMs;
    if (leftMs > 0) await clock.sleep(leftMs);
    return undefined;
  };
  const ask: typeof fetch = async (input, init) => {
    const leftMs = await waited();
    if (leftMs !== undefined) return tooMany(leftMs);
    const answer = await fetch(input, init);
    if (answer.status === 429) await quiet.keep((clock.now() + askedMs(answer)) as EpochMs);
    return answer;
  };
  return async (input, init) => {
    const first = await ask(input, init);
    // A short while is worth waiting for at once; the second answer is the last.
    return first.status === 429 && askedMs(first) <= waitMaxMs ? ask(input, init) : first;
  };
};
