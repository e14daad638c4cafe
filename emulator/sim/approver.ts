import type { Rng } from '../core/random.ts';
import { AGAIN_MS, type Answer, askFunction } from './ask.ts';
import type { SimEvent } from './events.ts';
import type { IncidentSeen, Memory } from './record.ts';
import type { Site } from './site.ts';

/** Policy asks a person before anything is done, and this is how they answer: they always say yes. */
export interface Approver {
  /** ApprovalVerdicts. */
  verdicts: string;
  /** ApprovalSeconds: after that no execution waits any more. */
  waitS: number;
  /** How long the first question of the world waits for them, and every later one. */
  firstS: number;
  laterS: number;
  /** Two press the button at the same moment; or one answers an older question first. */
  how: 'once' | 'twice' | 'old first';
}

const VERDICTS = [
  'Impaired,Ordered',
  'Down,Impaired,Ordered',
  'Down,Impaired,Ordered',
  'Impaired,Partitioned,Ordered,Returned',
  'Down,Impaired,Partitioned,Ordered,Returned',
];

/** In few worlds; undefined: nobody is asked. */
export const drawApprover = (rng: Rng): Approver | undefined =>
  rng.next() < 0.08
    ? {
        verdicts: rng.pick(VERDICTS),
        waitS: rng.pick([60, 120, 300, 900]),
        firstS: rng.pick([0, rng.int(1, 60), rng.int(60, 400)]),
        laterS: rng.int(0, 60),
        how: rng.pick(['once', 'once', 'twice', 'old first']),
      }
    : undefined;

/** The deployment's settings of it. */
export const askingParameters = (approver: Approver | undefined): Record<string, string> =>
  approver === undefined
    ? {}
    : { ApprovalVerdicts: approver.verdicts, ApprovalSeconds: String(approver.waitS) };

/** So many questions of one incident are answered one after the other, at most: each is a plan of its own. */
const QUESTIONS = 4;

/** What a person adds to the time until an incident ends, ms. */
export const answeringMs = (approver: Approver | undefined): number =>
  approver === undefined ? 0 : 1_000 * (approver.firstS + QUESTIONS * approver.laterS);

/** What Look shows of a question. */
interface Asked {
  readonly id: string;
  readonly status: string;
}

const isAsked = ({ questions, status }: IncidentSeen): boolean =>
  questions.at(-1)?.status === 'pending' && status !== 'recovered' && status !== 'cancelled';

/** The question before, which is not asked any more, or never was. */
const olderThan = (approvalId: string): string => `a${Number(approvalId.slice(1)) - 1}`;

/** Their name for the record. */
const NAMES = ['ana', 'ben'] as const;

/** Says yes to one question, once, and tells what was answered. */
const sayYes = async (
  site: Site,
  tell: (event: SimEvent) => void,
  incidentId: string,
  approvalId: string,
  by: string,
): Promise<Answer | undefined> => {
  const sentAt = site.time.now();
  const order = { action: 'approve', by, reason: 'fence it', incidentId, approvalId };
  const answer = await askFunction(site, 'operate', order);
  const at = site.time.now();
  if (answer !== undefined) {
    tell({ at, kind: 'consent', incidentId, approvalId, sentAt, answer: answer.kind });
  }
  return answer;
};

/** In this person's way; whether one yes was heard. */
const answerIn = async (
  { how }: Approver,
  yes: (approvalId: string, by: string) => Promise<Answer | undefined>,
  approvalId: string,
): Promise<boolean> => {
  if (how === 'old first') await yes(olderThan(approvalId), NAMES[1]);
  const people = how === 'twice' ? NAMES : NAMES.slice(0, 1);
  const answers = await Promise.all(people.map((by) => yes(approvalId, by)));
  return answers.some((answer) => answer !== undefined && answer.kind !== 'refused');
};

const LOOK_MS = 5_000;

/**
 * Lets a person see each question that is on record, read it the way people do, and say yes after their
 * time, again and again until it is heard. What is pending when the faults end is answered then.
 */
export const armApprover = (
  site: Site,
  approver: Approver | undefined,
  memory: Memory,
  tell: (event: SimEvent) => void,
): void => {
  if (approver === undefined) return;
  const { time } = site;
  const waiting = new Map<string, () => void>();
  let isFirst = true;
  let isHurried = false;

  const answer = async (incidentId: string): Promise<void> => {
    const seen = await askFunction(site, 'look', { view: 'incident', incidentId });
    const { approval } = (seen ?? {}) as { approval?: Asked };
    const yes = (approvalId: string, by: string) => sayYes(site, tell, incidentId, approvalId, by);
    const isOver = seen !== undefined && approval?.status !== 'pending';
    if (isOver || (approval && (await answerIn(approver, yes, approval.id)))) {
      waiting.delete(incidentId);
      return;
    }
    time.after(AGAIN_MS, () => void answer(incidentId));
  };

  const notice = ({ id }: IncidentSeen): void => {
    let isBegun = false;
    const begin = (): void => {
      if (isBegun) return;
      isBegun = true;
      void answer(id);
    };
    waiting.set(id, begin);
    const seconds = isFirst ? approver.firstS : approver.laterS;
    isFirst = false;
    time.after(isHurried ? 0 : seconds * 1_000, begin);
  };

  const look = (): void => {
    const asked = [...memory.incidents.values()].filter(isAsked);
    for (const incident of asked) if (!waiting.has(incident.id)) notice(incident);
    time.after(LOOK_MS, look);
  };
  look();
  site.heal(() => {
    isHurried = true;
    for (const begin of [...waiting.values()]) begin();
  });
};
