import { createClusterLedger } from '../src/adapters/dynamodb/cluster-ledger.ts';
import { createDriftLedger } from '../src/adapters/dynamodb/drift-ledger.ts';
import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { createOwnershipLedger } from '../src/adapters/dynamodb/ownership-ledger.ts';
import { createQuarantineLedger } from '../src/adapters/dynamodb/quarantine-ledger.ts';
import { createStormLedger } from '../src/adapters/dynamodb/storm-ledger.ts';
import { createAdoption } from '../src/adapters/lambda/functions.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import { createSweep } from '../src/application/sweep.ts';
import { adoption, dcos, events, grace, scope, warming, workflow } from '../src/config/sections.ts';
import { SweepInput, SweepOutput } from '../src/contracts/functions.ts';
import { defineServiceFunction } from '../src/runtime/service-function.ts';
import * as wiring from '../src/runtime/wiring.ts';

export const { createHandler, handler } = defineServiceFunction(
  {
    name: 'Sweep',
    input: SweepInput,
    output: SweepOutput,
    sections: { adoption, dcos, events, grace, scope, warming, workflow },
  },
  ({ config, options, platform, table, telemetry }) => {
    const lambda = wiring.lambdaClient(options);
    return createSweep({
      ledger: wiring.ledgerOf(
        createIncidentLedger(table),
        createClusterLedger(table),
        createStormLedger(table),
        createQuarantineLedger(table),
        createOwnershipLedger(table),
        createDriftLedger(table),
      ),
      events: wiring.eventsOf(options, config.events, telemetry),
      compute: wiring.readsOf(wiring.ec2Client(options), config.scope),
      orchestrator: wiring.orchestratorOf(options, config.dcos, platform),
      workflow: wiring.workflowOf(options, config.workflow),
      functions: wiring.functionsOf(lambda, config.warming, telemetry),
      adoption: createAdoption({ client: lambda, ...config.adoption }),
      scope: config.scope,
      policy: config.grace,
      clock: systemClock,
      ...telemetry,
    });
  },
);
