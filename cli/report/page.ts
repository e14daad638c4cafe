import type { IncidentDocument } from '../../src/contracts/incident-document.ts';
import { evidence, people, proof } from './evidence.ts';
import { html } from './html.ts';
import { pictureOf } from './picture.ts';
import { about, calls, ledger, machine, timeline } from './records.ts';
import { style } from './style.ts';
import { callouts, header, keyFacts, oddities, result, titleOf } from './summary.ts';
import { section } from './table.ts';

/** Nothing is fetched and nothing runs, wherever the page is opened. */
const policy =
  "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

const contents = [
  ['course', 'Course'],
  ['unusual', 'Unusual'],
  ['result', 'Apps'],
  ['evidence', 'Evidence'],
  ['proof', 'Proof'],
  ['people', 'People'],
  ['ledger', 'Ledger'],
  ['calls', 'Calls'],
  ['timeline', 'Timeline'],
  ['machine', 'Machine'],
] as const;

/** One incident as a page that needs nothing beside itself: HTML, whole. */
export const pageOf = (shown: IncidentDocument): string =>
  html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>${titleOf(shown)} (${shown.cluster})</title>
${style}
</head>
<body>
${header(shown)}
<main id="main">
${callouts(shown)}
${keyFacts(shown)}
<nav aria-label="Parts of the report"><ul>${contents.map(
    ([id, title]) => html`<li><a href="#${id}">${title}</a></li>`,
  )}</ul></nav>
${section('course', 'Course', pictureOf(shown))}
${oddities(shown)}
${result(shown)}
${evidence(shown)}
${proof(shown)}
${people(shown)}
${ledger(shown)}
${calls(shown)}
${timeline(shown)}
${machine(shown)}
</main>
<footer>
${about(shown)}
</footer>
</body>
</html>
`.markup;
