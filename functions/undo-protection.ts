import { createClusterLedger } from '../src/adapters/dynamodb/cluster-ledger.ts';
import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { createOwnershipLedger } from '../src/adapters/dynamodb/ownership-ledger.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import { rehearsable } from '../src/application/rehearsal.ts';
import { createUndoProtection } from '../src/application/undo-protection.ts';
import { dcos, scope } from '../src/config/sections.ts';
import { StepInput, UndoProtectionOutput } from '../src/contracts/steps.ts';
import { defineServiceFunction } from '../src/runtime/service-function.ts';
import { ec2Client, groupsOf, ledgerOf, orchestratorOf, readsOf } from '../src/runtime/wiring.ts';

export const { createHandler, handler } = defineServiceFunction(
  {
    name: 'UndoProtection',
    input: StepInput,
    output: UndoProtectionOutput,
    sections: { dcos, scope },
  },
  ({ config, options, platform, table, telemetry }) => {
    return rehearsable(
      {
        step: 'UndoProtection',
        deps: {
          ledger: ledgerOf(
            createIncidentLedger(table),
            createClusterLedger(table),
            createOwnershipLedger(table),
          ),
          compute: readsOf(ec2Client(options), config.scope),
          autoScaling: groupsOf(options),
          orchestrator: orchestratorOf(options, config.dcos, platform),
          scope: config.scope,
          clock: systemClock,
          log: telemetry.log,
        },
      },
      createUndoProtection,
    );
  },
);
