import type { EpochMs } from './ids.ts';
import type { Incident } from './incident.ts';

/*
 * EC2 counts the requests of everybody in the account and region, per API: a bucket of so many
 * tokens that fills again at so many a second (EC2 User Guide, "Request throttling"). Whoever is
 * refused has lost time and made it longer for the others, so nobody calls before its turn: turns
 * are handed out in the order in which they are asked for (GCRA).
 */

interface Documented {
  readonly burst: number;
  readonly perSecond: number;
}

/** Calls of which a mass failure makes more than the buckets hold. */
export const documented = {
  DetachVolume: { burst: 50, perSecond: 5 },
  // Made by REX-Ray once an app is handed over, not by us.
  AttachVolume: { burst: 50, perSecond: 5 },
  ModifyInstanceAttribute: { burst: 50, perSecond: 5 },
  StopInstances: { burst: 50, perSecond: 5 },
  TerminateInstances: { burst: 100, perSecond: 5 },
  // With filters; what goes without them, by ids, has half of it.
  DescribeInstances: { burst: 100, perSecond: 20 },
  DescribeVolumes: { burst: 100, perSecond: 20 },
  DescribeInstanceStatus: { burst: 50, perSecond: 10 },
  DescribeVolumeStatus: { burst: 50, perSecond: 10 },
  DescribeVolumesModifications: { burst: 100, perSecond: 20 },
} as const satisfies Readonly<Record<string, Documented>>;

export type PacedApi = keyof typeof documented;

/**
 * Whoever is at the beginning of its work may have so much of our share of the reads: the rest is for
 * those who are further, so that the first are done before the last have begun.
 */
export const earlySharePercent = 60;

/**
 * Was it down when it was assessed, or has something been heard of it since? Then it is no beginner:
 * its volumes can be released as soon as it is proven down.
 */
export const mayBeDown = ({ facts, signals }: Pick<Incident, 'facts' | 'signals'>): boolean =>
  facts !== undefined &&
  (facts.state === 'stopped' ||
    facts.state === 'terminated' ||
    signals.some(({ receivedAt }) => receivedAt > facts.at));

/** Whoever would have to wait longer for its detaches than it takes to prove a machine down. */
const proofTakesMs = 3_000;

/** Is the queue of detaches, which ends with `lastTurn`, so short that it would soon stand still? */
export const isQueueShort = (lastTurn: EpochMs | undefined, now: EpochMs): boolean =>
  (lastTurn ?? 0) - now < proofTakesMs;

/** With so many incidents open at once, or fewer, the buckets hold more than they can ask for. */
const fewMax = 3;

/** Must they share, by the number of open incidents, where somebody counted? */
export const isCrowd = (open: number | undefined): open is number =>
  open !== undefined && open > fewMax;

/** A thousand agents with four volumes each take so long; what is drawn beyond is by a wrong clock. */
export const queueMaxMs = 20 * 60_000;

/** Longer than a few incidents can wait for each other: then the number is by a wrong clock, too. */
const fewWaitMs = 30_000;

/** The turn that was drawn, as far as it is to be believed with so many incidents open. */
export const believed = (turn: EpochMs, open: number | undefined, now: EpochMs): EpochMs =>
  isCrowd(open) ? turn : (Math.min(turn, now + fewWaitMs) as EpochMs);

/** A turn that was not used for so long is gone: others have had the bucket meanwhile. */
const turnLastsMs = 30_000;

/** May the calls that this turn was drawn for still be made, now or once it comes? */
export const isTurnKept = (turn: EpochMs | undefined, now: EpochMs): turn is EpochMs =>
  turn !== undefined && now - turn <= turnLastsMs;

/** Our share of a bucket, as times. */
export interface Bucket {
  /** One token fills again in this. */
  readonly tokenMs: number;
  /** It is full when nothing was drawn for this long. */
  readonly fullMs: number;
}

/**
 * What is drawn and called late meets what is drawn later and called in time, so as much is left in
 * the bucket as fills it in that time. Reads follow their turn at once, a detach the read made just
 * before it, other changes what is read then; an app attaches its volumes one after the other, when
 * it has found an offer.
 */
const lateMs = (api: PacedApi): number => {
  if (api === 'AttachVolume') return 4_000;
  if (api === 'DetachVolume') return 1_000;
  return api.startsWith('Describe') ? 500 : 2_000;
};

/** What `sharePercent` of the documented bucket gives; the rest is for others in the account. */
export const bucketOf = (api: PacedApi, sharePercent: number): Bucket => {
  const { burst, perSecond } = documented[api];
  const tokenMs = Math.ceil(100_000 / (perSecond * sharePercent));
  const burstMs = Math.floor((burst * sharePercent) / 100) * tokenMs;
  return {
    tokenMs,
    fullMs: Math.max(tokenMs, burstMs - lateMs(api)),
  };
};

/**
 * A bucket is one number: the time at which it would have been empty with nothing in it since. A
 * draw moves it on; what it becomes is when the last of the calls may be made: at once, if past.
 */
export const drawn = (
  emptyAt: EpochMs | undefined,
  tokens: number,
  { tokenMs, fullMs }: Bucket,
  now: EpochMs,
): EpochMs => (Math.max(emptyAt ?? 0, now - fullMs) + tokens * tokenMs) as EpochMs;
