import type { EpochMs, LaunchTime } from './ids.ts';
import type {
  Foreseen,
  Incident,
  LifecycleHook,
  Notice,
  Signal,
  Verdict,
  VerdictKind,
} from './incident.ts';
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

/** What a read has confirmed, to be written down: an interruption or a termination is never called off. */
export const foreseenIn = (
  announced: Announced | undefined,
  launchTime: LaunchTime,
  at: EpochMs,
): Foreseen | undefined => {
  if (announced?.confirmation.kind !== 'confirmed') return undefined;
  const { confirmation, deadline, notice } = announced;
  if (notice.kind !== 'interrupted' && notice.kind !== 'leaving') return undefined;
  const { says } = confirmation;
  return {
    kind: notice.kind,
    at,
    launchTime,
    says,
    ...(deadline === undefined ? {} : { deadline }),
  };
};

/** What was written down of this very start of the machine. */
export const recalled = (
  { drain }: Pick<Incident, 'drain'>,
  kind: Notice['kind'],
  launchTime: LaunchTime | undefined,
): Confirmation => {
  const seen = drain?.foreseen;
  if (seen === undefined || seen.kind !== kind || seen.launchTime !== launchTime) {
    return { kind: 'unread', says: 'nobody has confirmed it for this start of the machine' };
  }
  const { deadline, says } = seen;
  return { kind: 'confirmed', says, ...(deadline === undefined ? {} : { deadline }) };
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
 * What an announcement makes of the verdict on a machine that runs: a verdict of its own, a reason to
 * move and none to fence. Only one that was seen by a read, of something that takes the machine down,
 * allows a fence once AWS's own time is within the reserve. What has failed, was ordered down or cannot
 * be seen stays what it is, and so does what was called off. Pure.
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
  const isSeen = confirmation.kind === 'confirmed';
  const fenceFrom =
    isSeen && deadline !== undefined && takesItDown(notice)
      ? ((deadline - reserveMs) as EpochMs)
      : undefined;
  const doubt = isSeen ? '' : 'announced, but not seen by a read: ';
  return {
    kind: verdictOf[notice.kind],
    at,
    why: [`${doubt}${confirmation.says}, ${say(deadline, at)}`],
    whyNot: against,
    ...(fenceFrom === undefined ? {} : { fenceFrom }),
  };
};

/** Which workflow works on it. */
export const modeOf = ({ mode = 'failover' }: Pick<Incident, 'mode'>) => mode;
