import type { IncidentDocument } from '../../src/contracts/incident-document.ts';
import { count } from './words.ts';

/** What a post-mortem asks of an incident, read from its document. Pure. */

/** How long its apps were away, as far as the record goes. */
export interface Downtime {
  readonly from: number;
  /** What is taken for its beginning. */
  readonly since: string;
  /** Absent: they are not seen healthy yet. */
  readonly to?: number;
  readonly ms: number;
}

/** Verdicts on a machine that works until we cut its power. */
const worksUntilFenced = ['Ordered', 'Retiring', 'Interrupted', 'Leaving', 'Returned'];

const firstCommandOf = ({ fence }: IncidentDocument): number | undefined =>
  fence?.rungs[0]?.requestedAt;

const firstSignOf = ({ openedAt, signals, verdict }: IncidentDocument): number =>
  Math.min(
    openedAt,
    verdict?.lostSince ?? openedAt,
    ...signals.map(({ occurredAt, receivedAt }) => Math.min(occurredAt ?? receivedAt, receivedAt)),
  );

const beginningOf = (shown: IncidentDocument): readonly [number, string] | undefined => {
  const { drain, verdict } = shown;
  if (drain?.startedAt !== undefined) return [drain.startedAt, 'the first order to DC/OS'];
  const commanded = firstCommandOf(shown);
  if (worksUntilFenced.includes(verdict?.kind ?? '')) {
    return commanded === undefined ? undefined : [commanded, 'the first fencing command'];
  }
  const isDown = verdict?.kind === 'Down' || commanded !== undefined;
  return isDown ? [firstSignOf(shown), 'the first sign of the failure'] : undefined;
};

/** Undefined: nothing with data was away, or the record does not tell. */
export const downtimeOf = (shown: IncidentDocument): Downtime | undefined => {
  const { at, facts, recovery } = shown;
  const [from, since] = beginningOf(shown) ?? [];
  const isEmpty = recovery === undefined ? facts?.volumes.length === 0 : recovery.apps.length === 0;
  if (from === undefined || since === undefined || isEmpty) return undefined;
  const to = recovery?.at;
  return { from, since, ...(to === undefined ? {} : { to }), ms: (to ?? at) - from };
};

/** The volumes that this incident itself has freed. */
export const releasesOf = ({ id, volumes }: IncidentDocument) =>
  volumes.flatMap(({ before, now }) =>
    [...before, ...(now === undefined ? [] : [now])].flatMap(
      ({ incidentId, releasedAt, ...one }) =>
        incidentId === id && releasedAt !== undefined ? [{ ...one, releasedAt }] : [],
    ),
  );

/** A turning point; the picture numbers them. */
export interface Milestone {
  readonly at: number;
  readonly says: string;
}

/** The few moments that tell the story, in the order of time. */
export const milestonesOf = (shown: IncidentDocument): readonly Milestone[] => {
  const { closedAt, drain, facts, fence, handOff, hold, quarantine, recovery, verdict } = shown;
  const freed = releasesOf(shown).map(({ releasedAt }) => releasedAt);
  const lastFreed = freed.length === 0 ? undefined : Math.max(...freed);
  const told: readonly (readonly [number | undefined, string])[] = [
    [shown.openedAt, 'Incident opened'],
    [verdict?.at, `Verdict: ${verdict?.kind ?? ''}`],
    [hold?.since, `Held: ${hold?.reason ?? ''}`],
    [drain?.startedAt, 'DC/OS asked to empty the agent'],
    [drain?.completedAt, 'None of its volumes is on it any more'],
    [firstCommandOf(shown), `First fencing command (${fence?.rungs[0]?.method ?? ''})`],
    [fence?.proof?.[1].at, 'Power proven off'],
    [lastFreed, `${freed.length} of ${count(facts?.volumes.length ?? 0, 'volume')} free`],
    [fence && handOff?.completedAt, 'Mesos and Marathon told'],
    [quarantine?.at, 'The host came back and is given no work'],
    [recovery?.at, recovery?.apps.length === 0 ? 'Nothing had to be moved' : 'Apps seen back'],
    [closedAt, `Closed: ${shown.status}`],
  ];
  return told
    .flatMap(([at, says]) => (at === undefined ? [] : [{ at, says }]))
    .sort((a, b) => a.at - b.at);
};

/** A step that may only come after another. */
export interface Link {
  readonly says: string;
  readonly at: number;
  /** It came when it was allowed to. */
  readonly isInOrder: boolean;
}

/** The order that keeps two writers from a volume: power off, proof, release, hand-off. Empty: no fence was proven. */
export const chainOf = (shown: IncidentDocument): readonly Link[] => {
  const { fence, handOff } = shown;
  if (fence?.proof === undefined) return [];
  const [first, second] = fence.proof;
  const command = fence.rungs.at(-1)?.requestedAt;
  const freed = releasesOf(shown).map(({ releasedAt }) => releasedAt);
  const firstFreed = freed.length === 0 ? undefined : Math.min(...freed);
  const link = (says: string, at: number | undefined, notBefore: number): readonly Link[] =>
    at === undefined ? [] : [{ says, at, isInOrder: at >= notBefore }];
  return [
    command === undefined
      ? { says: 'Found down without a command of ours', at: fence.since, isInOrder: true }
      : { says: 'Last fencing command', at: command, isInOrder: true },
    ...link(`First read: ${first.state}`, first.at, command ?? fence.since),
    ...link(`Second read: ${second.state}`, second.at, first.at),
    ...link('First volume released', firstFreed, second.at),
    ...link('Hand-off to Mesos and Marathon', handOff?.startedAt, second.at),
  ];
};

/** Both reads are of the start that was to be fenced. */
export const isSameStart = ({ facts, fence }: IncidentDocument): boolean =>
  fence?.proof === undefined ||
  new Set([...fence.proof.map(({ launchTime }) => launchTime), facts?.launchTime]).size === 1;

/** From a person's hold to whatever ended it. */
export interface HeldSpan {
  readonly by: string;
  readonly from: number;
  /** Absent: it is held still. */
  readonly to?: number;
}

/** How long people kept it from going on. */
export const heldSpansOf = ({ closedAt, orders }: IncidentDocument): readonly HeldSpan[] => {
  const spans: HeldSpan[] = [];
  for (const { action, at, by, outcome } of orders) {
    const last = spans.at(-1);
    const isHeld = last !== undefined && last.to === undefined;
    if (outcome !== 'done') continue;
    if (action === 'hold' && !isHeld) spans.push({ by, from: at });
    if (action === 'resume' && isHeld) spans[spans.length - 1] = { ...last, to: at };
  }
  return spans.map((one) => (closedAt === undefined ? one : { to: closedAt, ...one }));
};
