import { createClusterLedger } from '../src/adapters/dynamodb/cluster-ledger.ts';
import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { createOwnershipLedger } from '../src/adapters/dynamodb/ownership-ledger.ts';
import { createStormLedger } from '../src/adapters/dynamodb/storm-ledger.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import { createAssessDrain } from '../src/application/assess-drain.ts';
import { rehearsable } from '../src/application/rehearsal.ts';
import { dcos, drain, events, policy, scope } from '../src/config/sections.ts';
import { AssessAgentInput, AssessDrainOutput } from '../src/contracts/steps.ts';
import { defineServiceFunction } from '../src/runtime/service-function.ts';
import * as wiring from '../src/runtime/wiring.ts';

export const { createHandler, handler } = defineServiceFunction(
  {
    name: 'AssessDrain',
    input: AssessAgentInput,
    output: AssessDrainOutput,
    sections: { dcos, drain, events, policy, scope },
  },
  ({ config, options, platform, table, telemetry }) =>
    rehearsable(
      {
        step: 'AssessDrain',
        deps: {
          ledger: wiring.ledgerOf(
            createIncidentLedger(table),
            createClusterLedger(table),
            createOwnershipLedger(table),
            createStormLedger(table),
          ),
          compute: wiring.readsAheadOf(wiring.ec2Client(options), config.scope),
          autoScaling: wiring.hooksOf(options),
          orchestrator: wiring.orchestratorOf(options, config.dcos, platform),
          events: wiring.eventsOf(options, config.events, telemetry),
          scope: config.scope,
          policy: config.policy,
          drain: config.drain,
          clock: systemClock,
        },
      },
      createAssessDrain,
    ),
);
