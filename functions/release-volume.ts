import { createClusterLedger } from '../src/adapters/dynamodb/cluster-ledger.ts';
import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { createOwnershipLedger } from '../src/adapters/dynamodb/ownership-ledger.ts';
import { createVolumeControl } from '../src/adapters/ec2/volume-control.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import { createReleaseVolume } from '../src/application/release-volume.ts';
import { loadConfig } from '../src/config/load-config.ts';
import * as sections from '../src/config/sections.ts';
import { ReleaseVolumeInput, ReleaseVolumeOutput } from '../src/contracts/steps.ts';
import { defineHandler } from '../src/runtime/define-handler.ts';
import { defineFunction } from '../src/runtime/function-module.ts';
import { createTelemetry } from '../src/runtime/telemetry.ts';
import { awsOptions, ec2Client, ledgerOf, ledgerOn, readsOf } from '../src/runtime/wiring.ts';

const name = 'ReleaseVolume';
const { aws, ledger, scope, policy } = sections;

export const { createHandler, handler } = defineFunction((env, platform) => {
  const config = loadConfig(env, { aws, ledger, scope, policy });
  const telemetry = createTelemetry({
    function: name,
    cluster: config.scope.cluster,
    log: platform.log,
  });
  const options = awsOptions(config.aws, platform);
  const table = ledgerOn(options, config.ledger);
  const ec2 = ec2Client(options);
  const useCase = createReleaseVolume({
    ledger: ledgerOf(
      createIncidentLedger(table),
      createClusterLedger(table),
      createOwnershipLedger(table),
    ),
    compute: { ...readsOf(ec2, config.scope), ...createVolumeControl({ client: ec2 }) },
    scope: config.scope,
    policy: config.policy,
    log: telemetry.log,
    clock: systemClock,
  });
  return defineHandler(
    { name, input: ReleaseVolumeInput, output: ReleaseVolumeOutput, telemetry },
    useCase,
  );
});
