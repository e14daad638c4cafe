import { createClusterLedger } from '../src/adapters/dynamodb/cluster-ledger.ts';
import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { createAdoption } from '../src/adapters/lambda/functions.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import { createSweep } from '../src/application/sweep.ts';
import { loadConfig } from '../src/config/load-config.ts';
import * as sections from '../src/config/sections.ts';
import { SweepInput, SweepOutput } from '../src/contracts/functions.ts';
import { defineHandler } from '../src/runtime/define-handler.ts';
import { defineFunction } from '../src/runtime/function-module.ts';
import { createTelemetry } from '../src/runtime/telemetry.ts';
import * as wiring from '../src/runtime/wiring.ts';

const name = 'Sweep';
const { adoption, aws, dcos, ledger, scope, warming, workflow } = sections;

export const { createHandler, handler } = defineFunction((env, platform) => {
  const config = loadConfig(env, { adoption, aws, dcos, ledger, scope, warming, workflow });
  const telemetry = createTelemetry({
    function: name,
    cluster: config.scope.cluster,
    log: platform.log,
  });
  const options = wiring.awsOptions(config.aws, platform);
  const table = wiring.ledgerOn(options, config.ledger);
  const lambda = wiring.lambdaClient(options);
  const sweep = createSweep({
    ledger: wiring.ledgerOf(createIncidentLedger(table), createClusterLedger(table)),
    compute: wiring.readsOf(wiring.ec2Client(options), config.scope),
    orchestrator: wiring.orchestratorOf(options, config.dcos, platform),
    workflow: wiring.workflowOf(options, config.workflow),
    functions: wiring.functionsOf(lambda, config.warming, telemetry),
    adoption: createAdoption({ client: lambda, ...config.adoption }),
    scope: config.scope,
    clock: systemClock,
    ...telemetry,
  });
  return defineHandler({ name, input: SweepInput, output: SweepOutput, telemetry }, sweep);
});
