import { createClusterLedger } from '../src/adapters/dynamodb/cluster-ledger.ts';
import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { createQuarantineLedger } from '../src/adapters/dynamodb/quarantine-ledger.ts';
import { createMachineMarks } from '../src/adapters/ec2/machine-marks.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import { createQuarantineAgent } from '../src/application/quarantine-agent.ts';
import { dcos, scope } from '../src/config/sections.ts';
import { QuarantineAgentOutput, StepInput } from '../src/contracts/steps.ts';
import { defineServiceFunction } from '../src/runtime/service-function.ts';
import { ec2Client, ledgerOf, orchestratorOf, readsOf } from '../src/runtime/wiring.ts';

export const { createHandler, handler } = defineServiceFunction(
  {
    name: 'QuarantineAgent',
    input: StepInput,
    output: QuarantineAgentOutput,
    sections: { dcos, scope },
  },
  ({ config, options, platform, table }) => {
    const ec2 = ec2Client(options);
    return createQuarantineAgent({
      ledger: ledgerOf(
        createIncidentLedger(table),
        createClusterLedger(table),
        createQuarantineLedger(table),
      ),
      compute: { ...readsOf(ec2, config.scope), ...createMachineMarks({ client: ec2 }) },
      orchestrator: orchestratorOf(options, config.dcos, platform),
      scope: config.scope,
      clock: systemClock,
    });
  },
);
