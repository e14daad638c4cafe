import type { IncidentDocument } from '../../src/contracts/incident-document.ts';
import { downtimeOf, heldSpansOf, type Milestone, milestonesOf } from './findings.ts';
import { type Html, html, type Part } from './html.ts';
import { type Scale, scaleOf } from './scale.ts';
import { count, durationOf, isoOf, offsetOf, timeOf } from './words.ts';

/**
 * The course of an incident. Places across are per cent and sizes are pixels, so that words keep
 * their size on every screen and the picture needs no script to fit.
 */

const laneHeight = 40;
const captionDrop = 14;
const barDrop = 20;
const barHeight = 13;
const axisHeight = 26;
/** Words of cuts that are near each other stand on two lines. */
const cutLine = 17;

const percent = (x: number): string => `${x.toFixed(3)}%`;

const anchorOf = (x: number): string => {
  if (x < 8) return 'start';
  return x > 92 ? 'end' : 'middle';
};

/** Drawn around a place that is given in per cent. */
const at = (x: number, y: number, ...parts: readonly Part[]): Html =>
  html`<svg x="${percent(x)}" y="${y}" overflow="visible">${parts}</svg>`;

/** One row of the picture. */
interface Lane {
  readonly height: number;
  readonly draw: (top: number) => Html;
}

const captioned = (caption: string, says: string, drawn: (top: number) => Part): Lane => ({
  height: laneHeight,
  draw: (top) => html`<g>
<text x="0" y="${top + captionDrop}"><tspan class="name">${caption}</tspan> <tspan>${says}</tspan></text>
<line class="track" x1="0" x2="100%" y1="${top + barDrop + barHeight / 2}" y2="${top + barDrop + barHeight / 2}"/>
${drawn(top)}</g>`,
});

interface Span {
  readonly from: number;
  readonly to: number;
  readonly goesOn: boolean;
}

const bar = (scale: Scale, { from, goesOn, to }: Span, kind: string, title: string) => {
  const left = scale.x(from);
  const width = scale.x(to) - left;
  return (top: number): Html => html`
<rect class="${kind}${goesOn && ' goes-on'}" x="${percent(left)}" width="${percent(width)}" y="${top + barDrop}" height="${barHeight}" rx="3"><title>${title}</title></rect>
<rect class="${kind} least" x="${percent(Math.min(left, 99.4))}" width="3" y="${top + barDrop}" height="${barHeight}" rx="1.5"/>`;
};

const phaseLane = (
  scale: Scale,
  { from, phase, to, tookMs }: IncidentDocument['phases'][number],
): Lane => {
  const end = to ?? from + tookMs;
  const goesOn = to === undefined;
  const says = `${durationOf(tookMs)}${goesOn ? ', goes on' : ''}`;
  const title = `${phase}: ${isoOf(from)} to ${goesOn ? 'now' : isoOf(end)}`;
  return captioned(phase, says, bar(scale, { from, to: end, goesOn }, `bar ${phase}`, title));
};

const downtimeLane = (scale: Scale, shown: IncidentDocument): readonly Lane[] => {
  const downtime = downtimeOf(shown);
  if (downtime === undefined) return [];
  const { from, ms, since, to } = downtime;
  const goesOn = to === undefined;
  const says = `${durationOf(ms)}${goesOn ? ', goes on' : ''}`;
  const span = { from, to: from + ms, goesOn };
  return [captioned('apps away', says, bar(scale, span, 'bar away', `from ${since}`))];
};

/** Waits that a person or a guard asked for are nobody's slowness. */
const heldLanes = (scale: Scale, shown: IncidentDocument): readonly Lane[] => {
  const { at: now, hold, status } = shown;
  const people = heldSpansOf(shown).map((one) => ({ ...one, why: `by ${one.by}` }));
  const guards: readonly { why: string; from: number; to?: number }[] =
    status === 'held' && hold ? [{ why: hold.reason, from: hold.since }] : [];
  return [...people, ...guards].map(({ from, to, why }) => {
    const goesOn = to === undefined;
    const end = to ?? now;
    const says = `${why}, ${durationOf(end - from)}${goesOn ? ', goes on' : ''}`;
    return captioned('held', says, bar(scale, { from, to: end, goesOn }, 'bar held', says));
  });
};

const shapes = {
  signal: html`<path class="mark signal" d="M0-6 6 0 0 6-6 0Z"/>`,
  order: html`<path class="mark order" d="M-5.5 5.5 0-5.5 5.5 5.5Z"/>`,
  accepted: html`<path class="mark call" d="M0-6V6"/>`,
  otherwise: html`<path class="mark odd" d="M-5-5 5 5M5-5-5 5"/>`,
} as const;

interface Mark {
  readonly at: number;
  readonly shape: keyof typeof shapes;
  readonly title: string;
}

const marksLane = (scale: Scale, caption: string, says: string, marks: readonly Mark[]) =>
  marks.length === 0
    ? []
    : [
        captioned(caption, says, (top) =>
          marks.map((mark) =>
            at(
              scale.x(mark.at),
              top + barDrop + barHeight / 2,
              html`<g>${shapes[mark.shape]}<title>${mark.title}</title></g>`,
            ),
          ),
        ),
      ];

