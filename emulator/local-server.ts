import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createWallTime } from './core/wall-time.ts';
import { WireError, type WireRequest, type WireResponse } from './core/wire.ts';
import { credentialOf } from './routing.ts';
import { ec2Error, queryError } from './services/query-protocol.ts';
import { SNS_NAMESPACE } from './services/sns/sns.ts';
import { STS_NAMESPACE } from './services/sts/sts.ts';
import { createWorld, type World, type WorldOptions } from './world.ts';

export interface Local {
  world: World;
  /** `http://127.0.0.1:4566` */
  endpoint: string;
  /** Ends open connections and frees the port. */
  close(): Promise<void>;
}

const BODY_BYTES_MAX = 16 * 1024 * 1024;
/** The request id of an answer that no service gave. */
const REFUSED = '00000000-0000-0000-0000-000000000000';
const AUTOSCALING = 'http://autoscaling.amazonaws.com/doc/2011-01-01/';

const bodyOf = async (incoming: IncomingMessage): Promise<string> => {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming) {
    length += chunk.length;
    if (length > BODY_BYTES_MAX) throw new RangeError('the body is longer than 16 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
};

/** Node gives repeated headers as lists; the emulated wire has one line per name. */
const headersOf = (incoming: IncomingMessage): Record<string, string> =>
  Object.fromEntries(
    Object.entries(incoming.headers).map(([name, value]) => [name, String(value)]),
  );

/** A connection reset is passed on as one (undefined); all else says what is wrong. */
const failure = (error: unknown): WireResponse | undefined => {
  if (error instanceof WireError && error.code === 'ECONNRESET') return undefined;
  return {
    status: error instanceof RangeError ? 413 : 502,
    headers: { 'content-type': 'text/plain' },
    body: `${error instanceof Error ? error.message : String(error)}\n`,
  };
};

/**
 * The endpoint of a region refuses what is signed for another one, each protocol in its own words.
 * Undefined: nothing is wrong.
 */
const wrongRegion = (request: WireRequest, region: string): WireResponse | undefined => {
  const signed = credentialOf(request);
  if (signed === undefined || signed.region === region) return undefined;
  const message = `Credential should be scoped to a valid region, not '${signed.region}'.`;
  const mismatch = { code: 'SignatureDoesNotMatch', message };
  if (signed.service === 'ec2') return ec2Error(403, REFUSED, mismatch);
  if (signed.service === 'sts') return queryError(STS_NAMESPACE, 403, REFUSED, mismatch);
  if (signed.service === 'sns') return queryError(SNS_NAMESPACE, 403, REFUSED, mismatch);
  if (signed.service === 'autoscaling') return queryError(AUTOSCALING, 403, REFUSED, mismatch);
  const code = 'InvalidSignatureException';
  return {
    status: 403,
    headers: { 'content-type': 'application/json', 'x-amzn-errortype': code },
    body: JSON.stringify({ __type: code, message }),
  };
};

/** One HTTP port in front of the world's network. */
const serve = ({ network, infra }: World, origin: () => string): Server =>
  createServer((incoming, outgoing) => {
    const answer = async (): Promise<WireResponse> => {
      const { method = 'GET', url = '/' } = incoming;
      const headers = headersOf(incoming);
      const body = await bodyOf(incoming);
      const request = { method, url: `${origin()}${url}`, headers, body };
      return wrongRegion(request, infra.region) ?? network.send(request);
    };
    const pass = async (): Promise<void> => {
      const response = await answer().catch(failure);
      if (response) outgoing.writeHead(response.status, response.headers).end(response.body);
      else incoming.socket.destroy();
    };
    void pass();
  });

/**
 * The same world on wall time behind one port of 127.0.0.1, for the AWS CLI, boto3, SDKs
 * (`AWS_ENDPOINT_URL`) and curl (`/service/marathon/v2/apps`, `/mesos/api/v1`, `/slack/api/...`).
 * Port 0 takes a free one. Rejects when the port is taken.
 */
export const startLocal = async (
  options: Partial<Omit<WorldOptions, 'time'>> & { port?: number } = {},
): Promise<Local> => {
  const { port = 0, seed = 1, ...rest } = options;
  const world = await createWorld({ ...rest, seed, time: createWallTime() });
  // Whoever has an event at hand may put it here, although AWS lets nobody speak in its name.
  world.faults.awsEventsByHand = true;
  const server = serve(world, () => local.endpoint);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', resolve);
  });
  const local: Local = {
    world,
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
  return local;
};
