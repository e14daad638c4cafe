import { posix } from 'node:path';
import * as z from 'zod';
import { importsOf } from './imports.ts';
import type { ProjectFile } from './project-files.ts';
import { ofType, type Template } from './template.ts';

const Dimensions = z.array(z.strictObject({ Name: z.string(), Value: z.unknown() }));
const Metric = z.object({ Namespace: z.string(), MetricName: z.string(), Dimensions });
export type Metric = z.infer<typeof Metric>;
const Query = z.object({
  Id: z.string(),
  Expression: z.string().optional(),
  MetricStat: z.object({ Metric, Period: z.number() }).optional(),
});
const Alarm = z.looseObject({
  AlarmActions: z.array(z.unknown()).min(1),
  AlarmDescription: z.string().min(1),
  TreatMissingData: z.enum(['breaching', 'notBreaching']),
  Metrics: z.array(Query).optional(),
});

/** The metrics an alarm looks at, by itself or in an expression. @throws ZodError for another shape */
export const metricsOf = (properties: Record<string, unknown>): Metric[] => {
  const { Metrics } = Alarm.parse(properties);
  if (Metrics === undefined) return [Metric.parse(properties)];
  return Metrics.flatMap(({ MetricStat }) => MetricStat?.Metric ?? []);
};

/** Names in an expression that no query of the alarm has, and queries that no expression uses. */
export const looseEnds = (properties: Record<string, unknown>): string[] => {
  const { Metrics = [] } = Alarm.parse(properties);
  const words = new Set(
    Metrics.flatMap(({ Expression = '' }) => Expression.match(/[a-z]\w*/g) ?? []),
  );
  const ids = Metrics.filter(({ MetricStat }) => MetricStat !== undefined).map(({ Id }) => Id);
  return [
    ...[...words].filter((word) => !ids.includes(word)),
    ...ids.filter((id) => !words.has(id)),
  ];
};

/** What AWS publishes of a thing, and by which dimension and value of the template it is found. */
const OF_AWS: Readonly<Record<string, { metrics: string[]; dimension: string; type: string }>> = {
  'AWS/Lambda': {
    metrics: ['Invocations', 'Errors', 'DestinationDeliveryFailures'],
    dimension: 'FunctionName',
    type: 'AWS::Lambda::Function',
  },
  'AWS/SQS': {
    metrics: ['ApproximateNumberOfMessagesVisible', 'ApproximateNumberOfMessagesNotVisible'],
    dimension: 'QueueName',
    type: 'AWS::SQS::Queue',
  },
  'AWS/States': {
    metrics: ['ExecutionsFailed', 'ExecutionsTimedOut', 'ExecutionsAborted'],
    dimension: 'StateMachineArn',
    type: 'AWS::StepFunctions::StateMachine',
  },
};

/** The logical id a dimension's value refers to. */
const referred = (value: unknown): string => {
  const { Ref, 'Fn::GetAtt': get } = value as { Ref?: string; 'Fn::GetAtt'?: [string, string] };
  return Ref ?? (get?.[1] === 'QueueName' ? get[0] : '');
};

/** Why nobody publishes this metric of AWS's; undefined: AWS does. */
const whyNotOfAws = (template: Template, metric: Metric): string | undefined => {
  const { Dimensions: dimensions, MetricName, Namespace } = metric;
  const known = OF_AWS[Namespace];
  if (!known?.metrics.includes(MetricName)) return `AWS has no ${MetricName}`;
  const [only, ...others] = dimensions;
  const target = template.Resources[referred(only?.Value)];
  return only?.Name === known.dimension && others.length === 0 && target?.Type === known.type
    ? undefined
    : `${MetricName} is not published by ${JSON.stringify(dimensions)}`;
};

/** A file of what ships and all it imports, types left out. */
const closureOf = (files: ReadonlyMap<string, ProjectFile>, path: string): ProjectFile[] => {
  const seen = new Set<string>();
  const visit = (at: string): void => {
    const file = files.get(at);
    if (file === undefined || seen.has(at)) return;
    seen.add(at);
    for (const { to } of importsOf(file)) visit(posix.normalize(to));
  };
  visit(path);
  return [...seen].flatMap((at) => files.get(at) ?? []);
};

const withoutComments = (text: string): string =>
  text.replaceAll(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');

/** The kinds of answer in the contract of a function's output, in lower case. */
const answersOf = ({ text }: ProjectFile, code: readonly string[]): string[] => {
  const [, output = ''] = /\boutput: (\w+)/.exec(text) ?? [];
  const contracts = code.flatMap((file) => file.split(/^export const /m));
  const contract = contracts.find((one) => one.startsWith(`${output} =`)) ?? '';
  return [...contract.matchAll(/kind: z\.literal\('(\w+)'\)/g)].map(([, kind = '']) =>
    kind.toLowerCase(),
  );
};

/**
 * Whether the function that calls itself so counts this metric: its code names it, or it is a kind of
 * its answers, which the front door counts under a capital letter.
 */
export const emits = (
  files: readonly ProjectFile[],
  service: unknown,
  metricName: string,
): boolean => {
  const shipping = new Map(
    files.filter(({ path }) => /^(?:functions|src)\//.test(path)).map((file) => [file.path, file]),
  );
  const module = [...shipping.values()].find(
    ({ path, text }) => path.startsWith('functions/') && text.includes(`name: '${service}'`),
  );
  if (module === undefined) return false;
  const code = closureOf(shipping, module.path).map(({ text }) => withoutComments(text));
  return (
    code.some((text) => text.includes(`'${metricName}'`)) ||
    answersOf(module, code).some((kind) => kind === metricName.toLowerCase())
  );
};

/** Metrics of alarms that nobody emits, and alarms that say less than they must. */
export const deafAlarms = (template: Template, files: readonly ProjectFile[]): string[] =>
  ofType(template, 'AWS::CloudWatch::Alarm').flatMap(([id, { Properties }]) => {
    const deaf = metricsOf(Properties).flatMap((metric) => {
      if (metric.Namespace !== 'ebs-failover') return whyNotOfAws(template, metric) ?? [];
      const [service, cluster, ...others] = metric.Dimensions;
      const isOurs =
        service?.Name === 'service' &&
        cluster?.Name === 'cluster' &&
        referred(cluster.Value) === 'ClusterName' &&
        others.length === 0 &&
        emits(files, service.Value, metric.MetricName);
      return isOurs ? [] : [`nobody counts ${metric.MetricName}`];
    });
    const loose = looseEnds(Properties).map((name) => `${name} is a loose end`);
    return [...deaf, ...loose].map((problem) => `${id}: ${problem}`);
  });

/** Queues, workflows and schedules' functions of the template that no alarm looks at. */
export const unwatched = (template: Template): string[] => {
  const watched = new Set(
    ofType(template, 'AWS::CloudWatch::Alarm').flatMap(([, { Properties }]) =>
      metricsOf(Properties).map((metric) => referred(metric.Dimensions[0]?.Value)),
    ),
  );
  const things = ['AWS::SQS::Queue', 'AWS::StepFunctions::StateMachine'].flatMap((type) =>
    ofType(template, type).map(([id]) => id),
  );
  const scheduled = ofType(template, 'AWS::Scheduler::Schedule').map(([, { Properties }]) => {
    const { Arn } = Properties.Target as { Arn: { 'Fn::GetAtt': [string, string] } };
    return Arn['Fn::GetAtt'][0];
  });
  return [...things, ...scheduled].filter((id) => !watched.has(id));
};
