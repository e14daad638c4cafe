import type { Platform } from '../../services/lambda/environment.ts';

/** EC2 said no, or nothing. */
export class Ec2Error extends Error {
  override readonly name = 'Ec2Error';
  readonly code: string;
  constructor(code: string) {
    super(code);
    this.code = code;
  }
}

/** A machine as DescribeInstances tells of it. */
interface Described {
  /** Undefined for a machine that is not in the answer. */
  state: string | undefined;
  /** All that is attached and not its root. */
  volumeIds: string[];
}

/** EC2 as a script of an operator sees it through boto3. */
export interface Ec2Client {
  /** Throws Ec2Error. */
  call(action: string, fields: Readonly<Record<string, string>>): Promise<string>;
  /** Throws Ec2Error. */
  describe(instanceId: string): Promise<Described>;
  /** Throws Ec2Error. */
  isFree(volumeId: string): Promise<boolean>;
}

/** boto3's legacy retries: five attempts, of what is throttled, broken or not answered. */
const ATTEMPTS = 5;
const READ_TIMEOUT_MS = 60_000;
const RETRIED = /^(?:RequestLimitExceeded|Throttling|InternalError|Unavailable|no answer)/;
const MAPPING = /<deviceName>([^<]+)<\/deviceName><ebs><volumeId>([^<]+)</g;

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

const tag = (name: string, xml: string): string | undefined =>
  new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];

const HEADERS = {
  'content-type': 'application/x-www-form-urlencoded',
  'x-amz-date': '20261123T030000Z',
};

export const createEc2Client = (
  env: Record<string, string | undefined>,
  platform: Platform,
): Ec2Client => {
  const { AWS_REGION: region = '', AWS_ACCESS_KEY_ID: keyId = '' } = env;
  const scope = `Credential=${keyId}/20261123/${region}/ec2/aws4_request`;
  const authorization = `AWS4-HMAC-SHA256 ${scope}, SignedHeaders=host, Signature=0`;

  const once = async (body: string): Promise<string> => {
    const request = {
      method: 'POST',
      url: `https://ec2.${region}.amazonaws.com/`,
      headers: { ...HEADERS, authorization },
      body,
      signal: AbortSignal.timeout(READ_TIMEOUT_MS),
    };
    const answer = await platform.send(request).catch((error: unknown) => {
      throw new Ec2Error(`no answer: ${error instanceof Error ? error.message : String(error)}`);
    });
    if (answer.status === 200) return answer.body;
    throw new Ec2Error(tag('Code', answer.body) ?? `InternalError ${answer.status}`);
  };

  const call: Ec2Client['call'] = async (action, fields) => {
    const body = new URLSearchParams({ Action: action, Version: '2016-11-15', ...fields });
    for (let attempt = 1; ; attempt++) {
      try {
        return await once(body.toString());
      } catch (error) {
        const code = error instanceof Ec2Error ? error.code : '';
        if (!RETRIED.test(code) || attempt === ATTEMPTS) throw error;
        await pause(Math.random() * 2 ** (attempt - 1) * 1000);
      }
    }
  };

  return {
    call,
    describe: async (instanceId) => {
      const xml = await call('DescribeInstances', { 'InstanceId.1': instanceId });
      const root = tag('rootDeviceName', xml);
      const volumeIds = [...xml.matchAll(MAPPING)].flatMap(([, device, volumeId = '']) =>
        device === root ? [] : [volumeId],
      );
      return { state: /<instanceState>.*?<name>([^<]+)/s.exec(xml)?.[1], volumeIds };
    },
    isFree: async (volumeId) => {
      const xml = await call('DescribeVolumes', { 'VolumeId.1': volumeId });
      return tag('status', xml) === 'available';
    },
  };
};

/** Asks again and again until it is so; false when the time is up. */
export const waitUntil = async (
  isSo: () => Promise<boolean>,
  { everyMs, timeoutMs }: { everyMs: number; timeoutMs: number },
): Promise<boolean> => {
  for (let waitedMs = 0; waitedMs < timeoutMs; waitedMs += everyMs) {
    if (await isSo()) return true;
    await pause(everyMs);
  }
  return false;
};

interface Detail {
  'instance-id'?: string;
  state?: string | { value?: string };
  configuration?: {
    metrics?: { metricStat?: { metric?: { dimensions?: { InstanceId?: string } } } }[];
  };
}

const DOWN = ['stopping', 'stopped', 'shutting-down', 'terminated'];

/** The machine an event calls down: its state says so, or its alarm. */
export const failedInstance = (event: unknown): string | undefined => {
  const { detail = {} } = event as { detail?: Detail };
  const { state, configuration } = detail;
  if (typeof state === 'string') return DOWN.includes(state) ? detail['instance-id'] : undefined;
  const dimensions = configuration?.metrics?.[0]?.metricStat?.metric?.dimensions;
  return state?.value === 'ALARM' ? dimensions?.InstanceId : undefined;
};
