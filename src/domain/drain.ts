import type { Announced } from './announced.ts';
import type { EpochMs } from './ids.ts';
import type { HoldReason, Incident, Verdict } from './incident.ts';
import { limits } from './policy.ts';
import { spanOf } from './recent.ts';
import { mayFence } from './verdict.ts';

/** How planned moves are made. Durations in milliseconds. */
export interface DrainPolicy {
  /** A scheduled move begins at most so long before AWS's own time. */
  readonly leadMs: number;
  /** How long a task may take to end by itself. */
  readonly graceMs: number;
}

export interface MoveView {
  readonly now: EpochMs;
  readonly openedAt: EpochMs;
  /** With what is announced. */
  readonly verdict: Verdict;
  readonly announced: Announced | undefined;
  /** Mesos sees the agent working: it can be asked to end its tasks. */
  readonly works: boolean;
  readonly policy: DrainPolicy;
}

export interface NotNow {
  readonly kind: 'hold';
  readonly reason: HoldReason;
  readonly says: string;
  /** Nothing changes by itself before this. */
  readonly until?: EpochMs;
}

export type MoveStep =
  /** It has failed, a person wants it down, or it is not ours to plan: the failover's. */
  | { readonly kind: 'failover' }
  /** What is left of its time is what a failover needs. */
  | { readonly kind: 'time-is-up' }
  | { readonly kind: 'move' }
  | { readonly kind: 'watch'; readonly waitMs: number }
  | { readonly kind: 'cancel' }
  | NotNow;

/** A retirement is days ahead: it is moved in its window. Everything else at once. */
const notDue = ({ announced, now, policy }: MoveView): NotNow | undefined => {
  if (announced?.notice.kind !== 'retiring' || announced.deadline === undefined) return undefined;
  const begins = (announced.deadline - policy.leadMs) as EpochMs;
  if (now >= begins) return undefined;
  const says =
    `AWS has scheduled it in ${spanOf(announced.deadline - now)}; it is moved in ` +
    `${spanOf(begins - now)}. A failure before that is failed over as ever.`;
  return { kind: 'hold', reason: 'not-due', says, until: begins };
};

/** It runs, and Mesos does not hear it: nobody can ask it to end its tasks. */
const unheard = ({ now, openedAt, verdict }: MoveView): MoveStep =>
  now - openedAt < limits.watchMs
    ? { kind: 'watch', waitMs: limits.announcedLookMs }
    : {
        kind: 'hold',
        reason: 'cannot-drain',
        says: `the agent does not answer, so it cannot be drained: ${verdict.why.join('; ')}`,
      };

/**
 * What is to be done about a planned move of which nothing has been done yet, or about one that is
 * under way: what its verdict says, whether the plan still stands, and when its turn is. Pure.
 */
export const nextMoveStep = (view: MoveView): MoveStep => {
  const { announced, now, openedAt, verdict } = view;
  switch (verdict.kind) {
    case 'Down':
    case 'Impaired':
    case 'Ordered':
      return { kind: 'failover' };
    case 'Blind':
      return { kind: 'hold', reason: 'blind', says: verdict.why.join('; ') };
    default:
  }
  if (announced === undefined) return { kind: 'failover' };
  if (mayFence(verdict)) return { kind: 'time-is-up' };
  if (announced.confirmation.kind === 'unread') {
    return { kind: 'watch', waitMs: limits.announcedLookMs };
  }
  // What was announced a moment ago may not be there to be read yet.
  if (announced.confirmation.kind === 'gone') {
    return now - openedAt >= limits.watchMs
      ? { kind: 'cancel' }
      : { kind: 'watch', waitMs: limits.announcedLookMs };
  }
  return view.works ? (notDue(view) ?? { kind: 'move' }) : unheard(view);
};

/** What is scheduled can wait for its turn; what ends soon, or a person asks for, cannot. */
export const needsTurn = (
  { deadline, notice }: Announced,
  now: EpochMs,
  reserveMs: number,
): boolean =>
  notice.kind === 'retiring' && !(deadline !== undefined && deadline - now <= 2 * reserveMs);

/** How long its tasks may take to end: never into what a failover needs. */
export const graceFor = (
  announced: Announced | undefined,
  now: EpochMs,
  reserveMs: number,
  { graceMs }: DrainPolicy,
): number => {
  const { deadline } = announced ?? {};
  if (deadline === undefined) return graceMs;
  return Math.max(0, Math.min(graceMs, deadline - reserveMs - now));
};

/** A hold of a move that has an end is looked at by then: it may have to become a failover. */
export const lookBy = (
  announced: Announced | undefined,
  now: EpochMs,
  reserveMs: number,
): EpochMs | undefined => {
  const { deadline } = announced ?? {};
  return deadline === undefined ? undefined : (Math.max(now, deadline - reserveMs) as EpochMs);
};

/** A drain of ours has begun: it is completed, whatever becomes of the plan. Pure. */
export const isUnderWay = ({ drain }: Pick<Incident, 'drain'>): boolean =>
  drain?.startedAt !== undefined;
