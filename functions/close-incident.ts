import { createClusterLedger } from '../src/adapters/dynamodb/cluster-ledger.ts';
import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { createOwnershipLedger } from '../src/adapters/dynamodb/ownership-ledger.ts';
import { createQuarantineLedger } from '../src/adapters/dynamodb/quarantine-ledger.ts';
import { createMachineMarks } from '../src/adapters/ec2/machine-marks.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import { createCloseIncident } from '../src/application/close-incident.ts';
import { orPlan } from '../src/application/report-plan.ts';
import { events, scope } from '../src/config/sections.ts';
import { CloseIncidentOutput, StepInput } from '../src/contracts/steps.ts';
import { defineServiceFunction } from '../src/runtime/service-function.ts';
import {
  ec2Client,
  eventsOf,
  groupsOf,
  hooksOf,
  ledgerOf,
  readsOf,
} from '../src/runtime/wiring.ts';

export const { createHandler, handler } = defineServiceFunction(
  {
    name: 'CloseIncident',
    input: StepInput,
    output: CloseIncidentOutput,
    sections: { events, scope },
  },
  ({ config, options, table, telemetry }) => {
    const ec2 = ec2Client(options);
    const deps = {
      ledger: ledgerOf(
        createIncidentLedger(table),
        createOwnershipLedger(table),
        createQuarantineLedger(table),
        createClusterLedger(table),
      ),
      compute: { ...readsOf(ec2, config.scope), ...createMachineMarks({ client: ec2 }) },
      autoScaling: { ...groupsOf(options), ...hooksOf(options) },
      events: eventsOf(options, config.events, telemetry),
      scope: config.scope,
      clock: systemClock,
      log: telemetry.log,
    };
    return orPlan(deps, createCloseIncident(deps));
  },
);
