import { createClusterLedger } from '../src/adapters/dynamodb/cluster-ledger.ts';
import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import { createOpenIncident } from '../src/application/open-incident.ts';
import { scope } from '../src/config/sections.ts';
import { OpenIncidentInput, OpenIncidentOutput } from '../src/contracts/steps.ts';
import { defineServiceFunction } from '../src/runtime/service-function.ts';
import { ec2Client, executionsOf, ledgerOf, readsOf } from '../src/runtime/wiring.ts';

export const { createHandler, handler } = defineServiceFunction(
  {
    name: 'OpenIncident',
    input: OpenIncidentInput,
    output: OpenIncidentOutput,
    sections: { scope },
  },
  ({ config, options, table }) => {
    const openIncident = createOpenIncident({
      ledger: ledgerOf(createIncidentLedger(table), createClusterLedger(table)),
      compute: readsOf(ec2Client(options), config.scope),
      workflow: executionsOf(options),
      scope: config.scope,
      clock: systemClock,
    });
    return ({ input: { mode: _said, ...input }, ...execution }) =>
      openIncident({ ...input, ...execution });
  },
);
