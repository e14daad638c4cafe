import { NotifyInput, NotifyOutput } from '../src/contracts/functions.ts';
import { notifyOf, notifySections } from '../src/runtime/notify-wiring.ts';
import { defineServiceFunction } from '../src/runtime/service-function.ts';

/** Waited out within one run; what takes longer is tried again by Lambda, and then parked. */
const waitMaxMs = 20_000;

export const { createHandler, handler } = defineServiceFunction(
  { name: 'Notify', input: NotifyInput, output: NotifyOutput, sections: notifySections },
  (wiring) => {
    const notify = notifyOf(wiring, waitMaxMs);
    return ({ detail }) => notify(detail);
  },
);
