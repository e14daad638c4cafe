import { NotifyInput, NotifyOutput } from '../src/contracts/functions.ts';
import { notifySections, tellOf } from '../src/runtime/notify-wiring.ts';
import { defineServiceFunction } from '../src/runtime/service-function.ts';

/** Waited out within one run; what takes longer is tried again by Lambda, and then parked. */
const waitMaxMs = 10_000;

export const { createHandler, handler } = defineServiceFunction(
  { name: 'Notify', input: NotifyInput, output: NotifyOutput, sections: notifySections },
  (wiring) => {
    const { tell } = tellOf(wiring, waitMaxMs);
    return ({ detail }) => tell(detail);
  },
);
