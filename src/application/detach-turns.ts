import type { EpochMs } from '../domain/ids.ts';
import type { AuditRecord, Fence } from '../domain/incident.ts';
import { believed, isTurnKept } from '../domain/pace.ts';
import type { ReleaseVolumeDeps, Work } from './detach-volumes.ts';

type TurnDeps = Pick<ReleaseVolumeDeps, 'clock' | 'ledger' | 'pace'>;

/** So much before its turn an agent looks: the detach follows the look, and is made when it comes. */
const aheadMs = 500;

/** Something that waits for its turn, or has none to wait for. */
interface InQueue {
  turn?: EpochMs;
}

/** May it be looked at? Before its turn nothing could be done about what is seen. */
export const isUp =
  (now: EpochMs) =>
  ({ turn = 0 as EpochMs }: InQueue): boolean =>
    turn - aheadMs <= now;

/** How long there is nothing to look at, for any of these. Milliseconds; 0: now. */
export const idleMs = (waiting: readonly InQueue[], now: EpochMs): number =>
  Math.max(0, Math.min(...waiting.map(({ turn = 0 }) => turn)) - aheadMs - now);

/**
 * The place that was drawn and kept is for the first detach, and for one that was refused before:
 * any other has had its call.
 */
export const placeFor = (
  { detachFrom }: Fence,
  detaches: readonly AuditRecord[],
  now: EpochMs,
): EpochMs | undefined => {
  const last = detaches.at(-1);
  const isOpen =
    last === undefined || (last.outcome?.kind === 'refused' && last.intendedAt < (detachFrom ?? 0));
  return isOpen && isTurnKept(detachFrom, now) ? detachFrom : undefined;
};

/** At the end of the queue: what the bucket had not left for it, it does not take from the next. */
export const drawAgain = async (
  { clock, pace }: TurnDeps,
  { crowd }: Pick<Work, 'crowd'>,
  those: readonly InQueue[],
): Promise<void> => {
  if (those.length === 0) return;
  const now = clock.now();
  const turn = believed(await pace.draw('DetachVolume', those.length, now), crowd, now);
  for (const one of those) one.turn = turn;
};

/**
 * Those whose turn it is, and those whose it is in a moment. A first detach has drawn with the
 * proof, one that is repeated draws now.
 */
export const takeTurns = async <Due extends { readonly one: InQueue }>(
  deps: TurnDeps,
  work: Pick<Work, 'crowd'>,
  due: readonly Due[],
): Promise<Due[]> => {
  const { clock } = deps;
  const undrawn = due.filter(({ one }) => one.turn === undefined);
  await drawAgain(
    deps,
    work,
    undrawn.map(({ one }) => one),
  );
  const turnOf = ({ one: { turn } }: Due): number => turn ?? 0;
  const next = Math.max(...due.map(turnOf).filter((turn) => turn <= clock.now() + aheadMs));
  if (next > clock.now()) await clock.sleep(next - clock.now());
  return due.filter((each) => turnOf(each) <= clock.now());
};

/**
 * All of them wait, longer than the invocation: the place is kept, or each invocation would draw anew
 * and so push the end of the queue ahead of itself. Only who has all of an agent's volumes in hand
 * may write the fence: nobody else can have found its proof void meanwhile.
 */
export const keepPlace = async (
  { clock, ledger }: TurnDeps,
  { incident, fence, volumes, before }: Work,
  waiting: readonly InQueue[],
): Promise<void> => {
  const isAll = volumes.length + before.length === incident.facts?.volumes.length;
  const detachFrom = Math.max(...waiting.map(({ turn = 0 }) => turn)) as EpochMs;
  if (!isAll || detachFrom === fence.detachFrom) return;
  await ledger.save(incident.id, incident.token, { fence: { ...fence, detachFrom } }, clock.now());
};
