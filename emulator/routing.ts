import type { WireRequest } from './core/wire.ts';
import { isFunctionUrl } from './services/lambda/function-urls.ts';

/** Where a request goes: the emulated service, and the operation it asks for, for the call log. */
export interface Route {
  service: ServiceName;
  /** `StopInstances`, `UpdateItem`, `MARK_AGENT_GONE`, `DELETE /v2/queue/{app}/delay`, ... */
  operation: string;
}

export type ServiceName =
  | 'ec2'
  | 'autoscaling'
  | 'dynamodb'
  | 'states'
  | 'events'
  | 'scheduler'
  | 'lambda'
  | 'secretsmanager'
  | 'sns'
  | 'sqs'
  | 'sts'
  | 'mesos'
  | 'marathon'
  | 'agent'
  | 'dcos'
  | 'slack';

const AWS_SERVICES: Record<string, ServiceName> = {
  ec2: 'ec2',
  autoscaling: 'autoscaling',
  dynamodb: 'dynamodb',
  ddb: 'dynamodb',
  states: 'states',
  events: 'events',
  scheduler: 'scheduler',
  lambda: 'lambda',
  secretsmanager: 'secretsmanager',
  sns: 'sns',
  sqs: 'sqs',
  sts: 'sts',
};

const TARGET_PREFIXES: Record<string, ServiceName> = {
  DynamoDB_20120810: 'dynamodb',
  AWSStepFunctions: 'states',
  AWSEvents: 'events',
  secretsmanager: 'secretsmanager',
  AmazonSQS: 'sqs',
};

/** From `Credential=AKID/20261122/us-east-1/ec2/aws4_request`, in the header or a signed URL. */
export const credentialOf = (
  request: WireRequest,
): { accessKeyId: string; region: string; service: string } | undefined => {
  const { authorization = '' } = request.headers;
  const scope =
    /Credential=([^,\s]+)/.exec(authorization)?.[1] ??
    new URL(request.url).searchParams.get('X-Amz-Credential') ??
    undefined;
  const parts = scope?.split('/') ?? [];
  if (parts.length < 5) return undefined;
  // An access key id may not hold a slash, the last four parts are fixed.
  const [accessKeyId = '', , region = '', service = ''] = parts;
  return { accessKeyId, region, service };
};

/** Variable parts of a path would scatter one kind of call over many lines of the log. */
const PATH_SHAPES: [RegExp, string][] = [
  [/^\/v2\/apps\/+(.+)\/tasks\/[^/]+$/, '/v2/apps/{app}/tasks/{task}'],
  [/^\/v2\/apps\/+(.+)\/tasks$/, '/v2/apps/{app}/tasks'],
  [/^\/v2\/apps\/+(.+)\/restart$/, '/v2/apps/{app}/restart'],
  [/^\/v2\/apps\/+(.+)$/, '/v2/apps/{app}'],
  [/^\/v2\/queue\/+(.+)\/delay$/, '/v2/queue/{app}/delay'],
  [/^\/v2\/deployments\/[^/]+$/, '/v2/deployments/{id}'],
];

const shapeOf = (path: string): string =>
  PATH_SHAPES.find(([pattern]) => pattern.test(path))?.[1] ?? path;

const dcosRoute = (request: WireRequest, path: string): Route => {
  const marathon = /^\/(?:service\/)?marathon(\/.*)$/.exec(path)?.[1];
  if (marathon) return { service: 'marathon', operation: `${request.method} ${shapeOf(marathon)}` };
  if (path.startsWith('/mesos')) {
    const call = /"type"\s*:\s*"([A-Z_]+)"/.exec(request.body)?.[1];
    return { service: 'mesos', operation: call ?? `${request.method} ${path.slice(6)}` };
  }
  if (path.startsWith('/agent/')) {
    return { service: 'agent', operation: `${request.method} /agent/{agentId}` };
  }
  return { service: 'dcos', operation: `${request.method} ${path}` };
};

