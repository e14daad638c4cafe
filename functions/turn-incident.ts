import { createClusterLedger } from '../src/adapters/dynamodb/cluster-ledger.ts';
import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import { createTurnIncident } from '../src/application/turn-incident.ts';
import { workflow } from '../src/config/sections.ts';
import { TurnIncidentInput, TurnIncidentOutput } from '../src/contracts/steps.ts';
import { defineServiceFunction } from '../src/runtime/service-function.ts';
import { ledgerOf, workflowOf } from '../src/runtime/wiring.ts';

export const { createHandler, handler } = defineServiceFunction(
  {
    name: 'TurnIncident',
    input: TurnIncidentInput,
    output: TurnIncidentOutput,
    sections: { workflow },
  },
  ({ config, options, table, telemetry }) =>
    createTurnIncident({
      ledger: ledgerOf(createIncidentLedger(table), createClusterLedger(table)),
      workflow: workflowOf(options, config.workflow),
      log: telemetry.log,
      clock: systemClock,
    }),
);
