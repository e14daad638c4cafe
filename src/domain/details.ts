import type { EpochMs } from './ids.ts';
import type { Incident } from './incident.ts';
import { limits } from './policy.ts';
import { type Moment, phasesOf, type Story, timelineOf } from './timeline.ts';

/** One line of an incident's thread, told once. */
export interface Detail {
  /** The same thing told again has the same key. */
  readonly key: string;
  readonly at: EpochMs;
  readonly line: string;
}

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** FNV-1a: keys stay short, however long the words are. */
const digestOf = (text: string): string => {
  let hash = 0x811c9dc5;
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return (hash >>> 0).toString(36);
};

/** What is read again and again is news when it reads otherwise, what happened once is news once. */
const keyOf = ({ at, kind, says }: Moment, { approval }: Incident): string => {
  switch (kind) {
    case 'verdict':
      // `for 90 s` and `for 95 s` are the same words.
      return `verdict:${digestOf(says.replaceAll(/\d+/g, '#'))}`;
    case 'facts':
      return `facts:${digestOf(says)}`;
    case 'hold':
      // Held for the same reason, and asked something else.
      return `hold:${at}:${approval?.id ?? ''}`;
    default:
      return `${kind}:${at}:${digestOf(says)}`;
  }
};

/** What has no outcome yet is told when it has one, or when nobody will write one any more. */
const settled = (story: Story): Story => {
  const isOver = story.incident.closedAt !== undefined;
  return {
    ...story,
    calls: story.calls.filter(({ outcome }) => isOver || outcome !== undefined),
    orders: story.orders.filter(({ outcome }) => isOver || outcome !== undefined),
  };
};

/** Everything of an incident that its thread tells, in the order of time: what was read, each call
 * and its outcome, what people said, and how long every phase took. Pure. */
export const detailsOf = (story: Story): readonly Detail[] => {
  const { incident } = story;
  const moments = timelineOf(settled(story)).map((moment) => ({
    key: keyOf(moment, incident),
    at: moment.at,
    says: `${moment.kind}: ${moment.says}`,
  }));
  const phases = phasesOf(story).flatMap(({ phase, to, tookMs }) =>
    to === undefined
      ? []
      : [{ key: `phase:${phase}:${to}`, at: to, says: `phase: ${phase} took ${seconds(tookMs)}` }],
  );
  return [...moments, ...phases]
    .sort((a, b) => a.at - b.at)
    .map(({ key, at, says }) => ({ key, at, line: `+${seconds(at - incident.openedAt)} ${says}` }));
};

/** What the thread says already, by key: 0, or when somebody took it to tell. */
export type Told = Readonly<Record<string, number>>;

/** Those that nobody has told, and nobody is about to tell. Pure. */
export const untold = (told: Told, keys: readonly string[], at: EpochMs): readonly string[] =>
  keys.filter((key) => {
    const since = told[key];
    return since === undefined || (since > 0 && at - since > limits.detailLeaseMs);
  });

/** With these taken to tell now. Pure. */
export const taken = (told: Told, keys: readonly string[], at: EpochMs): Told => ({
  ...told,
  ...Object.fromEntries(keys.map((key) => [key, at])),
});

/** With these told for good, or anybody's again. Pure. */
export const settledAs = (told: Told, keys: readonly string[], became: 'told' | 'untold'): Told => {
  const others = Object.entries(told).filter(([key]) => !keys.includes(key));
  const these = became === 'told' ? keys.map((key) => [key, 0] as const) : [];
  return Object.fromEntries([...others, ...these]);
};
