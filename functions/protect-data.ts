import { createClusterLedger } from '../src/adapters/dynamodb/cluster-ledger.ts';
import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { createOwnershipLedger } from '../src/adapters/dynamodb/ownership-ledger.ts';
import { createSafekeeping } from '../src/adapters/ec2/safekeeping.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import { createProtectData } from '../src/application/protect-data.ts';
import { rehearsable } from '../src/application/rehearsal.ts';
import { dcos, events, pace, scope } from '../src/config/sections.ts';
import { ProtectDataOutput, StepInput } from '../src/contracts/steps.ts';
import { defineServiceFunction } from '../src/runtime/service-function.ts';
import {
  askingClient,
  ec2Client,
  eventsOf,
  groupsOf,
  ledgerOf,
  orchestratorOf,
  paceOf,
  readsOf,
} from '../src/runtime/wiring.ts';

export const { createHandler, handler } = defineServiceFunction(
  {
    name: 'ProtectData',
    input: StepInput,
    output: ProtectDataOutput,
    sections: { dcos, events, pace, scope },
  },
  ({ config, options, platform, table, telemetry }) => {
    const ec2 = ec2Client(options);
    return rehearsable(
      {
        step: 'ProtectData',
        deps: {
          ledger: ledgerOf(
            createIncidentLedger(table),
            createClusterLedger(table),
            createOwnershipLedger(table),
          ),
          compute: { ...readsOf(ec2, config.scope), ...createSafekeeping({ client: ec2 }) },
          autoScaling: groupsOf(options),
          orchestrator: orchestratorOf(options, config.dcos, platform),
          events: eventsOf(options, config.events, telemetry),
          pace: paceOf(table, config),
          scope: config.scope,
          log: telemetry.log,
          clock: systemClock,
        },
        asking: () => createSafekeeping({ client: askingClient(options) }),
      },
      createProtectData,
    );
  },
);
