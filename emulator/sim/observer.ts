import { unmarshall } from '@aws-sdk/util-dynamodb';
import type { Caller, Service, WireRequest, WireResponse } from '../core/wire.ts';
import type { Call } from '../network.ts';
import type { ServiceName } from '../routing.ts';
import type { MemoryHooks } from '../services/dynamodb/memory-engine.ts';
import type { World } from '../world.ts';
import { instancesIn, unknownVolumeIn, volumesIn } from './ec2-answers.ts';
import type { By, EventOf, SimEvent } from './events.ts';
import { createGround } from './ground.ts';
import { foretoldIn } from './rules/announced.ts';

type Json = Record<string, unknown>;

const READ = /^(?:Describe|Get|List|Query|GET|Scan|BatchGet)/;

/** Signing in changes nothing that is anybody's. */
const LOGIN = /^POST \/acs\//;

/** What a read tells about, as far as the invariants ask. */
const READS_OF: Partial<Record<string, EventOf<'read'>['of']>> = {
  DescribeInstances: 'instances',
  DescribeInstanceStatus: 'checks',
  DescribeVolumes: 'volumes',
  DescribeVolumeStatus: 'conditions',
  DescribeAutoScalingInstances: 'plans',
  DescribeSpotInstanceRequests: 'plans',
  GET_AGENTS: 'agents',
  'GET /slaves': 'agents',
  'GET /state': 'agents',
  GetItem: 'ledger',
  Query: 'ledger',
};

/** Variable parts of a path stand in braces in the call log and not at all in the audit. */
const callName = (operation: string): string => operation.replaceAll(/\/\{[^}]+\}/g, '');

const fieldsOf = (request: WireRequest): Record<string, string> => {
  const type = request.headers['content-type'] ?? '';
  if (type.startsWith('application/x-www-form-urlencoded')) {
    return Object.fromEntries(new URLSearchParams(request.body));
  }
  return {};
};

const TARGETS =
  /^(?:(?:InstanceId|VolumeId|ResourceId|AutoScalingGroupName)(?:s?\.member)?(?:\.\d+)?|.+\.Ebs\.VolumeId)$/;

/** What a mutation acts on: ids in a form, an agent id in a body, an app in a path. */
const targetsOf = (request: WireRequest, fields: Record<string, string>): string[] => {
  const ids = Object.entries(fields).flatMap(([name, value]) =>
    TARGETS.test(name) ? [value] : [],
  );
  if (ids.length > 0) return ids;
  const agentId = /"agent_id"\s*:\s*\{\s*"value"\s*:\s*"([^"]+)"/.exec(request.body)?.[1];
  return agentId === undefined ? [decodeURIComponent(new URL(request.url).pathname)] : [agentId];
};

const MUTATED: readonly ServiceName[] = ['ec2', 'autoscaling', 'mesos', 'marathon', 'dcos'];

/** Neither an item nor news moves a machine. */
const STILL: readonly ServiceName[] = ['dynamodb', 'events'];

const isOk = ({ status }: WireResponse): boolean => status >= 200 && status < 300;

const parse = (text: string): Json => JSON.parse(text || '{}') as Json;

/** What an answer said, as far as the invariants ask; undefined: nothing. */
const servedIn = (
  of: EventOf<'read'>['of'],
  operation: string,
  request: WireRequest,
  response: WireResponse,
): Partial<EventOf<'read'>> | undefined => {
  const { body } = response;
  const unknown = of === 'conditions' ? unknownVolumeIn(request, response) : undefined;
  if (unknown !== undefined) return { unknown };
  if (!isOk(response)) return undefined;
  const impaired = of === 'checks' && body.includes('<status>impaired</status>');
  const foretold = foretoldIn(operation, body);
  return {
    instances: of === 'instances' ? instancesIn(body) : [],
    volumes: of === 'volumes' ? volumesIn(body) : [],
    ...(impaired && { impaired }),
    ...(foretold.length > 0 && { foretold }),
  };
};

const ledgerWrite = (
  operation: string,
  request: WireRequest,
  response: WireResponse,
): { pk: string; sk: string; item?: Json } | undefined => {
  const body = parse(request.body) as { Item?: never; Key?: never };
  if (operation === 'PutItem' && body.Item) {
    const item = unmarshall(body.Item) as Json & { pk: string; sk: string };
    return { pk: item.pk, sk: item.sk, item };
  }
  if (!body.Key) return undefined;
  const { pk, sk } = unmarshall(body.Key) as { pk: string; sk: string };
  if (operation === 'DeleteItem') return { pk, sk };
  const { Attributes } = parse(response.body) as { Attributes?: never };
  if (operation !== 'UpdateItem' || !Attributes) return undefined;
  return { pk, sk, item: unmarshall(Attributes) as Json };
};

