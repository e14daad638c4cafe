import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createWallTime } from './core/wall-time.ts';
import { WireError, type WireResponse } from './core/wire.ts';
import type { Network } from './network.ts';
import { createWorld, type World, type WorldOptions } from './world.ts';

export interface Local {
  world: World;
  /** `http://127.0.0.1:4566` */
  endpoint: string;
  /** Ends open connections and frees the port. */
  close(): Promise<void>;
}

const BODY_BYTES_MAX = 16 * 1024 * 1024;

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

/** One HTTP port in front of an emulated network. */
const serve = (network: Network, origin: () => string): Server =>
  createServer((incoming, outgoing) => {
    const answer = async (): Promise<WireResponse> => {
      const { method = 'GET', url = '/' } = incoming;
      const headers = headersOf(incoming);
      return network.send({
        method,
        url: `${origin()}${url}`,
        headers,
        body: await bodyOf(incoming),
      });
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
  const server = serve(world.network, () => local.endpoint);
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
