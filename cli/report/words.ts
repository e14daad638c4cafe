import { type Html, html } from './html.ts';

/** `2026-11-22T21:00:05.123Z` */
export const isoOf = (at: number): string => new Date(at).toISOString();

/** A moment, for people and for programs. */
export const timeOf = (at: number): Html => {
  const iso = isoOf(at);
  return html`<time datetime="${iso}">${iso}</time>`;
};

const inUnits = (ms: number): string => {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${(ms / 1_000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1_000);
  const minutes = Math.round(ms / 60_000);
  const hours = Math.round(ms / 3_600_000);
  if (seconds < 3_600) return join(seconds, 60, 'min', 's');
  if (minutes < 48 * 60) return join(minutes, 60, 'h', 'min');
  return join(hours, 24, 'd', 'h');
};

const join = (count: number, size: number, unit: string, rest: string): string => {
  const left = count % size;
  return `${Math.floor(count / size)} ${unit}${left === 0 ? '' : ` ${left} ${rest}`}`;
};

/** `84 ms`, `12.5 s`, `3 min 40 s`, `5 h 12 min`, `3 d 4 h` */
export const durationOf = (ms: number): string => (ms < 0 ? `−${inUnits(-ms)}` : inUnits(ms));

/** `+12.5 s`, `−4 min`: from another moment. */
export const offsetOf = (ms: number): string =>
  ms === 0 ? '0 s' : `${ms < 0 ? '' : '+'}${durationOf(ms)}`;

/** `3 volumes`, `1 volume` */
export const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;
