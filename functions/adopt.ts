import { createClusterLedger } from '../src/adapters/dynamodb/cluster-ledger.ts';
import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { createOwnershipLedger } from '../src/adapters/dynamodb/ownership-ledger.ts';
import { createQuarantineLedger } from '../src/adapters/dynamodb/quarantine-ledger.ts';
import { createSafekeeping } from '../src/adapters/ec2/safekeeping.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import { createAdopt } from '../src/application/adopt.ts';
import { dcos, scope } from '../src/config/sections.ts';
import { AdoptInput, AdoptOutput } from '../src/contracts/functions.ts';
import { defineServiceFunction } from '../src/runtime/service-function.ts';
import * as wiring from '../src/runtime/wiring.ts';

export const { createHandler, handler } = defineServiceFunction(
  { name: 'Adopt', input: AdoptInput, output: AdoptOutput, sections: { dcos, scope } },
  ({ config, options, platform, table, telemetry }) => {
    const ec2 = wiring.ec2Client(options);
    return createAdopt({
      ledger: wiring.ledgerOf(
        createIncidentLedger(table),
        createClusterLedger(table),
        createOwnershipLedger(table),
        createQuarantineLedger(table),
      ),
      compute: { ...wiring.readsOf(ec2, config.scope), ...createSafekeeping({ client: ec2 }) },
      orchestrator: wiring.orchestratorOf(options, config.dcos, platform),
      scope: config.scope,
      clock: systemClock,
      ...telemetry,
    });
  },
);
