import { type AwsEvent, createEventFactory, isoSeconds } from '../../core/aws-event.ts';
import type { Rng } from '../../core/random.ts';
import type { Time } from '../../core/time.ts';
import type { Infra } from '../../infra.ts';
import type { Iam } from '../iam/iam.ts';
import {
  isObject,
  type JsonInput,
  JsonRefusal,
  type Operation,
  tryParse,
} from '../json-protocol.ts';

export const DEFAULT_BUS = 'default';
const REQUEST_BYTES_MAX = 262_144;
const ENTRIES_MAX = 10;

/** A bus is named by its name here, or by an ARN, which may be one of another account. */
const busArn = ({ account, region }: Infra, nameOrArn: unknown = DEFAULT_BUS): string => {
  const given = String(nameOrArn);
  return given.startsWith('arn:')
    ? given
    : `arn:aws:events:${region}:${account}:event-bus/${given}`;
};

const entriesOf = (input: JsonInput): JsonInput[] => {
  const { Entries: entries } = input;
  if (!Array.isArray(entries) || entries.length === 0 || entries.length > ENTRIES_MAX) {
    throw new JsonRefusal('ValidationException', 'Entries must hold 1 to 10 events');
  }
  if (JSON.stringify(entries).length > REQUEST_BYTES_MAX) {
    const message = 'Total size of the entries in the request is over the limit.';
    throw new JsonRefusal('PutEventsRequestEntrySizeException', message);
  }
  return entries;
};

/**
 * PutEvents: each entry succeeds or fails for itself, so a 200 may hold failures. AWS's own source
 * names are refused, unless `whyNotAsAws` finds nothing against the event.
 */
export const createPutEvents = (deps: {
  time: Time;
  rng: Rng;
  infra: Infra;
  iam: Iam;
  route: (event: AwsEvent, bus: string) => void;
  whyNotAsAws: (event: AwsEvent, bus: string) => string | undefined;
}): Operation => {
  const { infra, iam, route } = deps;
  const buses = [DEFAULT_BUS, ...infra.ofType('AWS::Events::EventBus').map(({ ref }) => ref)];
  const awsEvent = createEventFactory({ ...deps, ...infra });

  const put = (entry: JsonInput): object => {
    const fail = (ErrorCode: string, ErrorMessage: string) => ({ ErrorCode, ErrorMessage });
    const { Source: source, DetailType: detailType, Resources = [], Time: at } = entry;
    if (typeof source !== 'string' || typeof detailType !== 'string') {
      return fail('InvalidArgument', 'Parameter Source or DetailType is not valid.');
    }
    const arn = busArn(infra, entry.EventBusName);
    const bus = buses.find((name) => busArn(infra, name) === arn);
    if (bus === undefined) {
      const name = arn.slice(arn.lastIndexOf('/') + 1);
      return fail('ResourceNotFoundException', `Event bus ${name} does not exist.`);
    }
    const detail = tryParse(String(entry.Detail ?? '{}'))?.value;
    if (!isObject(detail)) return fail('MalformedDetail', 'Detail is malformed.');
    const event = awsEvent({ source, detailType, resources: Resources as string[], detail });
    if (typeof at === 'number') event.time = isoSeconds(at * 1000);
    const why = source.startsWith('aws.') ? deps.whyNotAsAws(event, bus) : undefined;
    if (why) {
      const message = `Not authorized for the source ${source}: ${why}.`;
      return fail('NotAuthorizedForSourceException', message);
    }
    route(event, bus);
    return { EventId: event.id };
  };

  return (input, caller) => {
    const entries = entriesOf(input);
    const targets = entries.map(({ EventBusName }) => ({ arn: busArn(infra, EventBusName) }));
    const why = iam.denial('events:PutEvents', targets, caller);
    if (why) throw new JsonRefusal('AccessDeniedException', why);
    const results = entries.map(put);
    const failures = results.filter((result) => 'ErrorCode' in result);
    return { FailedEntryCount: failures.length, Entries: results };
  };
};
