import type { EpochMs } from './ids.ts';
import type { Incident, LifecycleHook, Notice, Signal, Verdict, VerdictKind } from './incident.ts';
import { limits } from './policy.ts';
import { spanOf } from './recent.ts';

/** What a fresh read says of what was announced. */
export type Confirmation =
  /** Still so; with the time AWS names now, where it names one. */
  | { readonly kind: 'confirmed'; readonly says: string; readonly deadline?: EpochMs }
  /** Cancelled, over, or not to be seen yet. */
  | { readonly kind: 'gone'; readonly says: string }
  | { readonly kind: 'unread'; readonly says: string };

/** A notice beside what was just read of it. */
export interface Announced {
  readonly notice: Notice;
  readonly confirmation: Confirmation;
  /** When AWS acts; undefined: nobody said. */
  readonly deadline?: EpochMs;
}

/** The sooner it ends, the more it counts. */
const urgency: readonly Notice['kind'][] = ['interrupted', 'leaving', 'retiring', 'asked'];

/** The newest notice of each kind, the most urgent kind first. */
export const noticesIn = (signals: readonly Signal[]): readonly Notice[] =>
  urgency.flatMap((kind) => signals.findLast(({ notice }) => notice?.kind === kind)?.notice ?? []);

/** The lifecycle hook that waits for us, if one does. */
export const hookIn = (signals: readonly Signal[]): LifecycleHook | undefined =>
  signals.findLast(({ notice }) => notice?.hook !== undefined)?.notice?.hook;

/**
 * When AWS will act. The word of a read counts more than that of the notice. A lifecycle hook waits
 * for us, but not for ever: past this a machine that cannot be emptied is failed over.
 */
export const deadlineOf = (
  notice: Notice,
  confirmation: Confirmation,
  openedAt: EpochMs,
): EpochMs | undefined => {
  const read = confirmation.kind === 'confirmed' ? confirmation.deadline : undefined;
  const hook = notice.kind === 'leaving' ? ((openedAt + limits.leavingMs) as EpochMs) : undefined;
  return read ?? notice.deadline ?? hook;
};

/** After these the machine does not run any more; a reboot or maintenance it survives. */
const takesItDown = ({ action }: Notice): boolean =>
  action === 'stop' || action === 'terminate' || action === 'hibernate';

const verdictOf = {
  retiring: 'Retiring',
  interrupted: 'Interrupted',
  leaving: 'Leaving',
} as const satisfies Partial<Record<Notice['kind'], VerdictKind>>;

const say = (deadline: EpochMs | undefined, at: EpochMs): string =>
  deadline === undefined ? 'and says no time' : `in ${spanOf(deadline - at)} at the earliest`;

/**
 * What an announcement makes of the verdict on a machine that runs. Seen by a read, it is a verdict of
 * its own, which allows a fence once AWS's own time is within the reserve: until then it is a reason
 * to move and none to fence. One that cannot be read is a reason to look again. What has failed, was
 * ordered down or cannot be seen stays what it is. Pure.
 */
export const withAnnounced = (
  verdict: Verdict,
  announced: Announced | undefined,
  reserveMs: number,
): Verdict => {
  if (announced === undefined || !['Recovered', 'Suspect'].includes(verdict.kind)) return verdict;
  const { confirmation, deadline, notice } = announced;
  const { at } = verdict;
  if (notice.kind === 'asked' || confirmation.kind === 'gone') return verdict;
  const against = [...verdict.why, ...verdict.whyNot];
  if (confirmation.kind === 'unread') {
    const why = [`what is announced cannot be read: ${confirmation.says}`];
    return { kind: 'Suspect', at, why, whyNot: against, lookAgainMs: limits.announcedLookMs };
  }
  const fenceFrom =
    deadline !== undefined && takesItDown(notice) ? ((deadline - reserveMs) as EpochMs) : undefined;
  return {
    kind: verdictOf[notice.kind],
    at,
    why: [`${confirmation.says}, ${say(deadline, at)}`],
    whyNot: against,
    ...(fenceFrom === undefined ? {} : { fenceFrom }),
  };
};

/** Which workflow works on it. */
export const modeOf = ({ mode = 'failover' }: Pick<Incident, 'mode'>) => mode;
