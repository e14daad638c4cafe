/** A bad argument or file: one line for the person, nothing was run. */
export class BadInput extends Error {
  override readonly name = 'BadInput';
}

export type Failure = 'stopped' | 'terminated' | 'hung';

/** What the world takes from an EventBridge document somebody has at hand. */
export interface GivenEvent {
  document: Record<string, unknown>;
  account: string;
  region: string;
  instanceId: string | undefined;
  /** Epoch ms. */
  at: number;
  /** What happened to the machine if the event is true; undefined: nothing did. */
  failure: Failure | undefined;
}

type Json = Record<string, unknown>;

const isObject = (value: unknown): value is Json =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const at = (value: unknown, ...path: (string | number)[]): unknown => {
  let here = value;
  for (const step of path) {
    if (Array.isArray(here) && typeof step === 'number') here = here[step];
    else if (isObject(here) && typeof step === 'string') here = here[step];
    else return undefined;
  }
  return here;
};

/** AWS puts the id in a different place for each source, bare or at the end of an ARN. */
const instanceIdOf = (detail: unknown): string | undefined => {
  const metrics = at(detail, 'configuration', 'metrics');
  const entities = at(detail, 'affectedEntities');
  const candidates = [
    at(detail, 'instance-id'),
    at(detail, 'EC2InstanceId'),
    ...(Array.isArray(metrics) ? metrics : []).map((metric) =>
      at(metric, 'metricStat', 'metric', 'dimensions', 'InstanceId'),
    ),
    ...(Array.isArray(entities) ? entities : []).map((entity) => at(entity, 'entityValue')),
  ];
  return candidates
    .map((candidate) => /i-[0-9a-f]{8,17}$/.exec(String(candidate))?.[0])
    .find((id) => id !== undefined);
};

const failureOf = (source: unknown, detail: unknown): Failure | undefined => {
  if (source === 'aws.ec2') {
    const state = at(detail, 'state');
    if (state === 'stopped' || state === 'stopping') return 'stopped';
    if (state === 'terminated' || state === 'shutting-down') return 'terminated';
  }
  const muted = at(detail, 'muteDetail') !== undefined;
  if (source === 'aws.cloudwatch' && at(detail, 'state', 'value') === 'ALARM' && !muted) {
    return 'hung';
  }
  const isOpenIssue =
    at(detail, 'eventTypeCategory') === 'issue' &&
    at(detail, 'statusCode') === 'open' &&
    at(detail, 'backupEvent') !== 'true' &&
    at(detail, 'eventScopeCode') !== 'PUBLIC';
  return source === 'aws.health' && isOpenIssue ? 'hung' : undefined;
};

/**
 * Reads an EventBridge document: account, region, instance and time as it says, and the failure
 * that would have caused it. Throws BadInput for what is no such document.
 */
export const readGivenEvent = (text: string, file: string): GivenEvent => {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    throw new BadInput(`${file} is not JSON: ${problem}`, { cause: error });
  }
  if (!isObject(document)) throw new BadInput(`${file} is no EventBridge event: not an object`);
  const { source, account, region, detail, time } = document;
  const missing = Object.entries({ source, account, region, time }).find(
    ([, value]) => typeof value !== 'string',
  );
  if (missing) throw new BadInput(`${file} is no EventBridge event: '${missing[0]}' is missing`);
  if (typeof document['detail-type'] !== 'string' || !isObject(detail)) {
    throw new BadInput(`${file} is no EventBridge event: detail-type or detail is missing`);
  }
  if (!/^\d{12}$/.test(String(account))) {
    throw new BadInput(`${file}: account must be twelve digits`);
  }
  if (!/^[a-z]{2}(?:-[a-z]+)+-\d+$/.test(String(region))) {
    throw new BadInput(`${file}: '${String(region)}' is no AWS region`);
  }
  const epochMs = Date.parse(String(time));
  if (Number.isNaN(epochMs)) throw new BadInput(`${file}: '${String(time)}' is no time`);
  const instanceId = instanceIdOf(detail);
  const failure = instanceId === undefined ? undefined : failureOf(source, detail);
  return {
    document,
    account: String(account),
    region: String(region),
    instanceId,
    at: epochMs,
    failure,
  };
};
