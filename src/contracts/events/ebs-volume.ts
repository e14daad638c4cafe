import * as z from 'zod';
import type { NoteKind } from '../../domain/note.ts';
import { problemOf } from '../problem.ts';
import { type EventParser, ignored, quote, refused, Text } from './event.ts';
import { volumeNamed } from './resource.ts';

const Notification = z.object({
  // The documentation shows one with a leading space.
  event: Text.transform((name) => name.trim()),
  result: Text,
  cause: z.string().optional(),
});
/** The volume's ARN first, then that of its key; real ones may add the instance's. */
const Resources = z.array(z.string());

const known: ReadonlySet<string> = new Set([
  'attachVolume',
  'createVolume',
  'deleteVolume',
  'initializeVolume',
  'modifyVolume',
  'reattachVolume',
]);

const newsworthy: ReadonlyMap<string, NoteKind> = new Map([
  ['attachVolume failed', 'attach-failed'],
  ['reattachVolume failed', 'attach-failed'],
  ['deleteVolume deleted', 'volume-deleted'],
]);

/**
 * `EBS Volume Notification`. No event tells of a detachment, so nothing waits for these; but a
 * volume that cannot be attached any more, mostly for its key, and one that is deleted are news.
 */
export const parseEbsVolume: EventParser = (event, context) => {
  const parsed = Notification.safeParse(event.detail);
  if (!parsed.success) return refused(`malformed EBS notification: ${problemOf(parsed.error)}`);
  const { cause = '', event: name, result } = parsed.data;
  if (!known.has(name)) return refused(`${quote(name)} is no event of a volume we know`);
  const about = newsworthy.get(`${name} ${result}`);
  if (about === undefined) return ignored(`${name} ${quote(result)}: nothing waits for that`);
  const resources = Resources.safeParse(event.resources).data ?? [];
  const volumeIds = resources.flatMap((text) => volumeNamed(text, context) ?? []);
  if (volumeIds.length === 0) {
    return refused(`${name} ${quote(result)} names no volume of this account and region`);
  }
  // The ARN of a key comes first in it, and what is the matter with the key last.
  const because = cause === '' ? '' : `: ${quote(cause, 300)}`;
  const says = `EBS reports ${name} ${result} for ${volumeIds.join(', ')}${because}`;
  return { kind: 'noted', note: { about, says, instanceIds: [], volumeIds } };
};
