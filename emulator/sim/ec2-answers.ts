import type { WireRequest, WireResponse } from '../core/wire.ts';
import type { SeenInstance, SeenVolume } from './events.ts';

/**
 * Reads answers of the emulated EC2, which this simulator judges thousands of times a second: the
 * order of elements is the emulator's own, so a pattern does what a parser of XML would do. An
 * answer in which it does not find everything is an error, never a shorter list.
 */
const INSTANCE =
  /<instanceId>([^<]+)<\/instanceId>.*?<instanceState><code>\d+<\/code><name>([^<]+)<.*?<launchTime>([^<]+)</gs;
const VOLUME =
  /<volumeId>([^<]+)<\/volumeId><size>.*?<status>([^<]+)<.*?<attachmentSet(?:\/>|>(.*?)<\/attachmentSet>)/gs;
const HOLDER = /<instanceId>([^<]+)</g;

const countOf = (xml: string, text: string): number => xml.split(text).length - 1;

const complete = <T>(found: T[], xml: string, mark: string): T[] => {
  const expected = countOf(xml, mark);
  if (found.length === expected) return found;
  throw new SyntaxError(`${found.length} of ${expected} ${mark} were read`);
};

/** The instances an answer of DescribeInstances shows, as its reader sees them. */
export const instancesIn = (xml: string): SeenInstance[] => {
  const found = [...xml.matchAll(INSTANCE)].map(([, instanceId = '', state = '', launch = '']) => ({
    instanceId,
    state,
    launchTime: Date.parse(launch),
  }));
  return complete(found, xml, '<instanceState>');
};

/** The same for DescribeVolumes; holders are all attachments, whatever their state. */
export const volumesIn = (xml: string): SeenVolume[] => {
  const found = [...xml.matchAll(VOLUME)].map(([, volumeId = '', state = '', attached = '']) => ({
    volumeId,
    state,
    holders: [...attached.matchAll(HOLDER)].map(([, instanceId = '']) => instanceId),
  }));
  return complete(found, xml, '<attachmentSet');
};

/** The one volume that was asked for, if EC2 answers that it knows none of this id. */
export const unknownVolumeIn = (
  request: Pick<WireRequest, 'body'>,
  response: Pick<WireResponse, 'body'>,
): string | undefined => {
  const ids = [...new URLSearchParams(request.body)].flatMap(([name, id]) =>
    name.startsWith('VolumeId') ? id : [],
  );
  return ids.length === 1 && response.body.includes('InvalidVolume.NotFound') ? ids[0] : undefined;
};
