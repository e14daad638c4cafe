import { createClusterLedger } from '../src/adapters/dynamodb/cluster-ledger.ts';
import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { createOwnershipLedger } from '../src/adapters/dynamodb/ownership-ledger.ts';
import { createSafekeeping } from '../src/adapters/ec2/safekeeping.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import { createVerifyRecovery } from '../src/application/verify-recovery.ts';
import { loadConfig } from '../src/config/load-config.ts';
import * as sections from '../src/config/sections.ts';
import { StepInput, VerifyRecoveryOutput } from '../src/contracts/steps.ts';
import { defineHandler } from '../src/runtime/define-handler.ts';
import { defineFunction } from '../src/runtime/function-module.ts';
import { createTelemetry } from '../src/runtime/telemetry.ts';
import {
  awsOptions,
  ec2Client,
  eventsOf,
  ledgerOf,
  ledgerOn,
  orchestratorOf,
  readsOf,
} from '../src/runtime/wiring.ts';

const name = 'VerifyRecovery';
const { aws, ledger, scope, events, dcos } = sections;

export const { createHandler, handler } = defineFunction((env, platform) => {
  const config = loadConfig(env, { aws, ledger, scope, events, dcos });
  const telemetry = createTelemetry({
    function: name,
    cluster: config.scope.cluster,
    log: platform.log,
  });
  const options = awsOptions(config.aws, platform);
  const table = ledgerOn(options, config.ledger);
  const ec2 = ec2Client(options);
  const useCase = createVerifyRecovery({
    ledger: ledgerOf(
      createIncidentLedger(table),
      createClusterLedger(table),
      createOwnershipLedger(table),
    ),
    compute: { ...readsOf(ec2, config.scope), ...createSafekeeping({ client: ec2 }) },
    orchestrator: orchestratorOf(options, config.dcos, platform),
    events: eventsOf(options, config.events, telemetry),
    scope: config.scope,
    clock: systemClock,
  });
  return defineHandler(
    { name, input: StepInput, output: VerifyRecoveryOutput, telemetry },
    useCase,
  );
});
