import { uuid } from '../../core/aws-event.ts';
import type { Rng } from '../../core/random.ts';
import type { Time } from '../../core/time.ts';
import type { WireRequest, WireResponse } from '../../core/wire.ts';
import type { FunctionSpec, Infra, JsonObject } from '../../infra.ts';
import type { Outcome } from './invocation.ts';
import type { LambdaFunctions } from './lambda.ts';

export interface FunctionUrls {
  /** `https://<id>.lambda-url.<region>.on.aws/`; undefined: it has none. */
  of(functionKey: string): string | undefined;
  /** Answers whoever calls one of them; undefined: the address is none of theirs. */
  handle(request: WireRequest): Promise<WireResponse> | WireResponse | undefined;
}

/** On the one local port the path says which function is meant. */
const LOCAL = /^\/function-urls\/([\w-]+)/;
const HOST = /^([a-z0-9]+)\.lambda-url\.[a-z0-9-]+\.on\.aws$/;
/** 6 MB for request and response alike: docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html */
const PAYLOAD_BYTES_MAX = 6 * 1024 * 1024;

const message = (status: number, Message: string): WireResponse => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ Message }),
});
const FORBIDDEN = message(
  403,
  'Forbidden. For troubleshooting Function URL authorization issues, see: https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html',
);

/** Text arrives as it is, all else in base64, a form too. */
const isText = (type: string): boolean =>
  /^(?:text\/|application\/(?:json|xml|javascript)\b)/.test(type);

/** Payload format 2.0: docs.aws.amazon.com/lambda/latest/dg/urls-invocation.html */
const eventOf = (
  deps: { time: Time; rng: Rng },
  id: string,
  request: WireRequest,
  path: string,
) => {
  const { body, headers, method, url } = request;
  const { host, search } = new URL(url);
  const now = deps.time.now();
  const isBase64Encoded = !isText(headers['content-type'] ?? 'application/octet-stream');
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath: path,
    rawQueryString: search.slice(1),
    headers: { host, 'x-forwarded-proto': 'https', 'x-forwarded-port': '443', ...headers },
    requestContext: {
      accountId: 'anonymous',
      apiId: id,
      domainName: host,
      domainPrefix: id,
      http: {
        method,
        path,
        protocol: 'HTTP/1.1',
        sourceIp: '203.0.113.7',
        userAgent: headers['user-agent'] ?? '',
      },
      requestId: uuid(deps.rng),
      routeKey: '$default',
      stage: '$default',
      time: new Date(now).toUTCString(),
      timeEpoch: now,
    },
    ...(body === ''
      ? { isBase64Encoded: false }
      : {
          body: isBase64Encoded ? Buffer.from(body).toString('base64') : body,
          isBase64Encoded,
        }),
  };
};

/** What has no statusCode is a body by itself. */
const answerTo = (outcome: Outcome): WireResponse => {
  if (!outcome.ok) {
    return outcome.throttled
      ? message(429, 'Rate Exceeded.')
      : { status: 502, headers: {}, body: 'Internal Server Error' };
  }
  const said = outcome.payload;
  if (typeof said !== 'object' || said === null || !('statusCode' in said)) {
    return {
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(said),
    };
  }
  const { body = '', headers = {}, isBase64Encoded, statusCode } = said as JsonObject;
  return {
    status: Number(statusCode),
    headers: headers as Record<string, string>,
    body: isBase64Encoded ? Buffer.from(String(body), 'base64').toString() : String(body),
  };
};

/**
 * Lambda Function URLs without authentication, with the resource policy that they need: since October
 * 2025 both `lambda:InvokeFunctionUrl` and, for calls by the address, `lambda:InvokeFunction`.
 */
export const createFunctionUrls = (deps: {
  time: Time;
  rng: Rng;
  infra: Infra;
  functions: LambdaFunctions;
}): FunctionUrls => {
  const { functions, infra, rng } = deps;
  const permissions = infra.ofType('AWS::Lambda::Permission');
  const urls = infra.ofType('AWS::Lambda::Url').flatMap(({ properties }) => {
    const spec = functions.find(String(properties.TargetFunctionArn));
    return spec ? [{ id: rng.hex(32), spec, isOpen: properties.AuthType === 'NONE' }] : [];
  });
  const allows = ({ name }: FunctionSpec, wanted: JsonObject): boolean =>
    permissions.some(({ properties }) =>
      Object.entries({ ...wanted, FunctionName: name, Principal: '*' }).every(
        ([key, value]) => properties[key] === value,
      ),
    );
  const isPublic = (spec: FunctionSpec): boolean =>
    allows(spec, { Action: 'lambda:InvokeFunctionUrl', FunctionUrlAuthType: 'NONE' }) &&
    allows(spec, { Action: 'lambda:InvokeFunction', InvokedViaFunctionUrl: true });

  return {
    of: (key) => {
      const found = urls.find(({ spec }) => spec.key === key);
      return found && `https://${found.id}.lambda-url.${infra.region}.on.aws/`;
    },
    handle: (request) => {
      const { hostname, pathname } = new URL(request.url);
      const [before = '', local] = LOCAL.exec(pathname) ?? [];
      const id = HOST.exec(hostname)?.[1];
      if (local === undefined && id === undefined) return undefined;
      const url = urls.find((one) => (id === undefined ? one.spec.name === local : one.id === id));
      // An address that is nobody's is refused like one that is closed.
      if (!url?.isOpen || !isPublic(url.spec)) return FORBIDDEN;
      if (Buffer.byteLength(request.body) > PAYLOAD_BYTES_MAX) {
        return message(413, 'Request must be smaller than 6291456 bytes');
      }
      const path = local === undefined ? pathname : pathname.slice(before.length) || '/';
      const event = eventOf(deps, url.id, request, path);
      return functions.invoke(url.spec, JSON.stringify(event)).then(answerTo);
    },
  };
};

/** Whether the router should send it to Lambda. */
export const isFunctionUrl = (hostname: string, pathname: string, isLocal: boolean): boolean =>
  HOST.test(hostname) || (isLocal && LOCAL.test(pathname));
