import { createClusterLedger } from '../src/adapters/dynamodb/cluster-ledger.ts';
import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { createOwnershipLedger } from '../src/adapters/dynamodb/ownership-ledger.ts';
import { createPowerControl } from '../src/adapters/ec2/power-control.ts';
import { createSafekeeping } from '../src/adapters/ec2/safekeeping.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import { createFenceAgent } from '../src/application/fence-agent.ts';
import { rehearsable } from '../src/application/rehearsal.ts';
import { approvals, dcos, events, pace, policy, scope } from '../src/config/sections.ts';
import { FenceAgentOutput, StepInput } from '../src/contracts/steps.ts';
import { defineServiceFunction } from '../src/runtime/service-function.ts';
import {
  askingClient,
  ec2Client,
  eventsOf,
  ledgerOf,
  orchestratorOf,
  paceOf,
  readsOf,
} from '../src/runtime/wiring.ts';

export const { createHandler, handler } = defineServiceFunction(
  {
    name: 'FenceAgent',
    input: StepInput,
    output: FenceAgentOutput,
    sections: { approvals, dcos, events, pace, policy, scope },
  },
  ({ config, options, platform, table, telemetry }) => {
    const ec2 = ec2Client(options);
    return rehearsable(
      {
        step: 'FenceAgent',
        deps: {
          ledger: ledgerOf(
            createIncidentLedger(table),
            createClusterLedger(table),
            createOwnershipLedger(table),
          ),
          compute: {
            ...readsOf(ec2, config.scope),
            ...createPowerControl({ client: ec2 }),
            ...createSafekeeping({ client: ec2 }),
          },
          orchestrator: orchestratorOf(options, config.dcos, platform),
          events: eventsOf(options, config.events, telemetry),
          pace: paceOf(table, config),
          scope: config.scope,
          policy: config.policy,
          approvals: config.approvals,
          clock: systemClock,
          log: telemetry.log,
        },
        asking: () => ({
          ...createPowerControl({ client: askingClient(options) }),
          ...createSafekeeping({ client: askingClient(options) }),
        }),
      },
      createFenceAgent,
    );
  },
);
