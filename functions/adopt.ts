import { createClusterLedger } from '../src/adapters/dynamodb/cluster-ledger.ts';
import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { createOwnershipLedger } from '../src/adapters/dynamodb/ownership-ledger.ts';
import { createSafekeeping } from '../src/adapters/ec2/safekeeping.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import { createAdopt } from '../src/application/adopt.ts';
import { loadConfig } from '../src/config/load-config.ts';
import * as sections from '../src/config/sections.ts';
import { AdoptInput, AdoptOutput } from '../src/contracts/functions.ts';
import { defineHandler } from '../src/runtime/define-handler.ts';
import { defineFunction } from '../src/runtime/function-module.ts';
import { createTelemetry } from '../src/runtime/telemetry.ts';
import * as wiring from '../src/runtime/wiring.ts';

const name = 'Adopt';
const { aws, dcos, ledger, scope } = sections;

export const { createHandler, handler } = defineFunction((env, platform) => {
  const config = loadConfig(env, { aws, dcos, ledger, scope });
  const telemetry = createTelemetry({
    function: name,
    cluster: config.scope.cluster,
    log: platform.log,
  });
  const options = wiring.awsOptions(config.aws, platform);
  const table = wiring.ledgerOn(options, config.ledger);
  const ec2 = wiring.ec2Client(options);
  const adopt = createAdopt({
    ledger: wiring.ledgerOf(
      createIncidentLedger(table),
      createClusterLedger(table),
      createOwnershipLedger(table),
    ),
    compute: { ...wiring.readsOf(ec2, config.scope), ...createSafekeeping({ client: ec2 }) },
    orchestrator: wiring.orchestratorOf(options, config.dcos, platform),
    scope: config.scope,
    clock: systemClock,
    ...telemetry,
  });
  return defineHandler({ name, input: AdoptInput, output: AdoptOutput, telemetry }, adopt);
});
