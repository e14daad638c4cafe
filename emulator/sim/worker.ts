import { parentPort, workerData } from 'node:worker_threads';
import { type PlanRequest, planFor } from './plan.ts';
import { playSeed } from './seed.ts';

/** One thread's share of the seeds, asked for one at a time: virtual time is a whole thread's. */
const { trace } = workerData as { trace: boolean };
parentPort?.on('message', async (request: PlanRequest) => {
  parentPort?.postMessage(await playSeed(planFor(request), { trace }));
});
