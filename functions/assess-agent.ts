import { createClusterLedger } from '../src/adapters/dynamodb/cluster-ledger.ts';
import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { createOwnershipLedger } from '../src/adapters/dynamodb/ownership-ledger.ts';
import { createQuarantineLedger } from '../src/adapters/dynamodb/quarantine-ledger.ts';
import { createStormLedger } from '../src/adapters/dynamodb/storm-ledger.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import { createAssessAgent } from '../src/application/assess-agent.ts';
import { rehearsable } from '../src/application/rehearsal.ts';
import { approvals, dcos, events, pace, policy, returned, scope } from '../src/config/sections.ts';
import { AssessAgentInput, AssessAgentOutput } from '../src/contracts/steps.ts';
import { defineServiceFunction } from '../src/runtime/service-function.ts';
import {
  ec2Client,
  eventsOf,
  ledgerOf,
  orchestratorOf,
  paceOf,
  readsOf,
} from '../src/runtime/wiring.ts';

export const { createHandler, handler } = defineServiceFunction(
  {
    name: 'AssessAgent',
    input: AssessAgentInput,
    output: AssessAgentOutput,
    sections: { approvals, dcos, events, pace, policy, returned, scope },
  },
  ({ config, options, platform, table, telemetry }) => {
    const ec2 = ec2Client(options);
    return rehearsable(
      {
        step: 'AssessAgent',
        deps: {
          ledger: ledgerOf(
            createIncidentLedger(table),
            createClusterLedger(table),
            createOwnershipLedger(table),
            createStormLedger(table),
            createQuarantineLedger(table),
          ),
          compute: readsOf(ec2, config.scope),
          orchestrator: orchestratorOf(options, config.dcos, platform),
          events: eventsOf(options, config.events, telemetry),
          pace: paceOf(table, config),
          scope: config.scope,
          policy: config.policy,
          ...config.returned,
          approvals: config.approvals,
          clock: systemClock,
        },
      },
      createAssessAgent,
    );
  },
);
