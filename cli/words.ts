import type { Paint } from './terminal.ts';

/** `21:00:05`; times are UTC, as in AWS. */
export const timeOf = (at: number): string => new Date(at).toISOString().slice(11, 19);

/** `2026-11-22 21:00:05 UTC` */
export const momentOf = (at: number): string =>
  `${new Date(at).toISOString().slice(0, 19).replace('T', ' ')} UTC`;

/** `3.2 s`, `4 min`, `5 h`, `12 d` */
export const spanOf = (ms: number): string => {
  const seconds = ms / 1000;
  if (seconds < 100) return `${seconds.toFixed(1)} s`;
  if (seconds < 6_000) return `${Math.round(seconds / 60)} min`;
  const hours = Math.round(seconds / 3600);
  return hours < 100 ? `${hours} h` : `${Math.round(hours / 24)} d`;
};

/** Since when, for people: `4 min ago`. */
export const agoOf = (at: number, now: number): string => {
  const seconds = Math.max(0, Math.round((now - at) / 1000));
  return seconds < 100 ? `${seconds} s ago` : `${spanOf(now - at)} ago`;
};

/** What is well is green, what needs people is red, what is under way is yellow. */
export const colourOf = (word: string, paint: Paint): string => {
  if (/^(?:running|active|ok|recovered|owned|accepted)$/.test(word)) return paint.green(word);
  if (/^(?:held|impaired|unknown|unread|lost|refused|terminated|inactive|not-listed)$/.test(word)) {
    return paint.red(word);
  }
  return /^(?:cancelled|none)$/.test(word) ? paint.dim(word) : paint.yellow(word);
};
