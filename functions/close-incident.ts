import { createClusterLedger } from '../src/adapters/dynamodb/cluster-ledger.ts';
import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import { createCloseIncident } from '../src/application/close-incident.ts';
import { events } from '../src/config/sections.ts';
import { CloseIncidentOutput, StepInput } from '../src/contracts/steps.ts';
import { defineServiceFunction } from '../src/runtime/service-function.ts';
import { eventsOf, groupsOf, hooksOf, ledgerOf } from '../src/runtime/wiring.ts';

export const { createHandler, handler } = defineServiceFunction(
  { name: 'CloseIncident', input: StepInput, output: CloseIncidentOutput, sections: { events } },
  ({ config, options, table, telemetry }) => {
    return createCloseIncident({
      ledger: ledgerOf(createIncidentLedger(table), createClusterLedger(table)),
      autoScaling: { ...groupsOf(options), ...hooksOf(options) },
      events: eventsOf(options, config.events, telemetry),
      clock: systemClock,
    });
  },
);
