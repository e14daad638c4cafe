import type { EpochMs } from './ids.ts';
import type { AuditRecord, Incident } from './incident.ts';
import type { OrderRecord } from './order.ts';
import type { Ownership } from './ownership.ts';

/** What an incident is told from: its record, its audit, what people asked for, and every record its volumes have had. */
export interface Story {
  readonly incident: Incident;
  readonly calls: readonly AuditRecord[];
  readonly orders: readonly OrderRecord[];
  readonly ownerships: readonly Ownership[];
  /** When it was read. */
  readonly at: EpochMs;
}

export type PhaseName = 'assess' | 'drain' | 'fence' | 'release' | 'hand-off' | 'verify';

/** A stretch of the work; without `to` it goes on. */
export interface PhaseSpan {
  readonly phase: PhaseName;
  readonly from: EpochMs;
  readonly to?: EpochMs;
  readonly tookMs: number;
}

export interface Moment {
  readonly at: EpochMs;
  /** Since the incident was opened. */
  readonly afterMs: number;
  readonly kind:
    | 'signal'
    | 'order'
    | 'opened'
    | 'verdict'
    | 'facts'
    | 'call'
    | 'proof'
    | 'release'
    | 'hand-off'
    | 'drain'
    | 'quarantine'
    | 'recovery'
    | 'hold'
    | 'closed';
  readonly says: string;
}

/** Released under this very incident. */
const releasesOf = ({ incident, ownerships }: Story) =>
  ownerships.flatMap(({ incidentId, releasedAt, ...rest }) =>
    incidentId === incident.id && releasedAt !== undefined ? [{ ...rest, releasedAt }] : [],
  );

/** When the last of the volumes was free; undefined: one of them is not, or there is none. */
const allReleasedAt = (story: Story): EpochMs | undefined => {
  const times = releasesOf(story).map(({ releasedAt }) => releasedAt);
  const count = story.incident.facts?.volumes.length ?? 0;
  return count > 0 && times.length >= count ? (Math.max(...times) as EpochMs) : undefined;
};

const commandedAt = ({ fence }: Incident): EpochMs | undefined =>
  fence?.rungs[0]?.requestedAt ?? fence?.since;

/** How long each part took so far, in the order in which they come. Pure. */
export const phasesOf = (story: Story): readonly PhaseSpan[] => {
  const { at, incident } = story;
  const { closedAt, drain, fence, handOff, openedAt, recovery } = incident;
  const commanded = commandedAt(incident);
  const proven = fence?.proof?.[1].at;
  const hasData = (incident.facts?.volumes.length ?? 0) > 0;
  const bounds: readonly (readonly [PhaseName, EpochMs | undefined, EpochMs | undefined])[] = [
    ['assess', openedAt, drain?.startedAt ?? commanded],
    ['drain', drain?.startedAt, drain?.completedAt ?? commanded],
    ['fence', commanded, proven],
    ['release', hasData ? proven : undefined, allReleasedAt(story)],
    ['hand-off', handOff?.startedAt, handOff?.completedAt],
    ['verify', handOff?.completedAt, recovery?.at],
  ];
  return bounds.flatMap(([phase, from, end]) => {
    const to = end ?? closedAt;
    if (from === undefined) return [];
    return [{ phase, from, ...(to === undefined ? {} : { to }), tookMs: (to ?? at) - from }];
  });
};

const sayOutcome = ({ outcome }: AuditRecord): string => {
  switch (outcome?.kind) {
    case undefined:
      return 'no outcome is on record';
    case 'accepted':
      return outcome.requestId === undefined
        ? 'accepted'
        : `accepted, request ${outcome.requestId}`;
    case 'refused':
      return `refused: ${outcome.error}`;
    case 'unknown':
      return `its answer was lost: ${outcome.error}`;
  }
};

/** `ana: hold: I want to look first: done: nothing more is changed` */
const sayOrder = ({ action, by, outcome, reason }: OrderRecord): string => {
  const became = outcome === undefined ? 'no outcome is on record' : outcome.says;
  const refused = outcome?.kind === 'refused' ? 'refused: ' : '';
  return `${by}: ${action} (${reason}): ${refused}${became}`;
};

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;

type Told = readonly [Moment['kind'], EpochMs | undefined, string];

const tellWork = (story: Story): readonly Told[] => {
  const { calls, incident } = story;
  const { drain, fence, handOff, quarantine } = incident;
  return [
    ['hand-off', handOff?.startedAt, `hand-off begins (${handOff?.method ?? ''})`],
    ...calls.map((call): Told => {
      const says = `${call.actor}: ${call.call} ${call.target}: ${sayOutcome(call)}`;
      return ['call', call.intendedAt, says];
    }),
    ['drain', drain?.completedAt, 'two reads agree that none of its volumes is on it any more'],
    ...(fence?.proof ?? []).map(
      ({ at, launchTime, state }): Told => [
        'proof',
        at,
        `EC2 says ${state}, of the start at ${launchTime}`,
      ],
    ),
    ...releasesOf(story).map(
      ({ epoch, name, releasedAt, volumeId }): Told => [
        'release',
        releasedAt,
        `${name} (${volumeId}) is free under epoch ${epoch}`,
      ],
    ),
    ['hand-off', handOff?.completedAt, `handed off: ${handOff?.appIds.join(', ') || 'no app'}`],
    ['quarantine', quarantine?.at, 'the host came back and is given no work'],
  ];
};

const tellEnd = ({ closedAt, hold, recovery, status }: Incident): readonly Told[] => {
  const apps = recovery?.apps.map(({ id, toHost }) => `${id} runs on ${toHost}`).join(', ');
  return [
    ['recovery', recovery?.at, apps || 'nothing of the cluster had to be moved'],
    ['hold', hold?.since, `held (${hold?.reason ?? ''}): ${hold?.says ?? ''}`],
    ['closed', closedAt, `closed: ${status}`],
  ];
};

/** Everything that is on record of it, in the order of time. Pure. */
export const timelineOf = (story: Story): readonly Moment[] => {
  const { incident } = story;
  const { facts, openedAt, signals, verdict } = incident;
  const told: readonly Told[] = [
    ['opened', openedAt, `incident ${incident.id} is opened`],
    ...signals.map(
      ({ receivedAt, says, source }): Told => ['signal', receivedAt, `${source}: ${says}`],
    ),
    ...story.orders.map((order): Told => ['order', order.at, sayOrder(order)]),
    ['verdict', verdict?.at, `${verdict?.kind ?? ''}: ${verdict?.why.join('; ') ?? ''}`],
    [
      'facts',
      facts?.at,
      `${count(facts?.volumes.length ?? 0, 'volume')} to move, ` +
        `${count(facts?.tasks.length ?? 0, 'task')} on it`,
    ],
    ...tellWork(story),
    ...tellEnd(incident),
  ];
  return told
    .flatMap(([kind, at, says]) =>
      at === undefined ? [] : [{ at, afterMs: at - openedAt, kind, says }],
    )
    .sort((a, b) => a.at - b.at);
};
