import { type Html, html, type Part } from './html.ts';

export interface Column {
  readonly title: string;
  /** Ids and times: one width for every letter. */
  readonly isCode?: boolean;
  /** Numbers with their units stay on one line. */
  readonly isShort?: boolean;
}

export interface Row {
  readonly id?: string;
  readonly mark?: 'bad' | 'warn' | 'now';
  readonly cells: readonly Part[];
}

/**
 * A table that is a list of cards where there is no room for columns. The roles are spelled out
 * because a table that is laid out as blocks is no table to a screen reader.
 */
export const table = (
  caption: string,
  columns: readonly Column[],
  rows: readonly Row[],
): Html => html`
<div class="wide"><table role="table">
<caption>${caption}</caption>
<thead role="rowgroup"><tr role="row">${columns.map(
  ({ title }) => html`<th role="columnheader" scope="col">${title}</th>`,
)}</tr></thead>
<tbody role="rowgroup">${rows.map(
  ({ cells, id, mark }) => html`
<tr role="row"${id !== undefined && html` id="${id}"`}${mark !== undefined && html` class="${mark}"`}>${columns.map(
    ({ isCode, isShort, title }, i) =>
      html`<td role="cell" data-label="${title}"${isCode === true && html` class="code"`}${isShort === true && html` class="short"`}><div>${cells[i]}</div></td>`,
  )}</tr>`,
)}
</tbody></table></div>`;

/** A part of the page with a heading, which links can lead to. */
export const section = (id: string, title: string, ...parts: readonly Part[]): Html => html`
<section id="${id}" aria-labelledby="${id}-title">
<h2 id="${id}-title">${title}</h2>
${parts}
</section>`;

/** Said where there is nothing to show, so that nobody looks for it. */
export const none = (says: string): Html => html`<p class="none">${says}</p>`;
