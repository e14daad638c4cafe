import { isoSeconds, uuid } from '../../core/aws-event.ts';
import type { Rng } from '../../core/random.ts';
import type { Time } from '../../core/time.ts';
import type { Infra, Resource } from '../../infra.ts';
import type { Iam } from '../iam/iam.ts';
import type { LambdaService } from '../lambda/api.ts';
import type { LambdaFunctions } from '../lambda/lambda.ts';
import type { Sqs } from '../sqs/sqs.ts';

interface ScheduleTarget {
  Arn: string;
  RoleArn: string;
  Input?: string;
  DeadLetterConfig?: { Arn: string };
}

const UNIT_MS: Record<string, number> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 };

/** `rate(1 minute)` in ms. Throws for cron and at expressions, which nothing here uses. */
export const rateMs = (expression: string): number => {
  const [, count, unit = ''] = /^rate\((\d+) (minute|hour|day)s?\)$/.exec(expression) ?? [];
  const unitMs = UNIT_MS[unit];
  if (!count || !unitMs) throw new Error(`schedule ${expression} is not emulated`);
  return Number(count) * unitMs;
};

export interface Scheduler {
  /** From now on every enabled schedule runs, at a phase of its own. Undone by the answer. */
  start(): () => void;
}

/**
 * EventBridge Scheduler with rate schedules and Lambda targets. A target without Input receives
 * the document the service then makes up; a refused invocation goes to the dead-letter queue.
 */
export const createScheduler = (deps: {
  time: Time;
  rng: Rng;
  infra: Infra;
  iam: Iam;
  sqs: Sqs;
  functions: LambdaFunctions;
  lambda: LambdaService;
}): Scheduler => {
  const { time, rng, infra, iam, sqs, functions, lambda } = deps;

  const fire = ({ arn, properties }: Resource): void => {
    const target = properties.Target as ScheduleTarget;
    const document = {
      version: '0',
      id: uuid(rng),
      'detail-type': 'Scheduled Event',
      source: 'aws.scheduler',
      account: infra.account,
      time: isoSeconds(time.now()),
      region: infra.region,
      resources: [arn],
      detail: '{}',
    };
    const payload = target.Input ?? JSON.stringify(document);
    const spec = functions.find(target.Arn);
    const caller = { accessKeyId: iam.accessKeyId(target.RoleArn) };
    const why = spec
      ? iam.denial('lambda:InvokeFunction', [{ arn: spec.arn }], caller)
      : `${target.Arn} does not exist`;
    const queue = target.DeadLetterConfig?.Arn;
    if (spec && !why) lambda.enqueue(spec, payload);
    else if (queue) {
      sqs.deliver(queue, payload, { ERROR_CODE: 'AccessDenied', ERROR_MESSAGE: why ?? '' });
    }
  };

  return {
    start: () => {
      let running = true;
      for (const schedule of infra.ofType('AWS::Scheduler::Schedule')) {
        if (schedule.properties.State === 'DISABLED') continue;
        const everyMs = rateMs(String(schedule.properties.ScheduleExpression));
        const tick = (): void => {
          if (!running) return;
          fire(schedule);
          time.after(everyMs, tick);
        };
        // A schedule counts from its creation, which no incident knows of.
        time.after(rng.int(1, everyMs), tick);
      }
      return () => {
        running = false;
      };
    },
  };
};
