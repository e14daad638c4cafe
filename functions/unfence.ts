import { createClusterLedger } from '../src/adapters/dynamodb/cluster-ledger.ts';
import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { createOwnershipLedger } from '../src/adapters/dynamodb/ownership-ledger.ts';
import { createQuarantineLedger } from '../src/adapters/dynamodb/quarantine-ledger.ts';
import { createMachineMarks } from '../src/adapters/ec2/machine-marks.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import { createUnfence } from '../src/application/unfence.ts';
import { dcos, scope } from '../src/config/sections.ts';
import { UnfenceInput, UnfenceOutput } from '../src/contracts/functions.ts';
import { defineServiceFunction } from '../src/runtime/service-function.ts';
import { ec2Client, ledgerOf, orchestratorOf, readsOf } from '../src/runtime/wiring.ts';

export const { createHandler, handler } = defineServiceFunction(
  { name: 'Unfence', input: UnfenceInput, output: UnfenceOutput, sections: { dcos, scope } },
  ({ config, options, platform, table, telemetry }) => {
    const ec2 = ec2Client(options);
    return createUnfence({
      ledger: ledgerOf(
        createIncidentLedger(table),
        createClusterLedger(table),
        createOwnershipLedger(table),
        createQuarantineLedger(table),
      ),
      compute: { ...readsOf(ec2, config.scope), ...createMachineMarks({ client: ec2 }) },
      orchestrator: orchestratorOf(options, config.dcos, platform),
      scope: config.scope,
      clock: systemClock,
      ...telemetry,
    });
  },
);
