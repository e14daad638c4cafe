import type {
  CallDocument,
  EpochDocument,
  IncidentDocument,
} from '../../src/contracts/incident-document.ts';
import { type Html, html, type Part } from './html.ts';
import { none, section, table } from './table.ts';
import { count, durationOf, offsetOf, timeOf } from './words.ts';

/** The records, whole: epochs of the volumes, calls, moments, the machine. */

const proofOf = ({ proof, strength }: EpochDocument): Part =>
  proof === undefined
    ? '–'
    : html`${strength ?? 'unknown'}: ${proof[1].state} at ${timeOf(proof[1].at)}`;

const epochRow = (one: EpochDocument, isNow: boolean, id: string) => ({
  ...(isNow ? { mark: 'now' as const } : {}),
  cells: [
    html`<strong>${one.epoch}</strong>${isNow && html` <span class="tag">in force</span>`}`,
    [one.state, one.says !== undefined && html`<br><span class="minor">${one.says}</span>`],
    one.owner ?? '–',
    one.from ?? '–',
    one.releasedAt === undefined ? '–' : timeOf(one.releasedAt),
    proofOf(one),
    one.incidentId === undefined ? '–' : one.incidentId === id ? 'this one' : one.incidentId,
  ] as readonly Part[],
});

const volumeHistory = (
  { id, facts }: IncidentDocument,
  { before, name, now, volumeId }: IncidentDocument['volumes'][number],
): Html => {
  const known = facts?.volumes.find((one) => one.volumeId === volumeId);
  const rows = [
    ...before.map((one) => epochRow(one, false, id)),
    ...(now === undefined ? [] : [epochRow(now, true, id)]),
  ];
  return html`
<h3>${name} <span class="id">${volumeId}</span></h3>
${known && html`<p class="minor">of ${known.appIds.join(', ')}; was ${known.device} in ${known.availabilityZone}</p>`}
${
  rows.length === 0
    ? none('The ledger has no record of it.')
    : table(
        `Epochs of ${name}, the newest last`,
        [
          { title: 'Epoch' },
          { title: 'State' },
          { title: 'Owner', isCode: true },
          { title: 'Taken from', isCode: true },
          { title: 'Released', isCode: true },
          { title: 'Proof' },
          { title: 'Incident' },
        ],
        rows,
      )
}`;
};

/** Who could write to each volume, and since when. */
export const ledger = (shown: IncidentDocument): Html =>
  section(
    'ledger',
    'Ledger: who could write to each volume',
    shown.volumes.length === 0
      ? none('No volume was in the scope of this incident.')
      : shown.volumes.map((volume) => volumeHistory(shown, volume)),
  );

const outcomeOf = ({ error, outcome }: CallDocument): string => {
  switch (outcome) {
    case 'accepted':
      return '✓\u00a0accepted';
    case 'refused':
      return `✕ refused: ${error ?? ''}`;
    case 'unknown':
      return `? its answer was lost: ${error ?? ''}`;
    case 'open':
      return '… no outcome is on record: it may have been made';
  }
};

const parametersOf = ({ epoch, parameters }: CallDocument): string =>
  [
    ...Object.entries(parameters).map(([name, value]) => `${name}=${value}`),
    ...(epoch === undefined ? [] : [`epoch=${epoch}`]),
  ].join(' ');

const callRow = (one: CallDocument, openedAt: number) => ({
  id: `call-${one.seq}`,
  ...(one.outcome === 'accepted' ? {} : { mark: 'warn' as const }),
  cells: [
    one.seq,
    html`${timeOf(one.intendedAt)}<br><span class="minor">${offsetOf(one.intendedAt - openedAt)}</span>`,
    html`<strong>${one.call}</strong><br><span class="id">${one.target}</span><br><span class="minor">${parametersOf(one)}</span>`,
    html`${one.actor}<br><span class="minor">token ${one.token}</span>`,
    outcomeOf(one),
    one.concludedAt === undefined ? '–' : durationOf(one.concludedAt - one.intendedAt),
    one.requestId ?? '–',
  ] as readonly Part[],
});

