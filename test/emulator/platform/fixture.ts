import { fileURLToPath } from 'node:url';
import { createRng } from '../../../emulator/core/random.ts';
import { createVirtualTime, type VirtualTime } from '../../../emulator/core/virtual-time.ts';
import { loadInfra } from '../../../emulator/infra.ts';
import latency from '../../../emulator/latency.json' with { type: 'json' };
import {
  createPlatform,
  type Faults,
  loadModules,
  type Platform,
} from '../../../emulator/platform.ts';

const ROOT = fileURLToPath(new URL('./stack', import.meta.url));
export const START = Date.UTC(2026, 10, 22, 21, 0, 0);
export const ACCOUNT = '123456789012';
export const REGION = 'us-east-1';

export const stackInfra = (parameters: Record<string, string> = { ClusterName: 'blue' }) =>
  loadInfra({
    folder: `${ROOT}/infra`,
    account: ACCOUNT,
    region: REGION,
    stack: 'test',
    parameters,
  });

export interface Fixture extends Platform {
  time: VirtualTime;
  faults: Faults;
  /** Runs virtual time until the promise has settled. */
  settle<T>(work: Promise<T>): Promise<T>;
  /** A JSON-protocol call from outside, answered as parsed JSON with its status. */
  call(service: string, target: string, input: object, accessKeyId?: string): Promise<Answer>;
}
export interface Answer {
  status: number;
  body: Record<string, unknown>;
}

export const headersFor = (service: string, accessKeyId: string, target: string) => ({
  'content-type': 'application/x-amz-json-1.0',
  'x-amz-target': target,
  'x-amz-date': '20261122T210000Z',
  authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/20261122/${REGION}/${service}/aws4_request, SignedHeaders=host, Signature=0`,
});

const open: VirtualTime[] = [];
/** Gives the clock back; for afterEach. */
export const closeAll = (): void => {
  for (const time of open.splice(0)) time.uninstall();
};

/** The small stack beside this file, on virtual time. */
export const createFixture = async (seed = 1): Promise<Fixture> => {
  const infra = stackInfra();
  const modules = await loadModules(ROOT, infra.functions);
  const time = createVirtualTime(START, seed);
  open.push(time);
  const faults: Faults = {};
  const platform = createPlatform({
    root: ROOT,
    time,
    rng: createRng(seed),
    infra,
    modules,
    latency,
    dcosHost: 'dcos.internal',
    slack: { token: 'xoxb-good', channels: ['C1'] },
    faults,
  });
  const settle = async <T>(work: Promise<T>): Promise<T> => {
    let done = false;
    const watched = work.finally(() => {
      done = true;
    });
    watched.catch(() => {});
    await time.run({ until: () => done, horizonMs: 86_400_000 });
    if (!done) throw new Error('it never settled');
    return watched;
  };
  await settle(platform.dynamodb.ready());
  time.after(1, () => {});
  await time.run({ until: () => false, horizonMs: 2 });
  return {
    ...platform,
    time,
    faults,
    settle,
    call: async (service, target, input, accessKeyId = 'AKIAPERSON') => {
      const response = await settle(
        platform.network.send({
          method: 'POST',
          url: `https://${service}.${REGION}.amazonaws.com/`,
          headers: headersFor(service, accessKeyId, target),
          body: JSON.stringify(input),
        }),
      );
      return { status: response.status, body: JSON.parse(response.body) };
    },
  };
};
