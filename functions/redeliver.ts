import { systemClock } from '../src/adapters/system/system-clock.ts';
import { createRedeliver } from '../src/application/redeliver.ts';
import { parkedNews, RedeliverInput, RedeliverOutput } from '../src/contracts/functions.ts';
import { notifySections, tellOf } from '../src/runtime/notify-wiring.ts';
import { defineServiceFunction } from '../src/runtime/service-function.ts';

/** None: the queue brings it again, and others wait in the same batch. */
const waitMaxMs = 0;

export const { createHandler, handler } = defineServiceFunction(
  { name: 'Redeliver', input: RedeliverInput, output: RedeliverOutput, sections: notifySections },
  (wiring) => {
    const redeliver = createRedeliver({
      ...tellOf(wiring, waitMaxMs),
      cluster: wiring.config.cluster.name,
      clock: systemClock,
      ...wiring.telemetry,
    });
    return async ({ Records }) => {
      const parked = Records.map(({ messageId: id, body }) => ({ id, news: parkedNews(body) }));
      const left = await redeliver(parked);
      return { batchItemFailures: left.map((itemIdentifier) => ({ itemIdentifier })) };
    };
  },
);
