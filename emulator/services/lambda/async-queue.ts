import { uuid } from '../../core/aws-event.ts';
import type { Rng } from '../../core/random.ts';
import { isoTime, type Time } from '../../core/time.ts';
import type { FunctionSpec, Infra, Resource } from '../../infra.ts';
import type { Sqs } from '../sqs/sqs.ts';
import type { FunctionFailure } from './invocation.ts';
import type { LambdaFunctions } from './lambda.ts';

/** How Lambda treats the queued events of one function. */
interface AsyncConfig {
  retriesMax: number;
  ageMaxMs: number;
  onFailureArn: string | undefined;
}

const RETRY_DELAYS_MS = [60_000, 120_000];
const DEFAULT_AGE_SECONDS = 21_600;

/** Back in the queue: 1 s, then ever longer, at most 5 min (Lambda guide, asynchronous invocation). */
const throttledDelayMs = (times: number): number => Math.min(1000 * 2 ** times, 300_000);

const asyncConfigOf = (configs: readonly Resource[], spec: FunctionSpec): AsyncConfig => {
  const found = configs.find(({ properties }) => properties.FunctionName === spec.name);
  const { MaximumRetryAttempts, MaximumEventAgeInSeconds, DestinationConfig } =
    found?.properties ?? {};
  const destination = DestinationConfig as { OnFailure?: { Destination?: string } } | undefined;
  return {
    retriesMax: Number(MaximumRetryAttempts ?? RETRY_DELAYS_MS.length),
    ageMaxMs: Number(MaximumEventAgeInSeconds ?? DEFAULT_AGE_SECONDS) * 1000,
    onFailureArn: destination?.OnFailure?.Destination,
  };
};

/** What an on-failure destination receives (Lambda guide, asynchronous invocation). */
const failureDocument = (
  spec: FunctionSpec,
  payload: string,
  facts: { at: number; requestId: string; tries: number; failure: FunctionFailure; old: boolean },
): object => ({
  version: '1.0',
  timestamp: isoTime(facts.at),
  requestContext: {
    requestId: facts.requestId,
    functionArn: `${spec.arn}:$LATEST`,
    condition: facts.old ? 'EventAgeExceeded' : 'RetriesExhausted',
    approximateInvokeCount: facts.tries,
  },
  requestPayload: JSON.parse(payload),
  responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
  responsePayload: facts.failure,
});

/**
 * Lambda's own queue, for event sources and invocation type Event: a failed run is repeated one
 * and two minutes later, unless the event has grown too old, then handed to the on-failure
 * destination, or dropped where there is none. One that was refused for concurrency is no failed
 * run: it goes back to the queue until it is too old.
 */
export const createAsyncQueue = (deps: {
  time: Time;
  rng: Rng;
  infra: Infra;
  sqs: Sqs;
  functions: LambdaFunctions;
}): ((spec: FunctionSpec, payload: string) => void) => {
  const { time, rng, sqs, functions } = deps;
  const configs = deps.infra.ofType('AWS::Lambda::EventInvokeConfig');
  return (spec, payload) => {
    const { retriesMax, ageMaxMs, onFailureArn } = asyncConfigOf(configs, spec);
    const requestId = uuid(rng);
    const acceptedAt = time.now();
    const attempt = async (tries: number, refusals = 0): Promise<void> => {
      const outcome = await functions.invoke(spec, payload);
      if (outcome.ok) return;
      const { throttled } = outcome;
      const delayMs = throttled ? throttledDelayMs(refusals) : (RETRY_DELAYS_MS[tries - 1] ?? 0);
      const old = time.now() + delayMs - acceptedAt > ageMaxMs;
      if (throttled && !old) {
        time.after(delayMs, () => void attempt(tries, refusals + 1));
      } else if (tries <= retriesMax && !old) {
        time.after(delayMs, () => void attempt(tries + 1));
      } else if (onFailureArn) {
        const facts = { at: time.now(), requestId, tries, failure: outcome.failure, old };
        sqs.deliver(onFailureArn, JSON.stringify(failureDocument(spec, payload, facts)), {});
      }
    };
    void attempt(1);
  };
};
