import type { Rng } from '../../core/random.ts';
import type { Time } from '../../core/time.ts';
import type { Service, WireResponse } from '../../core/wire.ts';
import type { FunctionSpec, Infra } from '../../infra.ts';
import type { Iam } from '../iam/iam.ts';
import { tryParse } from '../json-protocol.ts';
import type { Sqs } from '../sqs/sqs.ts';
import { createAsyncQueue } from './async-queue.ts';
import { createFunctionUrls } from './function-urls.ts';
import type { Outcome } from './invocation.ts';
import type { LambdaFunctions } from './lambda.ts';

export interface LambdaService extends Service {
  /** Through Lambda's own queue: retries, then the on-failure destination. */
  enqueue(spec: FunctionSpec, payload: string): void;
  /** Whether a resource-based permission lets an AWS service invoke the function. */
  permits(spec: FunctionSpec, principal: string, sourceArn: string): boolean;
  /** The public address of a function, by its key; undefined: it has none. */
  urlOf(functionKey: string): string | undefined;
}

const jsonError = (status: number, code: string, message: string): WireResponse => ({
  status,
  headers: { 'content-type': 'application/json', 'x-amzn-errortype': code },
  body: JSON.stringify({ Message: message, Type: 'User' }),
});

const throttled = (Reason: string): WireResponse => ({
  status: 429,
  headers: { 'content-type': 'application/json', 'x-amzn-errortype': 'TooManyRequestsException' },
  body: JSON.stringify({ Reason, Type: 'User', message: 'Rate Exceeded.' }),
});

const answerTo = (outcome: Outcome): WireResponse =>
  !outcome.ok && outcome.throttled
    ? throttled(outcome.failure.errorType)
    : {
        status: 200,
        headers: {
          'content-type': 'application/json',
          'x-amz-executed-version': '$LATEST',
          ...(outcome.ok ? {} : { 'x-amz-function-error': 'Unhandled' }),
        },
        body: JSON.stringify(outcome.ok ? outcome.payload : outcome.failure),
      };

/** The Invoke API (rest-json, 2015-03-31), the asynchronous queue behind it, and Function URLs. */
export const createLambdaService = (deps: {
  time: Time;
  rng: Rng;
  infra: Infra;
  iam: Iam;
  sqs: Sqs;
  functions: LambdaFunctions;
}): LambdaService => {
  const { infra, iam, functions } = deps;
  const permissions = infra.ofType('AWS::Lambda::Permission');
  const enqueue = createAsyncQueue(deps);
  const urls = createFunctionUrls({ ...deps, rng: deps.rng.fork('urls') });
  return {
    enqueue,
    urlOf: urls.of,
    permits: (spec, principal, sourceArn) =>
      permissions.some(
        ({ properties }) =>
          properties.FunctionName === spec.name &&
          properties.Principal === principal &&
          properties.SourceArn === sourceArn,
      ),
    handle: (request, caller) => {
      const byUrl = urls.handle(request);
      if (byUrl !== undefined) return byUrl;
      const { pathname } = new URL(request.url);
      const name = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(pathname)?.[1];
      if (!name || request.method !== 'POST') {
        return jsonError(404, 'UnknownOperationException', 'Only Invoke is emulated.');
      }
      const asked = decodeURIComponent(name).replace(/:\$LATEST$/, '');
      const spec = functions.find(asked);
      if (!spec) {
        return jsonError(404, 'ResourceNotFoundException', `Function not found: ${asked}`);
      }
      const why = iam.denial('lambda:InvokeFunction', [{ arn: spec.arn }], caller);
      if (why) return jsonError(403, 'AccessDeniedException', why);
      const payload = request.body || '{}';
      if (!tryParse(payload)) {
        const message = 'Could not parse request body into json.';
        return jsonError(400, 'InvalidRequestContentException', message);
      }
      const { 'x-amz-invocation-type': type = 'RequestResponse' } = request.headers;
      if (type === 'DryRun') return { status: 204, headers: {}, body: '' };
      if (type !== 'Event') return functions.invoke(spec, payload).then(answerTo);
      enqueue(spec, payload);
      return { status: 202, headers: {}, body: '' };
    },
  };
};
