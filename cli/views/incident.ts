import type { CallDocument, IncidentDocument } from '../../src/contracts/incident-document.ts';
import { hang, type Terminal, table } from '../terminal.ts';
import { agoOf, colourOf, momentOf, spanOf } from '../words.ts';

const barMax = 24;

/** How long each part took, drawn to the scale of the whole. */
const showPhases = ({ phases }: IncidentDocument, terminal: Terminal): string => {
  const whole = Math.max(1, ...phases.map(({ tookMs }) => tookMs));
  return table(
    terminal,
    ['PHASE', 'TOOK', ''],
    phases.map(({ phase, to, tookMs }) => [
      phase,
      spanOf(tookMs),
      `${terminal.paint.cyan('#'.repeat(Math.max(1, Math.round((tookMs / whole) * barMax))))}${to === undefined ? ' goes on' : ''}`,
    ]),
  );
};

const parametersOf = ({ epoch, parameters }: CallDocument): string =>
  [
    ...Object.entries(parameters).map(([name, value]) => `${name}=${value}`),
    ...(epoch === undefined ? [] : [`epoch=${epoch}`]),
  ].join(' ');

const outcomeOf = ({ error, outcome, requestId }: CallDocument): string => {
  switch (outcome) {
    case 'accepted':
      return requestId === undefined ? 'accepted' : `accepted, request ${requestId}`;
    case 'refused':
      return `refused: ${error ?? ''}`;
    case 'unknown':
      return `its answer was lost: ${error ?? ''}`;
    case 'open':
      return 'no outcome is on record: it may have been made';
  }
};

/** A call on the timeline: what was asked of whom, and the answer. */
const callSays = (call: CallDocument): string =>
  [`${call.actor}:`, call.call, call.target, parametersOf(call), `-> ${outcomeOf(call)}`]
    .filter(Boolean)
    .join(' ');

/** A moment of the timeline on its line: `  +12.3 s  proof    EC2 says stopped`. */
export const momentLine = (
  { afterMs, kind, says }: { afterMs: number; kind: string; says: string },
  { columns, paint }: Terminal,
): string => {
  const head = `${paint.dim(`+${spanOf(afterMs)}`.padStart(9))}  ${paint.cyan(kind.padEnd(10))}`;
  return hang(head, says, columns);
};

/** Calls as the audit has them, which says more than the timeline does. */
const showTimeline = (
  { calls, openedAt, timeline }: IncidentDocument,
  terminal: Terminal,
): readonly string[] =>
  [
    ...timeline.filter(({ kind }) => kind !== 'call'),
    ...calls.map((call) => ({
      at: call.intendedAt,
      afterMs: call.intendedAt - openedAt,
      kind: 'call',
      says: callSays(call),
    })),
  ]
    .sort((a, b) => a.at - b.at)
    .map((moment) => momentLine(moment, terminal));

const showEvidence = ({ verdict }: IncidentDocument, terminal: Terminal): readonly string[] => {
  if (verdict === undefined) return ['Nothing was looked at yet.'];
  const { columns, paint } = terminal;
  return [
    `Verdict ${paint.bold(verdict.kind)} at ${momentOf(verdict.at)}`,
    ...verdict.why.map((says) => hang('  for      ', says, columns)),
    ...verdict.whyNot.map((says) => hang('  against  ', says, columns)),
  ];
};

const showVolumes = ({ volumes }: IncidentDocument, terminal: Terminal): string =>
  table(
    terminal,
    ['VOLUME', 'NAME', 'LEDGER', 'EPOCH', 'OWNER'],
    volumes.map(({ before, name, now, volumeId }) => [
      volumeId,
      name,
      colourOf(now?.state ?? 'none', terminal.paint),
      now === undefined
        ? '-'
        : `${now.epoch}${before.length > 0 ? ` of ${before.length + 1}` : ''}`,
      now?.owner ?? '-',
    ]),
  );

/** What a person is asked, and what was answered. */
const askedOf = (approval: NonNullable<IncidentDocument['approval']>): string => {
  const { by, decidedAt, id, reason, says, status, until } = approval;
  const why = reason === undefined ? '' : `: ${reason}`;
  const answer =
    by === undefined || decidedAt === undefined
      ? `Nobody has answered; an execution waits until ${momentOf(until)}`
      : `It was ${status} by ${by} at ${momentOf(decidedAt)}${why}`;
  return `${id}, to ${says}. ${answer}`;
};

/** When it was opened, and how it stands. */
const headOf = (shown: IncidentDocument, terminal: Terminal): readonly string[] => {
  const { approval, at, closedAt, execution, hold, id, mode, openedAt, stage, status, summary } =
    shown;
  const { columns, paint } = terminal;
  const end = closedAt === undefined ? stage : `closed ${momentOf(closedAt)}`;
  return [
    `${paint.bold(id)}  ${colourOf(status, paint)}${mode === 'drain' ? ' (planned move)' : ''}`,
    hang('', summary, columns),
    '',
    `Opened ${momentOf(openedAt)} (${agoOf(openedAt, at)}), ${end}`,
    hang('Execution ', `${execution.name} (token ${execution.token})`, columns),
    ...(hold !== undefined && status === 'held'
      ? [paint.yellow(hang('Held: ', `${hold.reason}: ${hold.says}`, columns))]
      : []),
    ...(approval === undefined ? [] : [hang('Asked: ', askedOf(approval), columns)]),
  ];
};

/** One incident for people: evidence in words, phases, timeline with every call, ownership. */
export const showIncident = (shown: IncidentDocument, terminal: Terminal): string =>
  [
    ...headOf(shown, terminal),
    '',
    ...showEvidence(shown, terminal),
    '',
    showPhases(shown, terminal),
    '',
    ...showTimeline(shown, terminal),
    ...(shown.volumes.length === 0 ? [] : ['', showVolumes(shown, terminal)]),
    ...(shown.acknowledged.length === 0
      ? []
      : ['', `Waved through by people: ${shown.acknowledged.join(', ')}`]),
  ].join('\n');
