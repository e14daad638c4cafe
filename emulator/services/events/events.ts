import type { AwsEvent } from '../../core/aws-event.ts';
import { append } from '../../core/log.ts';
import { drawLogNormalMs, type Rng } from '../../core/random.ts';
import type { Time } from '../../core/time.ts';
import type { Service } from '../../core/wire.ts';
import type { Infra } from '../../infra.ts';
import type { Iam } from '../iam/iam.ts';
import { createJsonService } from '../json-protocol.ts';
import type { LambdaService } from '../lambda/api.ts';
import type { LambdaFunctions } from '../lambda/lambda.ts';
import type { Sqs } from '../sqs/sqs.ts';
import { matchesPattern } from './pattern.ts';
import { createPutEvents, DEFAULT_BUS } from './put-events.ts';

/** One event on its way from a rule to a target. */
export interface Delivery {
  at: number;
  rule: string;
  targetArn: string;
  event: AwsEvent;
  outcome: 'delivered' | 'dead letter' | 'dropped';
}

export interface EventFaults {
  /**
   * How often and how much later than usual an event reaches a target; once and 0 ms if absent.
   * An empty list loses it: best effort is all most AWS services promise.
   */
  deliver?: (event: AwsEvent, targetArn: string) => readonly { delayMs: number }[];
  /**
   * Lets people put events in AWS's name that a rule waits for, which AWS itself refuses: so that a
   * document at hand goes the way of a real one.
   */
  awsEventsByHand?: boolean;
}

export interface EventBridge extends Service {
  /** As AWS services publish: onto the default bus, without a request. */
  publish(event: AwsEvent): void;
  deliveries(): readonly Delivery[];
  onDelivery(listener: (delivery: Delivery) => void): void;
  /** Events that no rule matches. AWS drops them without a trace. */
  onUnheard(listener: (event: AwsEvent) => void): void;
}

interface Target {
  Arn: string;
  DeadLetterConfig?: { Arn: string };
}
interface Rule {
  arn: string;
  name: string;
  bus: string;
  pattern: Record<string, unknown>;
  targets: Target[];
}

const readRules = (infra: Infra): Rule[] =>
  infra
    .ofType('AWS::Events::Rule')
    .filter(({ properties }) => properties.EventPattern && properties.State !== 'DISABLED')
    .map(({ arn, ref, properties }) => ({
      arn,
      name: ref,
      bus: String(properties.EventBusName ?? DEFAULT_BUS),
      pattern: properties.EventPattern as Record<string, unknown>,
      targets: (properties.Targets ?? []) as Target[],
    }));

/** Rules, delivery to Lambda or SQS, dead letters, PutEvents (JSON 1.1). */
export const createEventBridge = (deps: {
  time: Time;
  rng: Rng;
  infra: Infra;
  iam: Iam;
  sqs: Sqs;
  functions: LambdaFunctions;
  lambda: LambdaService;
  latency: { p50: number; p99: number };
  faults: EventFaults;
}): EventBridge => {
  const { time, rng, infra, sqs, functions, lambda, faults } = deps;
  const rules = readRules(infra);
  const deliveries: Delivery[] = [];
  const listeners: ((delivery: Delivery) => void)[] = [];
  const unheardListeners: ((event: AwsEvent) => void)[] = [];

  /** Undefined when the target took the event, else why it never will: no retry helps. */
  const hand = (rule: Rule, target: Target, event: AwsEvent): [string, string] | undefined => {
    const body = JSON.stringify(event);
    if (target.Arn.startsWith('arn:aws:sqs:')) {
      sqs.deliver(target.Arn, body, {});
      return undefined;
    }
    const spec = functions.find(target.Arn);
    if (!spec) return ['RESOURCE_NOT_FOUND', `${target.Arn} does not exist`];
    if (!lambda.permits(spec, 'events.amazonaws.com', rule.arn)) {
      return ['NO_PERMISSIONS', `${rule.name} may not invoke ${spec.name}`];
    }
    lambda.enqueue(spec, body);
    return undefined;
  };

  const deliver = (rule: Rule, target: Target, event: AwsEvent): void => {
    const refused = hand(rule, target, event);
    const queue = target.DeadLetterConfig?.Arn;
    if (refused && queue) {
      const [ERROR_CODE, ERROR_MESSAGE] = refused;
      const where = { RULE_ARN: rule.arn, TARGET_ARN: target.Arn };
      sqs.deliver(queue, JSON.stringify(event), { ...where, ERROR_CODE, ERROR_MESSAGE });
    }
    const outcome = refused ? (queue ? 'dead letter' : 'dropped') : 'delivered';
    const { name } = rule;
    const delivery: Delivery = {
      at: time.now(),
      rule: name,
      targetArn: target.Arn,
      event,
      outcome,
    };
    append(deliveries, delivery);
    for (const listener of listeners) listener(delivery);
  };

  const rulesFor = (event: AwsEvent, bus: string): Rule[] =>
    rules.filter((rule) => rule.bus === bus && matchesPattern(rule.pattern, event));

  const route = (event: AwsEvent, bus: string): void => {
    const matching = rulesFor(event, bus);
    if (matching.length === 0) for (const listener of unheardListeners) listener(event);
    for (const rule of matching) {
      for (const target of rule.targets) {
        for (const { delayMs } of faults.deliver?.(event, target.Arn) ?? [{ delayMs: 0 }]) {
          const latencyMs = drawLogNormalMs(rng, deps.latency.p50, deps.latency.p99);
          time.after(latencyMs + delayMs, () => deliver(rule, target, event));
        }
      }
    }
  };

  return {
    publish: (event) => route(event, DEFAULT_BUS),
    deliveries: () => deliveries,
    onDelivery: (listener) => listeners.push(listener),
    onUnheard: (listener) => unheardListeners.push(listener),
    ...createJsonService({
      version: '1.1',
      rng: rng.fork('requests'),
      operations: {
        PutEvents: createPutEvents({
          time,
          rng: rng.fork('ids'),
          infra,
          iam: deps.iam,
          route,
          whyNotAsAws: (event, bus) => {
            if (!faults.awsEventsByHand) return 'only AWS speaks in its name';
            return rulesFor(event, bus).length > 0 ? undefined : 'no rule waits for such an event';
          },
        }),
      },
    }),
  };
};
