import { createClusterLedger } from '../src/adapters/dynamodb/cluster-ledger.ts';
import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { createStormLedger } from '../src/adapters/dynamodb/storm-ledger.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import { createHoldIncident } from '../src/application/hold-incident.ts';
import { orPlan } from '../src/application/report-plan.ts';
import { events } from '../src/config/sections.ts';
import { HoldIncidentInput, HoldIncidentOutput } from '../src/contracts/steps.ts';
import { defineServiceFunction } from '../src/runtime/service-function.ts';
import { eventsOf, ledgerOf } from '../src/runtime/wiring.ts';

export const { createHandler, handler } = defineServiceFunction(
  {
    name: 'HoldIncident',
    input: HoldIncidentInput,
    output: HoldIncidentOutput,
    sections: { events },
  },
  ({ config, options, table, telemetry }) => {
    const deps = {
      ledger: ledgerOf(
        createIncidentLedger(table),
        createStormLedger(table),
        createClusterLedger(table),
      ),
      events: eventsOf(options, config.events, telemetry),
      log: telemetry.log,
      clock: systemClock,
    };
    const useCase = orPlan(deps, createHoldIncident(deps));
    return ({ state, ...keys }) =>
      useCase({
        ...keys,
        ...(state.error === undefined ? {} : { failure: { error: state.error.Error } }),
      });
  },
);
