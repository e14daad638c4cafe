import { createClusterLedger } from '../src/adapters/dynamodb/cluster-ledger.ts';
import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import { createDrainAgent } from '../src/application/drain-agent.ts';
import { rehearsable } from '../src/application/rehearsal.ts';
import { dcos, drain, events, policy, scope } from '../src/config/sections.ts';
import { DrainAgentOutput, StepInput } from '../src/contracts/steps.ts';
import { defineServiceFunction } from '../src/runtime/service-function.ts';
import * as wiring from '../src/runtime/wiring.ts';

export const { createHandler, handler } = defineServiceFunction(
  {
    name: 'DrainAgent',
    input: StepInput,
    output: DrainAgentOutput,
    sections: { dcos, drain, events, policy, scope },
  },
  ({ config, options, platform, table, telemetry }) =>
    rehearsable(
      {
        step: 'DrainAgent',
        deps: {
          ledger: wiring.ledgerOf(createIncidentLedger(table), createClusterLedger(table)),
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
      createDrainAgent,
    ),
);
