import { createClusterLedger } from '../src/adapters/dynamodb/cluster-ledger.ts';
import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { createOwnershipLedger } from '../src/adapters/dynamodb/ownership-ledger.ts';
import { createVolumeControl } from '../src/adapters/ec2/volume-control.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import { rehearsable } from '../src/application/rehearsal.ts';
import { createReleaseVolume } from '../src/application/release-volume.ts';
import { pace, policy, scope } from '../src/config/sections.ts';
import { ReleaseVolumeInput, ReleaseVolumeOutput } from '../src/contracts/steps.ts';
import { defineServiceFunction } from '../src/runtime/service-function.ts';
import { askingClient, ec2Client, ledgerOf, paceOf, readsOf } from '../src/runtime/wiring.ts';

export const { createHandler, handler } = defineServiceFunction(
  {
    name: 'ReleaseVolume',
    input: ReleaseVolumeInput,
    output: ReleaseVolumeOutput,
    sections: { pace, policy, scope },
  },
  ({ config, options, table, telemetry }) => {
    const ec2 = ec2Client(options);
    return rehearsable(
      {
        step: 'ReleaseVolume',
        deps: {
          ledger: ledgerOf(
            createIncidentLedger(table),
            createClusterLedger(table),
            createOwnershipLedger(table),
          ),
          compute: { ...readsOf(ec2, config.scope), ...createVolumeControl({ client: ec2 }) },
          pace: paceOf(table, config),
          scope: config.scope,
          policy: config.policy,
          log: telemetry.log,
          clock: systemClock,
        },
        asking: () => createVolumeControl({ client: askingClient(options) }),
      },
      createReleaseVolume,
    );
  },
);