/** Those that name the operation in the form, as `Action`. */
const QUERY_SERVICES: readonly ServiceName[] = ['ec2', 'autoscaling', 'sns', 'sts'];

const awsOperation = (service: ServiceName, request: WireRequest, path: string): string => {
  const { 'x-amz-target': target } = request.headers;
  if (target) return target.slice(target.lastIndexOf('.') + 1);
  if (QUERY_SERVICES.includes(service)) {
    const query = request.body || new URL(request.url).search.slice(1);
    return new URLSearchParams(query).get('Action') ?? 'none';
  }
  return service === 'lambda' && path.endsWith('/invocations')
    ? 'Invoke'
    : `${request.method} ${path}`;
};

/** Of the query protocols the version tells the service. */
const QUERY_VERSIONS: Record<string, ServiceName> = {
  '2010-03-31': 'sns',
  '2011-01-01': 'autoscaling',
  '2011-06-15': 'sts',
};

const isLocal = (host: string): boolean => host === '127.0.0.1' || host === 'localhost';

/** On the one local port the host says nothing: the signature, the target or the path does. */
const localService = (request: WireRequest): ServiceName | undefined => {
  const signed = AWS_SERVICES[credentialOf(request)?.service ?? ''];
  if (signed) return signed;
  const { 'x-amz-target': target = '' } = request.headers;
  const targeted = TARGET_PREFIXES[target.split('.')[0] ?? ''];
  if (targeted) return targeted;
  const query = new URLSearchParams(request.body || new URL(request.url).search.slice(1));
  const version = query.get('Version');
  if (query.has('Action')) return QUERY_VERSIONS[version ?? ''] ?? 'ec2';
  return undefined;
};

/** The few addresses that everybody asks again and again, taken apart once. */
const places = new Map<string, Pick<URL, 'hostname' | 'host' | 'pathname'>>();
const PLACES_MAX = 1_000;

const placeOf = (url: string): Pick<URL, 'hostname' | 'host' | 'pathname'> => {
  const known = places.get(url);
  if (known) return known;
  const { hostname, host, pathname } = new URL(url);
  const place = { hostname, host, pathname };
  if (places.size >= PLACES_MAX) places.clear();
  places.set(url, place);
  return place;
};

const DCOS_PATH = /^\/(service\/|marathon\/|mesos\b|agent\/|dcos-metadata\/|acs\/)/;

/**
 * The one router of the emulated network: by public host name (`ec2.us-east-1.amazonaws.com`,
 * `slack.com`, the cluster's own name), or for `127.0.0.1` and `localhost` by SigV4 service,
 * `X-Amz-Target`, or path. Undefined when nobody of that name exists here.
 */
export const createRouter =
  (world: { region: string; dcosHost: string }) =>
  (request: WireRequest): Route | undefined => {
    const { hostname, host, pathname } = placeOf(request.url);
    if (hostname === 'slack.com' || (isLocal(hostname) && pathname.startsWith('/slack/'))) {
      return { service: 'slack', operation: pathname.slice(pathname.lastIndexOf('/') + 1) };
    }
    if (hostname === 'hooks.slack.com') return { service: 'slack', operation: 'response_url' };
    if (isFunctionUrl(hostname, pathname, isLocal(hostname))) {
      return { service: 'lambda', operation: 'InvokeFunctionUrl' };
    }
    if (host === world.dcosHost || (isLocal(hostname) && DCOS_PATH.test(pathname))) {
      return dcosRoute(request, pathname);
    }
    const aws = /^(?:\d{12}\.)?([a-z0-9-]+)\.([a-z0-9-]+)\.amazonaws\.com$/.exec(hostname);
    const service = isLocal(hostname)
      ? localService(request)
      : aws?.[2] === world.region
        ? AWS_SERVICES[aws[1] ?? '']
        : undefined;
    return service && { service, operation: awsOperation(service, request, pathname) };
  };
