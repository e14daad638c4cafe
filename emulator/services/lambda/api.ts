import { uuid } from '../../core/aws-event.ts';
import type { Rng } from '../../core/random.ts';
import { isoTime, type Time } from '../../core/time.ts';
import type { Service, WireResponse } from '../../core/wire.ts';
import type { FunctionSpec, Infra } from '../../infra.ts';
import type { Iam } from '../iam/iam.ts';
import type { Sqs } from '../sqs/sqs.ts';
import type { LambdaFunctions, Outcome } from './lambda.ts';

export interface LambdaService extends Service {
  /**
   * Lambda's own queue (event sources, invocation type Event): up to two more tries, one and two
   * minutes later, then the function's on-failure destination (facts: EventBridge to Lambda).
   */
  enqueue(spec: FunctionSpec, payload: string): void;
  /** Whether a resource-based permission lets an AWS service invoke the function. */
  permits(spec: FunctionSpec, principal: string, sourceArn: string): boolean;
}

/** How Lambda treats the queued events of one function. */
interface AsyncConfig {
  retriesMax: number;
  ageMaxMs: number;
  onFailureArn: string | undefined;
}

const RETRY_DELAYS_MS = [60_000, 120_000];

const asyncConfigOf = (infra: Infra, spec: FunctionSpec): AsyncConfig => {
  const found = infra
    .ofType('AWS::Lambda::EventInvokeConfig')
    .find(({ properties }) => properties.FunctionName === spec.name);
  const { MaximumRetryAttempts, MaximumEventAgeInSeconds, DestinationConfig } =
    found?.properties ?? {};
  const destination = DestinationConfig as { OnFailure?: { Destination?: string } } | undefined;
  return {
    retriesMax: Number(MaximumRetryAttempts ?? 2),
    ageMaxMs: Number(MaximumEventAgeInSeconds ?? 21_600) * 1000,
    onFailureArn: destination?.OnFailure?.Destination,
  };
};

const jsonError = (status: number, code: string, message: string): WireResponse => ({
  status,
  headers: { 'content-type': 'application/json', 'x-amzn-errortype': code },
  body: JSON.stringify({ Message: message, Type: 'User' }),
});

/** The Invoke API (rest-json, 2015-03-31) and the asynchronous queue behind it. */
export const createLambdaService = (deps: {
  time: Time;
  rng: Rng;
  infra: Infra;
  iam: Iam;
  sqs: Sqs;
  functions: LambdaFunctions;
}): LambdaService => {
  const { time, rng, infra, iam, sqs, functions } = deps;
  const permissions = infra.ofType('AWS::Lambda::Permission');
  const configs = new Map(infra.functions.map((f) => [f.key, asyncConfigOf(infra, f)]));

  const giveUp = (
    spec: FunctionSpec,
    payload: string,
    outcome: Outcome & { ok: false },
    tries: number,
    requestId: string,
  ): void => {
    const onFailureArn = configs.get(spec.key)?.onFailureArn;
    if (!onFailureArn) return;
    const document = {
      version: '1.0',
      timestamp: isoTime(time.now()),
      requestContext: {
        requestId,
        functionArn: `${spec.arn}:$LATEST`,
        condition: 'RetriesExhausted',
        approximateInvokeCount: tries,
      },
      requestPayload: JSON.parse(payload),
      responseContext: {
        statusCode: 200,
        executedVersion: '$LATEST',
        functionError: 'Unhandled',
      },
      responsePayload: outcome.failure,
    };
    sqs.deliver(onFailureArn, JSON.stringify(document), {});
  };

  const enqueue = (spec: FunctionSpec, payload: string): void => {
    const { retriesMax, ageMaxMs } = configs.get(spec.key) ?? { retriesMax: 2, ageMaxMs: 0 };
    const requestId = uuid(rng);
    const acceptedAt = time.now();
    const attempt = async (tries: number): Promise<void> => {
      const outcome = await functions.invoke(spec, payload);
      if (outcome.ok) return;
      const delayMs = RETRY_DELAYS_MS[tries - 1] ?? 0;
      const tooOld = time.now() + delayMs - acceptedAt > ageMaxMs;
      if (tries > retriesMax || tooOld) giveUp(spec, payload, outcome, tries, requestId);
      else time.after(delayMs, () => void attempt(tries + 1));
    };
    void attempt(1);
  };

  const answerTo = (outcome: Outcome): WireResponse => ({
    status: 200,
    headers: {
      'content-type': 'application/json',
      'x-amz-executed-version': '$LATEST',
      ...(outcome.ok ? {} : { 'x-amz-function-error': 'Unhandled' }),
    },
    body: JSON.stringify(outcome.ok ? outcome.payload : outcome.failure),
  });

  return {
    enqueue,
    permits: (spec, principal, sourceArn) =>
      permissions.some(
        ({ properties }) =>
          properties.FunctionName === spec.name &&
          properties.Principal === principal &&
          properties.SourceArn === sourceArn,
      ),
    handle: (request, caller) => {
      const { pathname } = new URL(request.url);
      const name = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/.exec(pathname)?.[1];
      if (!name || request.method !== 'POST') {
        return jsonError(404, 'UnknownOperationException', 'Only Invoke is emulated.');
      }
      const asked = decodeURIComponent(name).replace(/:\$LATEST$/, '');
      const spec = functions.find(asked);
      if (!spec) {
        const message = `Function not found: ${asked}`;
        return jsonError(404, 'ResourceNotFoundException', message);
      }
      const why = iam.denial('lambda:InvokeFunction', [{ arn: spec.arn }], caller);
      if (why) return jsonError(403, 'AccessDeniedException', why);
      const payload = request.body || '{}';
      try {
        JSON.parse(payload);
      } catch {
        const message = 'Could not parse request body into json.';
        return jsonError(400, 'InvalidRequestContentException', message);
      }
      const type = request.headers['x-amz-invocation-type'] ?? 'RequestResponse';
      if (type === 'DryRun') return { status: 204, headers: {}, body: '' };
      if (type === 'Event') {
        enqueue(spec, payload);
        return { status: 202, headers: {}, body: '' };
      }
      return functions.invoke(spec, payload).then(answerTo);
    },
  };
};
