import { type Json, object, text } from './json.ts';

/** What the record of an incident says about the verdict and the question to a person, since `at`. */
export interface Question {
  /** Epoch ms. */
  readonly at: number;
  readonly verdict: string | undefined;
  /** Undefined: nothing has been asked yet. */
  readonly id: string | undefined;
  readonly status: string | undefined;
  readonly by: string | undefined;
  /** The start of the machine that it is about, epoch ms. */
  readonly launchTime: number;
}

/** An incident's item, as far as consent asks. */
export const questionIn = (item: Json, at: number): Question => {
  const approval = object(item.approval);
  return {
    at,
    verdict: text(object(item.verdict).kind),
    id: text(approval.id),
    status: text(approval.status),
    by: text(approval.by),
    launchTime: Date.parse(text(approval.launchTime) ?? ''),
  };
};

const isSame = (one: Question, other: Question | undefined): boolean =>
  other !== undefined &&
  one.verdict === other.verdict &&
  one.id === other.id &&
  one.status === other.status &&
  one.by === other.by;

/** All that was ever on record, oldest first: what is under way was right by what stood there then. */
export const questionsOf = (
  item: Json,
  at: number,
  before: readonly Question[] = [],
): readonly Question[] => {
  const now = questionIn(item, at);
  return isSame(now, before.at(-1)) ? before : [...before, now];
};

/** Since when the answer is yes that the work went on with; -Infinity: nobody was asked. */
export const approvedAt = (questions: readonly Question[]): number => {
  const last = questions.at(-1)?.id;
  const yes = questions.find(({ id, status }) => id === last && status === 'approved');
  return yes?.at ?? Number.NEGATIVE_INFINITY;
};

/** What stood there at that time. */
export const questionAt = (
  questions: readonly Question[] | undefined,
  at: number,
): Question | undefined => questions?.findLast((one) => one.at <= at);
