import { parentPort, workerData } from 'node:worker_threads';
import { sample } from './sample.ts';

/** One thread's share of the seeds: virtual time belongs to a whole thread. */
const { jobs } = workerData as { jobs: { seed: number; cold: boolean }[] };
for (const { seed, cold } of jobs) parentPort?.postMessage(await sample(seed, cold));
