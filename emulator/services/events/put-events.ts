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

const busName = (nameOrArn: string): string => nameOrArn.slice(nameOrArn.lastIndexOf('/') + 1);

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
 * names are refused: only AWS speaks in its name.
 */
export const createPutEvents = (deps: {
  time: Time;
  rng: Rng;
  infra: Infra;
  iam: Iam;
  route: (event: AwsEvent, bus: string) => void;
}): Operation => {
  const { infra, iam, route } = deps;
  const { account, region } = infra;
  const buses = [DEFAULT_BUS, ...infra.ofType('AWS::Events::EventBus').map(({ ref }) => ref)];
  const awsEvent = createEventFactory({ ...deps, account, region });

  const put = (entry: JsonInput): object => {
    const fail = (ErrorCode: string, ErrorMessage: string) => ({ ErrorCode, ErrorMessage });
    const { Source: source, DetailType: detailType, Resources = [], Time: at } = entry;
    if (typeof source !== 'string' || typeof detailType !== 'string') {
      return fail('InvalidArgument', 'Parameter Source or DetailType is not valid.');
    }
    if (source.startsWith('aws.')) {
      return fail('NotAuthorizedForSourceException', `Not authorized for the source ${source}`);
    }
    const bus = busName(String(entry.EventBusName ?? DEFAULT_BUS));
    if (!buses.includes(bus)) {
      return fail('ResourceNotFoundException', `Event bus ${bus} does not exist.`);
    }
    const detail = tryParse(String(entry.Detail ?? '{}'))?.value;
    if (!isObject(detail)) return fail('MalformedDetail', 'Detail is malformed.');
    const event = awsEvent({ source, detailType, resources: Resources as string[], detail });
    if (typeof at === 'number') event.time = isoSeconds(at * 1000);
    route(event, bus);
    return { EventId: event.id };
  };

  return (input, caller) => {
    const entries = entriesOf(input);
    const targets = entries.map(({ EventBusName }) => ({
      arn: `arn:aws:events:${region}:${account}:event-bus/${busName(String(EventBusName ?? DEFAULT_BUS))}`,
    }));
    const why = iam.denial('events:PutEvents', targets, caller);
    if (why) throw new JsonRefusal('AccessDeniedException', why);
    const results = entries.map(put);
    const failures = results.filter((result) => 'ErrorCode' in result);
    return { FailedEntryCount: failures.length, Entries: results };
  };
};
