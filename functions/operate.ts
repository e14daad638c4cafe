import { createClusterLedger } from '../src/adapters/dynamodb/cluster-ledger.ts';
import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { createOrderLedger } from '../src/adapters/dynamodb/order-ledger.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import { createOperate } from '../src/application/operate.ts';
import { events, scope, workflow } from '../src/config/sections.ts';
import { OperateInput, OperateOutput } from '../src/contracts/operate.ts';
import { defineServiceFunction } from '../src/runtime/service-function.ts';
import { eventsOf, ledgerOf, workflowOf } from '../src/runtime/wiring.ts';

export const { createHandler, handler } = defineServiceFunction(
  {
    name: 'Operate',
    input: OperateInput,
    output: OperateOutput,
    sections: { events, scope, workflow },
  },
  ({ config, options, table, telemetry }) =>
    createOperate({
      ledger: ledgerOf(
        createIncidentLedger(table),
        createClusterLedger(table),
        createOrderLedger(table),
      ),
      workflow: workflowOf(options, config.workflow),
      events: eventsOf(options, config.events, telemetry),
      scope: config.scope,
      clock: systemClock,
      ...telemetry,
    }),
);
