import type { IncidentDocument } from '../../src/contracts/incident-document.ts';
import { chainOf, isSameStart } from './findings.ts';
import { type Html, html } from './html.ts';
import { none, section, table } from './table.ts';
import { offsetOf, timeOf } from './words.ts';

const listOf = (says: readonly string[], otherwise: string): Html =>
  says.length === 0 ? none(otherwise) : html`<ul>${says.map((one) => html`<li>${one}</li>`)}</ul>`;

const signals = ({ openedAt, signals: all }: IncidentDocument): Html =>
  table(
    'Signals: what made the service look',
    [
      { title: 'Received', isCode: true },
      { title: 'After', isShort: true },
      { title: 'From' },
      { title: 'It said' },
      { title: 'Its own time', isCode: true },
    ],
    all.map(({ notice, occurredAt, receivedAt, says, source }) => ({
      cells: [
        timeOf(receivedAt),
        offsetOf(receivedAt - openedAt),
        source,
        [
          says,
          notice?.deadline !== undefined &&
            html`<br><span class="minor">${notice.action}, not before ${timeOf(notice.deadline)}</span>`,
        ],
        occurredAt === undefined ? '–' : timeOf(occurredAt),
      ],
    })),
  );

/** Why it was acted upon, or was not. */
export const evidence = (shown: IncidentDocument): Html => {
  const { verdict } = shown;
  return section(
    'evidence',
    'Evidence',
    verdict === undefined
      ? none('Nothing was looked at yet.')
      : html`
<p>Verdict <strong>${verdict.kind}</strong> at ${timeOf(verdict.at)}, the last one on record.</p>
<div class="pair">
<div><h3>Why</h3>${listOf(verdict.why, 'No evidence is on record.')}</div>
<div><h3>Why not: what spoke against acting</h3>${listOf(verdict.whyNot, 'Nothing spoke against it.')}</div>
</div>`,
    signals(shown),
  );
};

const commands = ({ fence, openedAt }: IncidentDocument): Html | undefined =>
  (fence &&
    fence.rungs.length > 0 &&
    table(
      'Fencing commands',
      [
        { title: 'Asked', isCode: true },
        { title: 'After', isShort: true },
        { title: 'Method' },
        { title: 'Answer' },
        { title: 'Of the start at', isCode: true },
      ],
      fence.rungs.map(({ acceptedAt, launchTime, method, refused, requestedAt }) => ({
        ...(refused === undefined ? {} : { mark: 'warn' as const }),
        cells: [
          timeOf(requestedAt),
          offsetOf(requestedAt - openedAt),
          method,
          refused !== undefined
            ? `✕ refused: ${refused}`
            : acceptedAt === undefined
              ? '? the answer was lost'
              : '✓\u00a0accepted',
          launchTime,
        ],
      })),
    )) ||
  undefined;

const chain = (shown: IncidentDocument): Html => {
  const links = chainOf(shown);
  return html`
<ol class="chain">${links.map(
    ({ at, isInOrder, says }, i) => html`
<li class="${isInOrder ? 'good' : 'bad'}"><span class="sign" aria-hidden="true">${isInOrder ? '✓' : '✕'}</span>
<div><strong>${says}</strong>${!isInOrder && html` <strong>out of order</strong>`}
<p>${timeOf(at)} <span class="after">${
      i === 0
        ? offsetOf(at - shown.openedAt)
        : html`${offsetOf(at - (links[i - 1]?.at ?? at))} after the step before`
    }</span></p></div></li>`,
  )}</ol>`;
};

const unproven = ({ drain, fence }: IncidentDocument): Html => {
  if (fence !== undefined) return none('The power is not proven off. Nothing was released.');
  if (drain?.completedAt !== undefined) {
    return html`<p>No fence: the machine was emptied while it worked. At ${timeOf(drain.completedAt)} two reads agreed that none of its volumes was on it any more.</p>`;
  }
  return none('The power was not cut, and no volume was taken from the machine.');
};

/** The ladder's rungs, as README tells them. */
const methods: Readonly<Record<string, string>> = {
  skip: 'a stop that does not ask the operating system (skip)',
  graceful: 'a stop that lets the operating system end its work (graceful)',
  force: 'a forced stop (force)',
  'force-skip': 'a forced stop that does not ask the operating system (force-skip)',
  terminate: 'termination (terminate)',
  'terminate-force': 'forced termination (terminate-force)',
};

const cutOf = ({ method = 'unknown' }: NonNullable<IncidentDocument['fence']>): string =>
  method === 'none'
    ? 'The power went off without a command of ours'
    : `The power was cut by ${methods[method] ?? method}`;

/** Proof before hand-off: in which order it went, and what says so. */
export const proof = (shown: IncidentDocument): Html => {
  const { fence } = shown;
  const [first] = fence?.proof ?? [];
  return section(
    'proof',
    'Fence proof',
    first === undefined
      ? unproven(shown)
      : html`
<p>${fence && cutOf(fence)}; the fence is <strong>${fence?.strength ?? 'unknown'}</strong>. Two reads after the last command agree on the start at <span class="stamp">${first.launchTime}</span>${isSameStart(shown) ? ', which is the one that was to be fenced.' : html`; <strong>another start was to be fenced.</strong>`}</p>
${chain(shown)}`,
    fence !== undefined &&
      fence.voided.length > 0 &&
      html`<p>Fenced before that, and started again: ${fence.voided.join(', ')}.</p>`,
    commands(shown),
  );
};

const outcomes = { done: '✓ done', unchanged: '– unchanged', refused: '✕ refused', open: '… open' };

/** Who stepped in. */
export const people = (shown: IncidentDocument): Html => {
  const { acknowledged, openedAt, orders } = shown;
  return section(
    'people',
    'People',
    orders.length === 0
      ? none('Nobody gave an order about this incident.')
      : table(
          'Orders about this incident',
          [
            { title: 'At', isCode: true },
            { title: 'After', isShort: true },
            { title: 'Who' },
            { title: 'Order' },
            { title: 'Reason' },
            { title: 'What became of it' },
          ],
          orders.map(({ action, at, by, outcome, reason, says }) => ({
            ...(outcome === 'refused' || outcome === 'open' ? { mark: 'warn' as const } : {}),
            cells: [
              timeOf(at),
              offsetOf(at - openedAt),
              by,
              html`<strong>${action}</strong>`,
              reason,
              `${outcomes[outcome]}${says === undefined ? '' : `: ${says}`}`,
            ],
          })),
        ),
    acknowledged.length > 0 && html`<p>Waved through: ${acknowledged.join(', ')}.</p>`,
  );
};
