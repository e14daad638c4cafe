import { parentPort, workerData } from 'node:worker_threads';
import { countSweep, playStorm, type StormOptions } from './storm.ts';

/** Beside the failovers: virtual time belongs to a whole thread. */
const { storm, sweep } = workerData as { storm: StormOptions; sweep: StormOptions };
parentPort?.postMessage({ storm: await playStorm(storm), sweep: await countSweep(sweep) });
