import { type InstanceId, isInstanceId, isVolumeId, type VolumeId } from '../../domain/ids.ts';
import type { EventContext } from './event.ts';

const arn =
  /^arn:aws[a-z-]*:ec2:(?<region>[^:]*):(?<account>[^:]*):(?<kind>instance|volume)\/(?<id>.+)$/;

/**
 * The id in a bare id or an ARN; both are documented. An ARN of another account, region or kind
 * names nothing here.
 */
const idIn = (text: string, kind: string, context: EventContext): string | undefined => {
  const found = arn.exec(text)?.groups;
  if (found === undefined) return text;
  const isHere = found.account === context.account && found.region === context.region;
  return isHere && found.kind === kind ? found.id : undefined;
};

/** The instance of this account and region that a text names. */
export const instanceNamed = (text: string, context: EventContext): InstanceId | undefined => {
  const id = idIn(text, 'instance', context);
  return id !== undefined && isInstanceId(id) ? id : undefined;
};

/** The volume of this account and region that a text names. */
export const volumeNamed = (text: string, context: EventContext): VolumeId | undefined => {
  const id = idIn(text, 'volume', context);
  return id !== undefined && isVolumeId(id) ? id : undefined;
};
