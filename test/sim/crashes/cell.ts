import type { CrashInfo } from '../../../emulator/network.ts';
import { crashSites } from '../../../emulator/sim/faults/steps.ts';
import { type Plan, planFor } from '../../../emulator/sim/plan.ts';
import { plainTraits } from '../../../emulator/sim/stage.ts';

/** What happens beside the failure: the same signal again, and a person who starts one more. */
export interface Company {
  /** Copies of the first signal beyond itself. */
  duplicates: 0 | 1 | 2;
  executions: 1 | 2;
}

/** Where a function dies: at this moment of its n-th such call since the failure. */
export interface Point {
  functionName: string;
  /** `ec2 StopInstances` */
  call: string;
  nth: number;
  moment: CrashInfo['moment'];
}

export const companies: readonly Company[] = ([0, 1, 2] as const).flatMap((duplicates) =>
  ([1, 2] as const).map((executions) => ({ duplicates, executions })),
);

/**
 * A hung agent in a group, its volume flagged for deletion: every step has something to do. Faults
 * may strike for longer than any of it takes.
 */
export const plan: Plan = {
  ...planFor({ seed: 12, scene: 'hung', faults: [] }),
  traits: { ...plainTraits, group: true, deleteOnTermination: true },
  safetyMs: 15 * 60_000,
};

const READ = /^(?:Describe|Get|Query|GET|List|POST \/mesos read)/;
const ASIDE = /^(?:sweep|adopt)$/;

const callOf = ({ service, operation }: CrashInfo): string => `${service} ${operation}`;

/** Every LM id whose place this is; several may share one. */
export const lawsOf = ({ functionName, call }: Pick<Point, 'functionName' | 'call'>): string[] =>
  crashSites
    .filter((site) => site.functionName === functionName && site.operation.test(call))
    .map(({ id }) => id);

/** A change, or a wait that the failure model names. Waking a function changes nothing. */
const isOfInterest = (info: CrashInfo): boolean =>
  info.service !== 'lambda' &&
  !ASIDE.test(info.functionName) &&
  (!READ.test(info.operation) ||
    lawsOf({ functionName: info.functionName, call: callOf(info) }).length > 0);

/** Names the point a function is at; undefined for a call that nobody asks about. */
export const createCounter = (): ((info: CrashInfo) => Point | undefined) => {
  const counts = new Map<string, number>();
  return (info) => {
    if (!isOfInterest(info)) return undefined;
    const { functionName, moment } = info;
    const call = callOf(info);
    const key = `${functionName} ${call} ${moment}`;
    const nth = (counts.get(key) ?? 0) + 1;
    counts.set(key, nth);
    return { functionName, call, nth, moment };
  };
};

/** A record or a message is out or it is not: to die before it is to die after what came before. */
const RECORD = /^(?:dynamodb|events) /;

/**
 * Of all points of an undisturbed run those that differ. A call has three moments: before it, after
 * it was accepted, and after that was recorded, which is the second moment of the record. A wait
 * changes nothing, so its first and last look stand for all of them.
 */
export const distinct = (points: readonly Point[]): Point[] =>
  points.filter(({ functionName, call, nth, moment }) => {
    const operation = call.slice(call.indexOf(' ') + 1);
    if (RECORD.test(call) && !READ.test(operation)) return moment === 'applied';
    if (!READ.test(operation)) return moment !== 'answered';
    const alike = points.filter(
      (p) => p.functionName === functionName && p.call === call && p.moment === moment,
    );
    return moment === 'answered' && (nth === 1 || nth === alike.length);
  });

export const sameAs =
  (a: Point) =>
  (b: Point): boolean =>
    a.functionName === b.functionName &&
    a.call === b.call &&
    a.nth === b.nth &&
    a.moment === b.moment;
