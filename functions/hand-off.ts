import { createClusterLedger } from '../src/adapters/dynamodb/cluster-ledger.ts';
import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { createOwnershipLedger } from '../src/adapters/dynamodb/ownership-ledger.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import { createHandOff } from '../src/application/hand-off.ts';
import { rehearsable } from '../src/application/rehearsal.ts';
import { dcos, events, pace, policy, scope } from '../src/config/sections.ts';
import { HandOffOutput, StepInput } from '../src/contracts/steps.ts';
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
    name: 'HandOff',
    input: StepInput,
    output: HandOffOutput,
    sections: { dcos, events, pace, policy, scope },
  },
  ({ config, options, platform, table, telemetry }) => {
    const ec2 = ec2Client(options);
    return rehearsable(
      {
        step: 'HandOff',
        deps: {
          ledger: ledgerOf(
            createIncidentLedger(table),
            createClusterLedger(table),
            createOwnershipLedger(table),
          ),
          compute: readsOf(ec2, config.scope),
          orchestrator: orchestratorOf(options, config.dcos, platform),
          events: eventsOf(options, config.events, telemetry),
          pace: paceOf(table, config),
          scope: config.scope,
          policy: config.policy,
          clock: systemClock,
        },
      },
      createHandOff,
    );
  },
);
