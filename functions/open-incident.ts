import { createClusterLedger } from '../src/adapters/dynamodb/cluster-ledger.ts';
import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import { createOpenIncident } from '../src/application/open-incident.ts';
import { loadConfig } from '../src/config/load-config.ts';
import * as sections from '../src/config/sections.ts';
import { OpenIncidentInput, OpenIncidentOutput } from '../src/contracts/steps.ts';
import { defineHandler } from '../src/runtime/define-handler.ts';
import { defineFunction } from '../src/runtime/function-module.ts';
import { createTelemetry } from '../src/runtime/telemetry.ts';
import {
  awsOptions,
  ec2Client,
  executionsOf,
  ledgerOf,
  ledgerOn,
  readsOf,
} from '../src/runtime/wiring.ts';

const name = 'OpenIncident';
const { aws, ledger, scope } = sections;

export const { createHandler, handler } = defineFunction((env, platform) => {
  const config = loadConfig(env, { aws, ledger, scope });
  const telemetry = createTelemetry({
    function: name,
    cluster: config.scope.cluster,
    log: platform.log,
  });
  const options = awsOptions(config.aws, platform);
  const table = ledgerOn(options, config.ledger);
  const openIncident = createOpenIncident({
    ledger: ledgerOf(createIncidentLedger(table), createClusterLedger(table)),
    compute: readsOf(ec2Client(options), config.scope),
    workflow: executionsOf(options),
    scope: config.scope,
    clock: systemClock,
  });
  return defineHandler(
    { name, input: OpenIncidentInput, output: OpenIncidentOutput, telemetry },
    ({ input, ...execution }) => openIncident({ ...input, ...execution }),
  );
});
