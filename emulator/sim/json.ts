/** What an item of the ledger holds, taken as little on trust as its types say. */

export type Json = Readonly<Record<string, unknown>>;

export const text = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : undefined;
export const list = <T>(value: unknown): T[] => (Array.isArray(value) ? (value as T[]) : []);
export const object = (value: unknown): Json =>
  typeof value === 'object' && value !== null ? (value as Json) : {};
