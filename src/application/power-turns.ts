import type { EpochMs } from '../domain/ids.ts';
import type { Facts, ProofRead, Rung } from '../domain/incident.ts';
import { believed, isTurnKept } from '../domain/pace.ts';
import { apiOf, type PowerDeps, type Work } from './power.ts';

type TurnDeps = Pick<PowerDeps, 'clock' | 'ledger' | 'pace'>;

interface Waiting {
  readonly kind: 'waiting';
  readonly waitSeconds: number;
}

/** When the command may be made: by what was drawn for it beside the reads, or else is drawn now. */
export const turnFor = async (
  { clock, pace }: TurnDeps,
  work: Work,
  method: Rung['method'],
): Promise<EpochMs> => {
  const api = apiOf(method);
  if (work.turn?.api === api) return work.turn.at;
  const now = clock.now();
  const at = believed(await pace.draw(api, 1, now), work.crowd, now);
  work.turn = { api, at };
  return at;
};

/**
 * Hands the wait to the workflow. A turn that was drawn is written down: if each invocation drew
 * anew, a large crowd would push its own turns ahead of it for ever.
 */
export const waitOutside = async (
  { clock, ledger }: TurnDeps,
  work: Work,
  waitMs: number,
): Promise<Waiting> => {
  const { turn } = work;
  if (turn !== undefined && turn.at !== work.fence.turn?.at) {
    const { id, token } = work.incident;
    await ledger.save(id, token, { fence: { ...work.fence, turn } }, clock.now());
  }
  return { kind: 'waiting', waitSeconds: Math.max(1, Math.ceil(waitMs / 1000)) };
};

/**
 * One place for all volumes of an agent: agents go free one after the other, each as a whole. A
 * terminated instance lets go of them by itself.
 */
export const drawDetaches = async (
  { clock, pace }: TurnDeps,
  { crowd, fence: { detachFrom } }: Work,
  { volumes }: Facts,
  { state }: ProofRead,
): Promise<EpochMs | undefined> => {
  const now = clock.now();
  if (isTurnKept(detachFrom, now)) return detachFrom;
  if (state === 'terminated' || volumes.length === 0) return undefined;
  return believed(await pace.draw('DetachVolume', volumes.length, now), crowd, now);
};

/** A shorter wait is not worth another invocation, and so much before the turn the proof is read. */
const aheadMs = 2_000;

/** It is down, but its turn to detach is not soon: the place is kept, and the proof read then. */
export const untilTurn = async (
  { clock, ledger }: TurnDeps,
  { fence, incident: { id, token }, noted }: Work,
  detachFrom: EpochMs | undefined,
): Promise<Waiting | undefined> => {
  const waitMs = (detachFrom ?? 0) - aheadMs - clock.now();
  if (detachFrom === undefined || waitMs < 1_000) return undefined;
  // Nothing written before may arrive after what this writes: the place would be lost.
  await noted;
  await ledger.save(id, token, { fence: { ...fence, detachFrom } }, clock.now());
  return { kind: 'waiting', waitSeconds: Math.floor(waitMs / 1000) };
};