/** Every call that could change something, written down before it was made. */
export const calls = ({ calls: all, openedAt }: IncidentDocument): Html =>
  section(
    'calls',
    'Every changing call',
    all.length === 0
      ? none('No call was made that changes anything.')
      : table(
          `${count(all.length, 'call')}, in the order in which they were written down`,
          [
            { title: 'No.' },
            { title: 'Intended', isCode: true },
            { title: 'Call' },
            { title: 'By' },
            { title: 'Outcome' },
            { title: 'Took', isShort: true },
            { title: 'Request id', isCode: true },
          ],
          all.map((one) => callRow(one, openedAt)),
        ),
  );

interface Told {
  readonly at: number;
  readonly kind: string;
  readonly says: Part;
}

/** Calls as the audit has them, with the way to all of it. */
const toldOf = ({ calls: all, timeline }: IncidentDocument): readonly Told[] =>
  [
    ...timeline.filter(({ kind }) => kind !== 'call'),
    ...all.map((one) => ({
      at: one.intendedAt,
      kind: 'call',
      says: html`${one.actor}: <a href="#call-${one.seq}">${one.call}</a> <span class="id">${one.target}</span>: ${outcomeOf(one)}`,
    })),
  ].sort((a, b) => a.at - b.at);

/** Everything on record, in the order of time. */
export const timeline = (shown: IncidentDocument): Html =>
  section(
    'timeline',
    'Timeline',
    table(
      'Everything on record, in the order of time',
      [
        { title: 'After', isShort: true },
        { title: 'At', isCode: true },
        { title: 'What' },
        { title: 'In words' },
      ],
      toldOf(shown).map(({ at, kind, says }) => ({
        cells: [offsetOf(at - shown.openedAt), timeOf(at), html`<strong>${kind}</strong>`, says],
      })),
    ),
  );

const terms = (pairs: readonly (readonly [string, Part])[]): Html =>
  html`<dl class="terms">${pairs.map(([term, says]) => html`<div><dt>${term}</dt><dd>${says}</dd></div>`)}</dl>`;

/** The machine as it was found: a dead one cannot be asked any more. */
export const machine = ({ facts, instanceId, quarantine }: IncidentDocument): Html =>
  section(
    'machine',
    'The machine as it was found',
    facts === undefined
      ? none(`What was on ${instanceId} is not on record.`)
      : terms([
          ['Instance', html`<span class="id">${instanceId}</span>, ${facts.state}`],
          ['Read at', timeOf(facts.at)],
          ['Started', html`<span class="id">${facts.launchTime}</span>`],
          ['Zone, address', `${facts.availabilityZone}, ${facts.privateIp ?? 'none'}`],
          ['Mesos agent', facts.agentIds.join(', ') || 'none'],
          ['Tasks', facts.tasks.map(({ id }) => html`<span class="id">${id}</span><br>`)],
          [
            'Volumes left alone',
            facts.leftAlone.map(
              ({ volumeId, why }) => html`<span class="id">${volumeId}</span>: ${why}<br>`,
            ),
          ],
        ]),
    quarantine !== undefined &&
      html`<p>It came back with the start at ${quarantine.launchTime} and was given no work from ${timeOf(quarantine.at)} on.</p>`,
  );

/** What this page was made from. */
export const about = (shown: IncidentDocument): Html =>
  section(
    'about',
    'This report',
    terms([
      ['Incident', html`<span class="id">${shown.id}</span>`],
      ['Read from the ledger at', timeOf(shown.at)],
      ['Last changed', timeOf(shown.updatedAt)],
      ['Execution', html`<span class="id">${shown.execution.arn ?? shown.execution.name}</span>`],
      ['Token', shown.execution.token],
      ['Made by', html`<code>ebs-failover report '${shown.id}' --html FILE</code>`],
      ['The same for programs', html`<code>ebs-failover show '${shown.id}' --json</code>`],
    ]),
  );
