import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';

/** What the module of a player exports: plays one request in a thread's own virtual time. */
export type Play<Request, Options, Result> = (
  request: Request,
  options: Options,
) => Promise<Result>;

export interface PoolOptions<Options> {
  /** What each player is told. */
  options: Options;
  threads?: number;
  /** Once true, nothing more is begun. */
  isOver?: () => boolean;
}

/**
 * Plays requests on worker threads, each thread one at a time; results come as they end. `player`
 * is a module that exports `play`.
 */
export const playAll = <Request, Options, Result>(
  player: URL,
  requests: readonly Request[],
  { options, threads = availableParallelism(), isOver = () => false }: PoolOptions<Options>,
  onResult: (result: Result) => void,
): Promise<void> => {
  const waiting = [...requests];
  const thread = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const workerData = { player: player.href, options };
      const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData });
      const next = (): void => {
        const request = isOver() ? undefined : waiting.shift();
        if (request === undefined) void worker.terminate().then(() => resolve());
        else worker.postMessage(request);
      };
      worker.on('message', (result: Result) => {
        onResult(result);
        next();
      });
      worker.on('error', reject);
      next();
    });
  const count = Math.max(1, Math.min(threads, requests.length));
  return Promise.all(Array.from({ length: count }, thread)).then(() => undefined);
};
