import { createClusterLedger } from '../src/adapters/dynamodb/cluster-ledger.ts';
import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { createOwnershipLedger } from '../src/adapters/dynamodb/ownership-ledger.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import { createUndoProtection } from '../src/application/undo-protection.ts';
import { loadConfig } from '../src/config/load-config.ts';
import * as sections from '../src/config/sections.ts';
import { StepInput, UndoProtectionOutput } from '../src/contracts/steps.ts';
import { defineHandler } from '../src/runtime/define-handler.ts';
import { defineFunction } from '../src/runtime/function-module.ts';
import { createTelemetry } from '../src/runtime/telemetry.ts';
import { awsOptions, groupsOf, ledgerOf, ledgerOn, orchestratorOf } from '../src/runtime/wiring.ts';

const name = 'UndoProtection';
const { aws, ledger, cluster, dcos } = sections;

export const { createHandler, handler } = defineFunction((env, platform) => {
  const config = loadConfig(env, { aws, ledger, cluster, dcos });
  const telemetry = createTelemetry({
    function: name,
    cluster: config.cluster.name,
    log: platform.log,
  });
  const options = awsOptions(config.aws, platform);
  const table = ledgerOn(options, config.ledger);
  const useCase = createUndoProtection({
    ledger: ledgerOf(
      createIncidentLedger(table),
      createClusterLedger(table),
      createOwnershipLedger(table),
    ),
    autoScaling: groupsOf(options),
    orchestrator: orchestratorOf(options, config.dcos, platform),
    clock: systemClock,
  });
  return defineHandler(
    { name, input: StepInput, output: UndoProtectionOutput, telemetry },
    useCase,
  );
});
