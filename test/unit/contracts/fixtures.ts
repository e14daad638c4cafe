import { readdirSync, readFileSync } from 'node:fs';
import type { EventContext } from '../../../src/contracts/events/parse-event.ts';
import type { EpochMs } from '../../../src/domain/ids.ts';

const folder = new URL('../../fixtures/events/', import.meta.url);

/** Names of the sample events, without `.json`. */
export const fixtureNames: readonly string[] = readdirSync(folder).map((file) =>
  file.replace(/\.json$/, ''),
);

/** The document with another value, or with `undefined` none, in one place. */
export const planted = (document: unknown, path: readonly string[], value: unknown): unknown => {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (typeof document !== 'object' || document === null) return document;
  const entries = new Map(Object.entries(document));
  const inner = planted(entries.get(key), rest, value);
  if (inner === undefined) entries.delete(key);
  else entries.set(key, inner);
  return Array.isArray(document) ? [...entries.values()] : Object.fromEntries(entries);
};

/** A sample event, with the values at these dotted paths replaced, added or (undefined) left out. */
export const fixture = (name: string, changes: Record<string, unknown> = {}): unknown =>
  Object.entries(changes).reduce<unknown>(
    (document, [path, value]) => planted(document, path.split('.'), value),
    JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8')),
  );

/** The deployment the samples were made for, a few seconds after they were sent. */
export const here: EventContext = {
  account: '210987654321',
  region: 'eu-central-1',
  receivedAt: Date.parse('2026-10-05T08:15:45Z') as EpochMs,
};
export const instanceId = 'i-0a1b2c3d4e5f60718';
export const otherInstanceId = 'i-0b2c3d4e5f6071829';
