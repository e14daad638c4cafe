import { createClusterLedger } from '../src/adapters/dynamodb/cluster-ledger.ts';
import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { createOrderLedger } from '../src/adapters/dynamodb/order-ledger.ts';
import { createOwnershipLedger } from '../src/adapters/dynamodb/ownership-ledger.ts';
import { createQuarantineLedger } from '../src/adapters/dynamodb/quarantine-ledger.ts';
import { createStormLedger } from '../src/adapters/dynamodb/storm-ledger.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import { createLook } from '../src/application/look/look.ts';
import { approvals, dcos, policy, scope } from '../src/config/sections.ts';
import { LookInput, LookOutput } from '../src/contracts/look.ts';
import { defineServiceFunction } from '../src/runtime/service-function.ts';
import { ec2Client, ledgerOf, orchestratorOf, readsOf } from '../src/runtime/wiring.ts';

export const { createHandler, handler } = defineServiceFunction(
  {
    name: 'Look',
    input: LookInput,
    output: LookOutput,
    sections: { approvals, dcos, policy, scope },
  },
  ({ config, options, platform, table }) =>
    createLook({
      ledger: ledgerOf(
        createIncidentLedger(table),
        createClusterLedger(table),
        createOwnershipLedger(table),
        createOrderLedger(table),
        createStormLedger(table),
        createQuarantineLedger(table),
      ),
      compute: readsOf(ec2Client(options), config.scope),
      orchestrator: orchestratorOf(options, config.dcos, platform),
      scope: config.scope,
      policy: config.policy,
      approvals: config.approvals,
      clock: systemClock,
    }),
);
