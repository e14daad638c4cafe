import type { IncidentDocument } from '../../src/contracts/incident-document.ts';
import { downtimeOf, releasesOf } from './findings.ts';
import { type Html, html, type Part } from './html.ts';
import { odditiesOf } from './oddities.ts';
import { none, section, table } from './table.ts';
import { count, durationOf, timeOf } from './words.ts';

/** What a reader looks for first: what it was, how it ended, what it cost. */

const endings = {
  recovered: ['✓', 'recovered'],
  cancelled: ['–', 'cancelled'],
  held: ['‖', 'held'],
  open: ['…', 'under way'],
} as const;

/** `Failover of i-0123: recovered` */
export const titleOf = ({ instanceId, mode, status }: IncidentDocument): string =>
  `${mode === 'drain' ? 'Planned move' : 'Failover'} of ${instanceId}: ${endings[status][1]}`;

/** The summary without what the heading or the callout says already. */
const leadOf = ({ hold, instanceId, n, status, summary }: IncidentDocument): string =>
  status === 'held' && hold !== undefined
    ? ''
    : summary.replace(`${instanceId} (incident ${n}): `, '').replaceAll(' -> ', ' → ');

export const header = (shown: IncidentDocument): Html => {
  const { cluster, instanceId, mode, n, status } = shown;
  const [sign, word] = endings[status];
  const lead = leadOf(shown);
  return html`
<header>
<p class="eyebrow">Cluster ${cluster}, incident ${n} of this machine</p>
<h1>${mode === 'drain' ? 'Planned move' : 'Failover'} of <span class="id">${instanceId}</span></h1>
<p class="status ${status}"><span aria-hidden="true">${sign}</span> ${word}</p>
${lead !== '' && html`<p class="lead">${lead}</p>`}
</header>`;
};

/** What keeps it from going on, if anything does. */
export const callouts = ({ hold, operatorHold, status }: IncidentDocument): readonly Html[] => [
  ...(status === 'held' && hold !== undefined
    ? [
        html`
<aside class="callout" aria-label="Why it is held"><p><strong>Held: ${hold.reason}</strong>, since ${timeOf(hold.since)}</p>
<p>${hold.says}</p></aside>`,
      ]
    : []),
  ...(operatorHold === undefined
    ? []
    : [
        html`
<aside class="callout" aria-label="Who holds it"><p><strong>${operatorHold.by} holds it</strong>, since ${timeOf(operatorHold.at)}</p>
<p>${operatorHold.reason}</p></aside>`,
      ]),
];

const card = (term: string, value: Part, more: Part): Html =>
  html`<div class="card"><dt>${term}</dt><dd class="value">${value}</dd><dd>${more}</dd></div>`;

const downtimeCard = (shown: IncidentDocument): Html => {
  const downtime = downtimeOf(shown);
  if (downtime === undefined) {
    const isOver = shown.status === 'recovered' || shown.status === 'cancelled';
    return isOver
      ? card('Downtime', 'none', 'no app with data had to be moved')
      : card('Downtime', 'not known', 'no command of ours has taken anything down');
  }
  const { ms, since, to } = downtime;
  return to === undefined
    ? card('Downtime so far', durationOf(ms), html`since ${since}; no app is seen back yet`)
    : card('Downtime', durationOf(ms), html`from ${since} to every app seen back`);
};

const appsCard = ({ facts, recovery }: IncidentDocument): Html => {
  const withData = new Set(facts?.volumes.flatMap(({ appIds }) => appIds) ?? []);
  if (recovery === undefined) {
    if (facts === undefined) return card('Apps with data', 'not known', 'they were not read');
    const names = [...withData].join(', ');
    return card('Apps with data', count(withData.size, 'app'), names || 'none is on record');
  }
  const well = recovery.apps.filter(({ healthy }) => healthy).length;
  const names = recovery.apps.map(({ id }) => id).join(', ');
  return card('Apps back', `${well} of ${recovery.apps.length}`, names || 'none had to come back');
};

const dataCard = (shown: IncidentDocument): Html => {
  const all = shown.volumes.length;
  // A later incident may have moved it on by now.
  const moved = shown.volumes.filter(({ before, now }) =>
    [...before, now].some((one) => one?.incidentId === shown.id && one.state === 'owned'),
  ).length;
  const freed = releasesOf(shown);
  const isProven = freed.every(
    ({ proof, releasedAt }) => (proof?.[1].at ?? Infinity) <= releasedAt,
  );
  const how =
    freed.length > 0
      ? `${freed.length} released, ${isProven ? 'each after the proof' : 'not each after a proof'}`
      : 'none was taken from a fenced machine';
  if (all === 0) return card('Volumes moved', 'none', 'no volume was in its scope');
  return card('Volumes moved', `${moved} of ${all}`, how);
};

