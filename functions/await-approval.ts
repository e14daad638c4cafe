import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import { createAwaitApproval } from '../src/application/await-approval.ts';
import { AwaitApprovalInput, AwaitApprovalOutput } from '../src/contracts/steps.ts';
import { defineServiceFunction } from '../src/runtime/service-function.ts';
import { answersOf, ledgerOf } from '../src/runtime/wiring.ts';

export const { createHandler, handler } = defineServiceFunction(
  {
    name: 'AwaitApproval',
    input: AwaitApprovalInput,
    output: AwaitApprovalOutput,
    sections: {},
  },
  ({ options, table, telemetry }) =>
    createAwaitApproval({
      ledger: ledgerOf(createIncidentLedger(table)),
      workflow: answersOf(options),
      log: telemetry.log,
      clock: systemClock,
    }),
);
