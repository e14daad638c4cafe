import { createClusterLedger } from '../src/adapters/dynamodb/cluster-ledger.ts';
import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { createPowerControl } from '../src/adapters/ec2/power-control.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import { createFenceAgent } from '../src/application/fence-agent.ts';
import { loadConfig } from '../src/config/load-config.ts';
import * as sections from '../src/config/sections.ts';
import { FenceAgentOutput, StepInput } from '../src/contracts/steps.ts';
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

const name = 'FenceAgent';
const { aws, ledger, scope, events, dcos, policy } = sections;

export const { createHandler, handler } = defineFunction((env, platform) => {
  const config = loadConfig(env, { aws, ledger, scope, events, dcos, policy });
  const telemetry = createTelemetry({
    function: name,
    cluster: config.scope.cluster,
    log: platform.log,
  });
  const options = awsOptions(config.aws, platform);
  const table = ledgerOn(options, config.ledger);
  const ec2 = ec2Client(options);
  const useCase = createFenceAgent({
    ledger: ledgerOf(createIncidentLedger(table), createClusterLedger(table)),
    compute: { ...readsOf(ec2, config.scope), ...createPowerControl({ client: ec2 }) },
    orchestrator: orchestratorOf(options, config.dcos, platform),
    events: eventsOf(options, config.events, telemetry),
    scope: config.scope,
    policy: config.policy,
    clock: systemClock,
    log: telemetry.log,
  });
  return defineHandler({ name, input: StepInput, output: FenceAgentOutput, telemetry }, useCase);
});
