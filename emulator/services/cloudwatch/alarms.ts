import type { AwsEvent } from '../../core/aws-event.ts';
import { createEventFactory, uuid } from '../../core/aws-event.ts';
import type { Rng } from '../../core/random.ts';
import { isoTime, type Time } from '../../core/time.ts';
import type { Ec2 } from '../ec2/ec2.ts';
import type { StatusSample } from '../ec2/health.ts';

/** The status check metrics of AWS/EC2 an instance publishes every minute while it runs. */
export type StatusMetric =
  | 'StatusCheckFailed'
  | 'StatusCheckFailed_System'
  | 'StatusCheckFailed_Instance'
  | 'StatusCheckFailed_AttachedEBS';

export type AlarmState = 'OK' | 'ALARM' | 'INSUFFICIENT_DATA';

export interface AlarmsDeps {
  time: Time;
  rng: Rng;
  ec2: Pick<Ec2, 'machine' | 'onStatusCheck'>;
  emit: (event: AwsEvent) => void;
  account: string;
  region: string;
}

export interface Alarms {
  /** Puts an alarm on one instance and metric; its first state fits what the machine does now. */
  watch(instanceId: string, metric: StatusMetric): string;
  /** By name, as `watch` answered it. */
  state(alarmName: string): AlarmState | undefined;
}

const MINUTE_MS = 60_000;
const THRESHOLD = 1;
/** 2 of 2 datapoints. */
const DATAPOINTS = 2;
/** CloudWatch looks further back than it needs before it calls data missing. */
const EVALUATION_RANGE = 4;

interface StateRecord {
  value: AlarmState;
  reason: string;
  reasonData: string;
  timestamp: string;
}

interface Alarm {
  name: string;
  metricId: string;
  instanceId: string;
  metric: StatusMetric;
  /** When in the minute it is evaluated: not all alarms at once. */
  phaseMs: number;
  /** Start of the minute -> value. */
  datapoints: Map<number, 0 | 1>;
  state: StateRecord;
}

/** `2026-11-22T17:04:40.989+0000`, as CloudWatch writes times inside a detail. */
const alarmTime = (epochMs: number): string => isoTime(epochMs).replace('Z', '+0000');

const datapointOf = (metric: StatusMetric, sample: StatusSample): 0 | 1 => {
  if (metric === 'StatusCheckFailed_System') return sample.system;
  if (metric === 'StatusCheckFailed_AttachedEBS') return sample.attachedEbs;
  // It fails whenever the system check does.
  if (metric === 'StatusCheckFailed_Instance') return sample.instance;
  return sample.instance === 1 ? 1 : sample.attachedEbs;
};

/** The latest known datapoints decide; none at all is no state, too few change nothing. */
const evaluate = (recent: readonly number[]): AlarmState | undefined => {
  if (recent.length === 0) return 'INSUFFICIENT_DATA';
  const deciding = recent.slice(-DATAPOINTS);
  if (deciding.some((value) => value < THRESHOLD)) return 'OK';
  return deciding.length === DATAPOINTS ? 'ALARM' : undefined;
};

const reasonOf = (value: AlarmState): string => {
  if (value === 'INSUFFICIENT_DATA') {
    return `Insufficient Data: ${DATAPOINTS} datapoints were unknown.`;
  }
  const were = value === 'ALARM' ? 'were' : 'were not all';
  const crossed = `${DATAPOINTS} out of the last ${DATAPOINTS} datapoints`;
  return `Threshold Crossed: ${crossed} ${were} greater than or equal to the threshold (1.0).`;
};

const stateRecord = (value: AlarmState, now: number, recentDatapoints: number[]): StateRecord => ({
  value,
  reason: reasonOf(value),
  reasonData: JSON.stringify({
    version: '1.0',
    queryDate: alarmTime(now),
    startDate: alarmTime(now - (now % MINUTE_MS) - DATAPOINTS * MINUTE_MS),
    statistic: 'Maximum',
    period: 60,
    recentDatapoints,
    threshold: THRESHOLD,
  }),
  timestamp: alarmTime(now),
});

/** Everything of the event that does not change with the state. */
const configurationOf = ({ metricId, metric, instanceId }: Alarm) => ({
  description: 'EC2 status check',
  metrics: [
    {
      id: metricId,
      metricStat: {
        metric: { dimensions: { InstanceId: instanceId }, name: metric, namespace: 'AWS/EC2' },
        period: 60,
        stat: 'Maximum',
      },
      returnData: true,
    },
  ],
});

/**
 * CloudWatch alarms on status checks: two failing one-minute datapoints of two. A datapoint counts
 * once its minute is over and the alarm is evaluated once a minute, so an alarm follows its cause
 * by two to four minutes. Metrics vanish with a machine that does not run.
 */
export const createAlarms = (deps: AlarmsDeps): Alarms => {
  const { time, rng, ec2, account, region } = deps;
  const alarms = new Map<string, Alarm>();
  const event = createEventFactory({ ...deps, rng: rng.fork('alarm-event-ids') });

  const look = (alarm: Alarm): void => {
    const now = time.now();
    const currentMinute = now - (now % MINUTE_MS);
    const recent: number[] = [];
    for (let age = EVALUATION_RANGE; age >= 1; age--) {
      const value = alarm.datapoints.get(currentMinute - age * MINUTE_MS);
      if (value !== undefined) recent.push(value);
    }
    alarm.datapoints.delete(currentMinute - (EVALUATION_RANGE + 1) * MINUTE_MS);
    const value = evaluate(recent);
    if (value === undefined || value === alarm.state.value) return;
    const previousState = alarm.state;
    alarm.state = stateRecord(value, now, recent.slice(-DATAPOINTS));
    deps.emit(
      event({
        source: 'aws.cloudwatch',
        detailType: 'CloudWatch Alarm State Change',
        resources: [`arn:aws:cloudwatch:${region}:${account}:alarm:${alarm.name}`],
        detail: {
          alarmName: alarm.name,
          configuration: configurationOf(alarm),
          previousState,
          state: alarm.state,
        },
      }),
    );
  };

  ec2.onStatusCheck((minute, samples) => {
    const byInstance = new Map(samples.map((sample) => [sample.instanceId, sample]));
    for (const alarm of alarms.values()) {
      const sample = byInstance.get(alarm.instanceId);
      if (sample !== undefined) alarm.datapoints.set(minute, datapointOf(alarm.metric, sample));
      time.after(alarm.phaseMs, () => look(alarm));
    }
  });

  return {
    watch(instanceId, metric) {
      const name = `failover-${metric}-${instanceId}`;
      const now = time.now();
      const runs = ec2.machine(instanceId)?.powered === true;
      const datapoints = new Map<number, 0 | 1>();
      for (let age = 0; runs && age < EVALUATION_RANGE; age++) {
        datapoints.set(now - (now % MINUTE_MS) - age * MINUTE_MS, 0);
      }
      const draw = rng.fork(`alarm/${name}`);
      alarms.set(name, {
        name,
        metricId: uuid(draw),
        instanceId,
        metric,
        phaseMs: draw.int(1, MINUTE_MS - 1),
        datapoints,
        state: stateRecord(runs ? 'OK' : 'INSUFFICIENT_DATA', now, runs ? [0] : []),
      });
      return name;
    },
    state: (alarmName) => alarms.get(alarmName)?.state.value,
  };
};
