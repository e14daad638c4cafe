import type { InstanceId, VolumeId } from './ids.ts';

/** What kind of news it is. */
export type NoteKind =
  /** EC2 could not attach a volume, or attach it again when the machine started: mostly its key. */
  | 'attach-failed'
  | 'volume-deleted'
  | 'volume-lost'
  | 'volume-degraded'
  /** AWS looks into something and has not said yet that it fails. */
  | 'investigation'
  /** An issue of a whole region or zone, named by AWS for everybody. */
  | 'public-issue'
  /** A code of AWS Health that no version of this service has heard of. */
  | 'unknown-code';

/** Something people should hear of and no failover would mend. Nothing is ever changed for it. */
export interface Note {
  readonly about: NoteKind;
  /** For people. */
  readonly says: string;
  /** What it names; with none of ours among them it is no news here. Both empty: it is everybody's. */
  readonly instanceIds: readonly InstanceId[];
  readonly volumeIds: readonly VolumeId[];
}