const powerCard = ({ drain, fence }: IncidentDocument): Html => {
  if (fence?.proof !== undefined) {
    const how = fence.method === 'none' ? 'it went down without us' : `by ${fence.method}`;
    return card('Power', 'proven off', `${how}, ${fence.strength ?? 'unknown'}, two reads agree`);
  }
  if (fence !== undefined) return card('Power', 'not proven off', 'so no volume was released');
  const why = drain === undefined ? 'the machine was left as it is' : 'it was emptied as it ran';
  return card('Power', 'not cut', why);
};

const verdictCard = ({ verdict }: IncidentDocument): Html =>
  verdict === undefined
    ? card('Verdict', 'none', 'nothing was looked at yet')
    : card(
        'Verdict',
        verdict.kind,
        `${verdict.why.length} for it, ${verdict.whyNot.length} against acting`,
      );

const peopleCard = ({ acknowledged, orders, signals }: IncidentDocument): Html => {
  const asked = signals.find(({ source }) => source === 'operator');
  const waved = acknowledged.length > 0 && `waved through: ${acknowledged.join(', ')}`;
  if (orders.length > 0) {
    const names = [...new Set(orders.map(({ by }) => by))].join(', ');
    return card('People', count(orders.length, 'order'), waved || `by ${names}`);
  }
  if (asked !== undefined) return card('People', 'asked for it', waved || asked.says);
  return card('People', 'no order', waved || 'nothing was waved through');
};

export const keyFacts = (shown: IncidentDocument): Html => html`
<dl class="cards" aria-label="The result in short">
${downtimeCard(shown)}${appsCard(shown)}${dataCard(shown)}${verdictCard(shown)}${powerCard(shown)}${peopleCard(shown)}
</dl>`;

/** What was unusual, with the way to more. */
export const oddities = (shown: IncidentDocument): Html => {
  const odd = odditiesOf(shown);
  return section(
    'unusual',
    'What was unusual',
    odd.length === 0
      ? none('Nothing that this page looks for: every call was accepted, all evidence agreed.')
      : html`<ul class="odd">${odd.map(
          ({ isGrave, says, section: of }) => html`
<li class="${isGrave ? 'grave' : 'mild'}"><span class="tag">${isGrave ? '! grave' : 'note'}</span> <a href="#${of}">${says}</a></li>`,
        )}</ul>`,
  );
};

/** Where every app came back. */
export const result = (shown: IncidentDocument): Html => {
  const { facts, handOff, recovery } = shown;
  const volumesOf = (appId: string): string =>
    facts?.volumes
      .filter(({ appIds }) => appIds.includes(appId))
      .map(({ name }) => name)
      .join(', ') ?? '';
  const back = recovery?.apps ?? [];
  const seen = new Set(back.map(({ id }) => id));
  const others = (facts?.apps ?? []).filter(({ id }) => !seen.has(id));
  const stateOf = (appId: string): string => {
    if (handOff?.heldAppIds.includes(appId)) return 'held back: a volume of it is not free';
    return volumesOf(appId) === '' ? 'without data, not followed' : 'not seen back';
  };
  const rows = [
    ...back.map(({ fromHost, healthy, id, taskId, toHost, toInstanceId }) => ({
      ...(healthy ? {} : { mark: 'bad' as const }),
      cells: [
        html`<strong>${id}</strong>`,
        healthy ? '✓ healthy' : '✕ not healthy',
        `${fromHost} → ${toHost}`,
        html`<span class="id">${toInstanceId}</span><br><span class="minor">${taskId}</span>`,
        volumesOf(id),
      ],
    })),
    ...others.map(({ id }) => ({
      ...(volumesOf(id) === '' ? {} : { mark: 'warn' as const }),
      cells: [
        html`<strong>${id}</strong>`,
        stateOf(id),
        facts?.privateIp ?? '–',
        '–',
        volumesOf(id) || '–',
      ],
    })),
  ];
  const titles = ['App', 'State', 'Host', 'Now on', 'Volumes'].map((title) => ({ title }));
  return section(
    'result',
    'Apps: where they came back',
    rows.length === 0
      ? none('No app is on record: the machine was never looked at as one to move.')
      : table('Every app that ran on the machine', titles, rows),
  );
};
