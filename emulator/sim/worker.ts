import { parentPort, workerData } from 'node:worker_threads';
import type { Play } from './pool.ts';

/** One thread's share of the work, asked for one at a time: virtual time is a whole thread's. */
const { player, options } = workerData as { player: string; options: unknown };
const { play } = (await import(player)) as { play: Play<unknown, unknown, unknown> };
parentPort?.on('message', async (request: unknown) => {
  parentPort?.postMessage(await play(request, options));
});
