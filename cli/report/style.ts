import { html } from './html.ts';

/** How the page looks: by day and by night, on a screen, on a phone and on paper. */
export const style = html`<style>
:root {
  color-scheme: light dark;
  --page: #f6f7f9; --panel: #ffffff; --edge: #d8dde4; --text: #1a2028; --minor: #56606d;
  --link: #0b57b0; --work: #2f6fb3; --quiet: #7d8896; --track: #e6e9ee;
  --good: #11693a; --good-back: #e2f4e8; --warn: #7f4d00; --warn-back: #fdf0d5; --bad: #a3201d;
  --bad-back: #fde8e6; --away: #b5443c;
  --code: ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #0f1318; --panel: #171c23; --edge: #323a45; --text: #e4e8ee; --minor: #a3adba;
    --link: #86b8f5; --work: #5f9fe0; --quiet: #8793a1; --track: #262d37;
    --good: #79d39c; --good-back: #12301f; --warn: #f0bd67; --warn-back: #372a10; --bad: #ff9b93;
    --bad-back: #3d1a18; --away: #e07b72;
  }
}
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; scroll-padding-top: 1rem; }
body {
  margin: 0 auto; padding: 2rem 2rem 4rem; max-width: 76rem; background: var(--page); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", sans-serif;
  overflow-wrap: anywhere;
}
a { color: var(--link); text-underline-offset: .15em; }
a:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; border-radius: 2px; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: .2rem 0 .8rem; letter-spacing: -.015em; }
h2 { font-size: 1.2rem; margin: 0 0 .8rem; letter-spacing: -.005em; }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
h1 .id { font-size: .85em; white-space: nowrap; }
p { margin: .3rem 0 .6rem; max-width: 75ch; }
ul, ol { padding-left: 1.2rem; margin: .2rem 0 .6rem; }
.id, .code, .stamp, time, code { font-family: var(--code); font-size: max(12px, .87em); }
h3 .id { font-weight: normal; color: var(--minor); }
.minor, .after { color: var(--minor); font-size: max(12px, .87em); }
.none { color: var(--minor); }
.eyebrow { color: var(--minor); margin: 0; }
.lead { font-size: 1.05rem; margin: 0 0 1.2rem; }
.status {
  display: inline-block; margin: 0 0 .8rem; padding: .2rem .75rem; border-radius: 1rem; border: 1px solid currentColor;
  font-weight: 650;
}
.status.recovered { color: var(--good); background: var(--good-back); }
.status.held, .status.open { color: var(--warn); background: var(--warn-back); }
.status.cancelled { color: var(--minor); background: var(--panel); }
.callout {
  border: 1px solid var(--warn); border-left-width: .4rem; background: var(--warn-back); border-radius: .4rem;
  padding: .7rem 1rem .3rem; margin: 0 0 1rem;
}
.cards { display: grid; grid-template-columns: repeat(6, 1fr); gap: .75rem; margin: 0 0 1.2rem; }
.card { background: var(--panel); border: 1px solid var(--edge); border-radius: .5rem; padding: .7rem .9rem; }
.card dt { color: var(--minor); font-size: .87em; }
.card dd { margin: 0; font-size: .87em; color: var(--minor); line-height: 1.4; }
.card .value { font-size: 1.3rem; font-weight: 650; color: var(--text); line-height: 1.25; margin: .1rem 0 .25rem; }
nav ul { display: flex; flex-wrap: wrap; gap: .2rem 1.1rem; list-style: none; padding: 0; margin: 0 0 1.2rem; }
nav a { display: inline-block; padding: .2rem 0; }
section { background: var(--panel); border: 1px solid var(--edge); border-radius: .5rem; padding: 1.2rem 1.4rem; margin: 0 0 1.2rem; }
figure { margin: 0; }
figcaption { color: var(--minor); font-size: .87em; margin: 0 0 .8rem; }
.canvas { padding: 0 10px; }
.picture { display: block; overflow: visible; }
.picture text { font-size: 13px; fill: var(--minor); paint-order: stroke; stroke: var(--panel); stroke-width: 4px; stroke-linejoin: round; }
.picture .name { fill: var(--text); font-weight: 600; }
.axis line { stroke: var(--edge); }
.axis .cut { fill: var(--track); opacity: .75; }
.track { stroke: var(--edge); }
.bar { fill: var(--work); }
.bar.assess { fill: var(--quiet); }
.bar.away { fill: var(--away); }
.bar.held { fill: var(--warn); }
.bar.goes-on { stroke: var(--text); stroke-width: 1.5px; stroke-dasharray: 5 4; fill-opacity: .65; }
.mark { stroke: var(--text); stroke-width: 2px; fill: none; }
.mark.signal { fill: var(--panel); }
.mark.order { fill: var(--warn-back); stroke: var(--warn); }
.mark.odd { stroke: var(--bad); stroke-width: 2.5px; }
.pin circle { fill: var(--panel); stroke: var(--text); stroke-width: 1.5px; }
.picture .pin text { fill: var(--text); font-size: 12px; font-weight: 600; stroke: none; }
.milestones { list-style: none; padding: 0; margin: 1rem 0 0; counter-reset: pin; columns: 2; column-gap: 2.5rem; }
.milestones li { counter-increment: pin; position: relative; padding: 0 0 .45rem 2rem; break-inside: avoid; }
.milestones li::before {
  content: counter(pin); position: absolute; left: 0; top: .1rem; width: 1.4rem; height: 1.4rem; border: 1.5px solid;
  border-radius: 50%; text-align: center; font-size: 12px; font-weight: 600; line-height: 1.25rem;
}
.milestones .says { font-weight: 600; }
.milestones time { color: var(--minor); display: block; }
.odd { list-style: none; padding: 0; }
.odd li { padding: .25rem 0; }
.tag { display: inline-block; font-size: 12px; border: 1px solid currentColor; border-radius: .3rem; padding: 0 .4rem; color: var(--minor); }
.grave .tag { color: var(--bad); background: var(--bad-back); font-weight: 650; }
.mild .tag { color: var(--warn); background: var(--warn-back); }
.pair { display: grid; grid-template-columns: 1fr 1fr; gap: 2rem; }
.pair h3 { margin-top: .4rem; }
.chain { list-style: none; padding: 0; margin: .8rem 0; }
.chain li { display: flex; gap: .8rem; position: relative; padding-bottom: .6rem; }
.chain li:not(:last-child)::after { content: ""; position: absolute; left: .75rem; top: 1.7rem; bottom: .1rem; border-left: 2px solid var(--edge); }
.chain .sign { flex: none; width: 1.6rem; height: 1.6rem; border-radius: 50%; text-align: center; line-height: 1.6rem; font-weight: 700; }
.chain .good .sign { color: var(--good); background: var(--good-back); }
.chain .bad .sign { color: var(--bad); background: var(--bad-back); }
.chain .bad strong { color: var(--bad); }
.chain p { margin: 0; }
.wide { overflow-x: auto; margin: .6rem 0 0; }
table { border-collapse: collapse; width: 100%; }
caption { text-align: left; color: var(--minor); font-size: .87em; padding-bottom: .4rem; }
th { text-align: left; white-space: nowrap; font-size: .8rem; color: var(--minor); font-weight: 600; border-bottom: 1px solid var(--edge); }
th, td { padding: .45rem .9rem .45rem 0; vertical-align: top; }
td { border-bottom: 1px solid var(--track); font-size: .93em; overflow-wrap: break-word; }
td.code, td .id, td .minor { overflow-wrap: anywhere; }
td:last-child, th:last-child { padding-right: 0; }
tr:last-child td { border-bottom: 0; }
time, .stamp, .short, .after { white-space: nowrap; }
td time { font-size: 12px; }
td.code, td .id, td .stamp { font-family: var(--code); font-size: 12px; }
tr:target td { background: var(--warn-back); }
tr.warn td:first-child, tr.bad td:first-child { box-shadow: inset 3px 0 var(--warn); padding-left: .7rem; }
tr.bad td:first-child { box-shadow: inset 3px 0 var(--bad); }
.terms { margin: 0; }
.terms div { display: grid; grid-template-columns: 12rem 1fr; gap: 1rem; padding: .25rem 0; }
.terms dt { color: var(--minor); }
.terms dd { margin: 0; }
@media (max-width: 1100px) { .cards { grid-template-columns: repeat(3, 1fr); } }
@media (max-width: 720px) {
  body { padding: 1rem .75rem 3rem; }
  h1 { font-size: 1.45rem; }
  .cards { grid-template-columns: 1fr 1fr; }
  section { padding: 1rem .9rem; }
  .pair { grid-template-columns: 1fr; gap: 0; }
  .milestones { columns: 1; }
  .terms div { grid-template-columns: 1fr; gap: 0; }
  table, tbody, tr, td, caption { display: block; }
  thead { position: absolute; clip-path: inset(50%); width: 1px; height: 1px; overflow: hidden; }
  tr { border-top: 1px solid var(--edge); padding: .6rem 0; }
  td { display: grid; grid-template-columns: 6.5rem minmax(0, 1fr); overflow-wrap: anywhere; gap: .6rem; border: 0; padding: .12rem 0; }
  td::before { content: attr(data-label); color: var(--minor); font: .8rem/1.5 system-ui, "DejaVu Sans", sans-serif; }
  tr.warn, tr.bad { box-shadow: inset 3px 0 var(--warn); padding-left: .7rem; }
  tr.bad { box-shadow: inset 3px 0 var(--bad); }
  tr.warn td:first-child, tr.bad td:first-child { box-shadow: none; padding-left: 0; }
}
@media print {
  :root {
    --page: #ffffff; --panel: #ffffff; --edge: #c4cad2; --text: #000000; --minor: #454d57; --link: #000000;
    --work: #2f6fb3; --quiet: #7d8896; --track: #e6e9ee; --away: #b5443c; --good: #11693a; --good-back: #ffffff;
    --warn: #7f4d00; --warn-back: #ffffff; --bad: #a3201d; --bad-back: #ffffff;
  }
  body { font-size: 10pt; padding: 0; max-width: none; }
  nav { display: none; }
  section { border: 0; border-top: 1px solid var(--edge); border-radius: 0; padding: .8rem 0; }
  tr, .card, .chain li, figure { break-inside: avoid; }
  h2, h3, caption { break-after: avoid; }
  .wide { overflow: visible; }
  .bar, .axis .cut { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
</style>`;
