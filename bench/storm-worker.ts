import { parentPort, workerData } from 'node:worker_threads';
import { countSweep, playStorm, type StormOptions } from './storm.ts';

/** Beside the failovers: virtual time belongs to a whole thread. */
const { what, options } = workerData as { what: 'storm' | 'sweep'; options: StormOptions };
parentPort?.postMessage(await (what === 'storm' ? playStorm : countSweep)(options));
