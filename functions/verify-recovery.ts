import { createClusterLedger } from '../src/adapters/dynamodb/cluster-ledger.ts';
import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { createOwnershipLedger } from '../src/adapters/dynamodb/ownership-ledger.ts';
import { createSafekeeping } from '../src/adapters/ec2/safekeeping.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import { createVerifyRecovery } from '../src/application/verify-recovery.ts';
import { dcos, events, pace, scope } from '../src/config/sections.ts';
import { StepInput, VerifyRecoveryOutput } from '../src/contracts/steps.ts';
import { isRehearsal } from '../src/domain/ids.ts';
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
    name: 'VerifyRecovery',
    input: StepInput,
    output: VerifyRecoveryOutput,
    sections: { dcos, events, pace, scope },
  },
  ({ config, options, platform, table, telemetry }) => {
    const ec2 = ec2Client(options);
    const verify = createVerifyRecovery({
      ledger: ledgerOf(
        createIncidentLedger(table),
        createClusterLedger(table),
        createOwnershipLedger(table),
      ),
      compute: { ...readsOf(ec2, config.scope), ...createSafekeeping({ client: ec2 }) },
      orchestrator: orchestratorOf(options, config.dcos, platform),
      events: eventsOf(options, config.events, telemetry),
      pace: paceOf(table, config),
      scope: config.scope,
      clock: systemClock,
    });
    // Nothing was told to anybody in a rehearsal: there is nothing to look for.
    return async (input) =>
      isRehearsal(input.incidentId) ? { kind: 'recovered' as const } : verify(input);
  },
);
