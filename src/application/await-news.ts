import type { Facts, Incident } from '../domain/incident.ts';
import { isQueueShort, mayBeDown } from '../domain/pace.ts';
import type { IncidentLedger } from '../ports/ledger.ts';
import type { Pace } from '../ports/pace.ts';
import type { Clock } from '../ports/system.ts';

interface NewsDeps {
  readonly ledger: Pick<IncidentLedger, 'incident'>;
  readonly clock: Clock;
}

/** On its way down when it was assessed, and no word of it since: there is nothing to see yet. */
export const isGoingDown = ({ signals }: Incident, { at, state }: Facts): boolean =>
  state === 'stopping' && signals.every(({ receivedAt }) => receivedAt <= at);

/**
 * Whether a machine at the beginning of its incident has to go before others that begin: it was down
 * before, or a signal of it has come since the incident was read, and the detaches wait for it.
 */
export const hurryOf =
  (
    { clock, ledger, pace }: NewsDeps & { readonly pace: Pick<Pace, 'lastTurn'> },
    known: Incident,
  ) =>
  async (): Promise<boolean> => {
    const isDown =
      mayBeDown(known) ||
      ((await ledger.incident(known.id))?.signals.length ?? 0) > known.signals.length;
    return isDown && isQueueShort(await pace.lastTurn('DetachVolume'), clock.now());
  };

/** In a crowd nobody looks at EC2 often: its event says when there is something to see. */
export const newsEveryMs = 250;
/** One read may be behind the event. */
export const afterNewsMs = 2_000;

/**
 * Sleeps, but wakes when a signal of the machine has come since it was last looked at: intake adds
 * it to the incident, and the ledger may be read as often as anybody likes.
 */
export const awaitNews = async (
  { clock, ledger }: NewsDeps,
  work: { incident: Incident },
  waitMs: number,
  before: boolean,
): Promise<boolean> => {
  const until = clock.now() + waitMs;
  const { id } = work.incident;
  for (;;) {
    const leftMs = until - clock.now();
    if (leftMs <= 0) return before;
    await clock.sleep(Math.min(leftMs, newsEveryMs));
    const signals = (await ledger.incident(id))?.signals ?? [];
    if (signals.length > work.incident.signals.length) {
      work.incident = { ...work.incident, signals };
      return true;
    }
  }
};