/** The news among the entries that the bus has taken, and not only answered. */
const newsIn = (
  request: WireRequest,
  response: WireResponse,
): Omit<EventOf<'news'>, 'at' | 'by'>[] => {
  if (!isOk(response)) return [];
  const { Entries: sent } = parse(request.body) as { Entries?: { Detail: string }[] };
  const { Entries: taken } = parse(response.body) as { Entries?: { EventId?: string }[] };
  return (sent ?? []).flatMap(({ Detail }, index) => {
    const { hold, incidentId, phase } = parse(Detail) as { hold?: Json } & Json;
    if (taken?.[index]?.EventId === undefined || phase === undefined) return [];
    const reason = hold?.reason === undefined ? {} : { holdReason: String(hold.reason) };
    return [{ kind: 'news', phase: String(phase), incidentId: String(incidentId), ...reason }];
  });
};

export interface Observer {
  /** A read that a fault answered in the service's place. */
  served(
    read: { invocationId: string; operation: string; body: string },
    answer: WireResponse,
  ): void;
}

/**
 * Puts a witness before every service of the world. It sees each request of a function as the
 * service applied it and the answer as it was served, and beside it every change of the machines
 * themselves, in order. Nothing it does is seen by anybody.
 */
export const observe = (
  world: World,
  tell: (event: SimEvent) => void,
  clockOffMs: () => number = () => 0,
): Observer => {
  const { time, network } = world;
  const ground = createGround(world, tell);
  const taken = new WeakSet<Call>();

  /** The call-log line of the request that a service has in hand right now. */
  const openLine = (invocationId: string, service: ServiceName): Call | undefined =>
    network
      .calls()
      .findLast(
        (call) =>
          call.invocationId === invocationId &&
          call.service === service &&
          call.applied &&
          call.status === undefined &&
          !taken.has(call),
      );

  const report = (by: By, call: Call, request: WireRequest, response: WireResponse): void => {
    const { operation, service } = call;
    const at = time.now();
    const of = READS_OF[operation];
    if (of === 'ledger') {
      const consistent = parse(request.body).ConsistentRead === true;
      tell({ at, kind: 'read', by, of, consistent });
      return;
    }
    if (of !== undefined) {
      const said = servedIn(of, operation, request, response);
      if (said) tell({ at, kind: 'read', by, of, ...said });
      return;
    }
    if (service === 'dynamodb') {
      const write = isOk(response) ? ledgerWrite(operation, request, response) : undefined;
      if (write) tell({ at, kind: 'ledger', by, ...write });
      return;
    }
    if (service === 'events') {
      for (const one of newsIn(request, response)) tell({ at, by, ...one });
    }
    if (!MUTATED.includes(service) || READ.test(operation) || LOGIN.test(operation)) return;
    const params = fieldsOf(request);
    const targets = targetsOf(request, params);
    const accepted = isOk(response);
    tell({ at, kind: 'mutation', by, call: callName(operation), targets, params, accepted });
  };

  const watched = (name: ServiceName, inner: Service): Service => ({
    handle: (request: WireRequest, caller: Caller) => {
      const { invocationId } = caller;
      const call = invocationId === undefined ? undefined : openLine(invocationId, name);
      if (call === undefined || invocationId === undefined) return inner.handle(request, caller);
      taken.add(call);
      const offMs = clockOffMs();
      const by: By = {
        invocationId,
        functionName: call.functionName ?? '',
        wire: call,
        ...(offMs === 0 ? {} : { clockOffMs: offMs }),
      };
      ground.look(false);
      const done = (response: WireResponse): WireResponse => {
        report(by, call, request, response);
        ground.look(!STILL.includes(name) && !READ.test(call.operation));
        return response;
      };
      const answer = inner.handle(request, caller);
      return answer instanceof Promise ? answer.then(done) : done(answer);
    },
  });

  for (const name of ['ec2', 'autoscaling', 'dynamodb', 'events'] as const) {
    world.attach(name, watched(name, world[name]));
  }
  for (const part of ['mesos', 'marathon', 'agent', 'dcos'] as const) {
    world.attach(part, watched(part, world.dcos));
  }
  return {
    served: ({ invocationId, operation, body }, answer) => {
      const call = network
        .calls()
        .findLast((c) => c.invocationId === invocationId && c.operation === operation);
      if (call === undefined) return;
      const by = { invocationId, functionName: call.functionName ?? '', wire: call };
      report(by, call, { method: 'POST', url: '', headers: {}, body }, answer);
    },
  };
};

/** Tells what people write into the tables, past every function. */
export const observePeople = (
  tables: MemoryHooks,
  time: World['time'],
  tell: (event: SimEvent) => void,
): void => {
  tables.onAccess = (access) => {
    if (access.kind !== 'write' || access.caller.invocationId !== undefined) return;
    if (access.after === undefined) return;
    const at = time.now();
    const item = unmarshall(access.after as never) as Json;
    const by: By = { invocationId: `a person at ${at}`, functionName: '', wire: { at } };
    tell({ at, kind: 'ledger', by, pk: String(item.pk), sk: String(item.sk), item });
  };
};