const callMarks = ({ calls }: IncidentDocument): readonly Mark[] =>
  calls.map(({ call, intendedAt, outcome, target }) => ({
    at: intendedAt,
    shape: outcome === 'accepted' ? 'accepted' : 'otherwise',
    title: `${call} ${target}: ${outcome}, ${isoOf(intendedAt)}`,
  }));

const pinGap = 6.5;
const pinHeight = 22;

/** Side by side where there is room, one below the other where there is none. */
const pinsLane = (scale: Scale, milestones: readonly Milestone[]): Lane => {
  const ends: number[] = [];
  const placed = milestones.map((milestone, i) => {
    const x = scale.x(milestone.at);
    const free = ends.findIndex((end) => x - end >= pinGap);
    const row = free === -1 ? ends.length : free;
    ends[row] = x;
    return { ...milestone, n: i + 1, row, x };
  });
  const height = captionDrop + 8 + ends.length * pinHeight;
  return {
    height,
    draw: (
      top,
    ) => html`<text x="0" y="${top + captionDrop}"><tspan class="name">milestones</tspan> <tspan>in the list below</tspan></text>
${placed.map(({ n, row, says, x }) =>
  at(
    x,
    top + captionDrop + 19 + row * pinHeight,
    html`<g class="pin"><circle r="9.5"/><text y="4.5" text-anchor="middle">${n}</text><title>${says}</title></g>`,
  ),
)}`,
  };
};

const axis = (scale: Scale, origin: number, height: number): Html => html`
<g class="axis">${scale.cuts.map(
  ({ ms, width, x }, i) => html`
<rect class="cut" x="${percent(x)}" width="${percent(width)}" y="${axisHeight}" height="${height - axisHeight}"/>
<text class="cut-says" x="${percent(x + width / 2)}" y="${height + cutLine * (1 + (i % 2))}" text-anchor="${anchorOf(x + width / 2)}">${durationOf(ms)}, drawn short</text>`,
)}${scale.ticks.map(
  (tick) => html`
<line x1="${percent(tick.x)}" x2="${percent(tick.x)}" y1="${axisHeight - 6}" y2="${height}"/>
<text x="${percent(tick.x)}" y="14" text-anchor="${anchorOf(tick.x)}">${offsetOf(tick.at - origin).replace('.0 s', ' s')}</text>`,
)}</g>`;

/** Everything that has a place on the picture. */
const momentsOf = (shown: IncidentDocument): readonly number[] => [
  ...milestonesOf(shown).map((one) => one.at),
  ...shown.phases.flatMap(({ from, to, tookMs }) => [from, to ?? from + tookMs]),
  ...shown.signals.map(({ receivedAt }) => receivedAt),
  ...shown.orders.map((order) => order.at),
  ...shown.calls.map(({ intendedAt }) => intendedAt),
  ...[downtimeOf(shown)].flatMap((one) => (one ? [one.from, one.from + one.ms] : [])),
];

const drawing = (shown: IncidentDocument): Html => {
  const { calls, openedAt, orders, phases, signals } = shown;
  const scale = scaleOf(momentsOf(shown), openedAt);
  const odd = calls.filter(({ outcome }) => outcome !== 'accepted').length;
  const lanes = [
    ...downtimeLane(scale, shown),
    ...phases.map((phase) => phaseLane(scale, phase)),
    ...heldLanes(scale, shown),
    ...marksLane(
      scale,
      'signals',
      String(signals.length),
      signals.map(({ receivedAt, says }) => ({ at: receivedAt, shape: 'signal', title: says })),
    ),
    ...marksLane(
      scale,
      'people',
      count(orders.length, 'order'),
      orders.map(({ action, by, ...one }) => ({
        at: one.at,
        shape: 'order',
        title: `${by}: ${action}`,
      })),
    ),
    ...marksLane(
      scale,
      'changing calls',
      `${calls.length}${odd === 0 ? ', all accepted' : `, ${odd} not accepted`}`,
      callMarks(shown),
    ),
    pinsLane(scale, milestonesOf(shown)),
  ];
  let top = axisHeight;
  const drawn = lanes.map((lane) => {
    const own = lane.draw(top);
    top += lane.height;
    return own;
  });
  const says = phases.map(({ phase, tookMs }) => `${phase} ${durationOf(tookMs)}`).join(', ');
  return html`<svg class="picture" width="100%" height="${top + cutLine * Math.min(scale.cuts.length, 2) + 6}" role="img" aria-label="Course of the incident: ${says}. The list below has the same in words.">
${axis(scale, openedAt, top)}
${drawn}
</svg>`;
};

/** The picture and the numbered list that belongs to it. */
export const pictureOf = (shown: IncidentDocument): Html => html`
<figure>
<figcaption>0 s is ${timeOf(shown.openedAt)}, when the incident was opened. All times are UTC.</figcaption>
<div class="canvas">${drawing(shown)}</div>
</figure>
<ol class="milestones">${milestonesOf(shown).map(
  (one) => html`
<li><span class="says">${one.says}</span> <span class="after">${offsetOf(one.at - shown.openedAt)}</span> ${timeOf(one.at)}</li>`,
)}
</ol>`;
