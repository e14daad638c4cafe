import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import { createHoldIncident } from '../src/application/hold-incident.ts';
import { loadConfig } from '../src/config/load-config.ts';
import * as sections from '../src/config/sections.ts';
import { HoldIncidentInput, HoldIncidentOutput } from '../src/contracts/steps.ts';
import { defineHandler } from '../src/runtime/define-handler.ts';
import { defineFunction } from '../src/runtime/function-module.ts';
import { createTelemetry } from '../src/runtime/telemetry.ts';
import { awsOptions, eventsOf, ledgerOn } from '../src/runtime/wiring.ts';

const name = 'HoldIncident';
const { aws, ledger, cluster, events } = sections;

export const { createHandler, handler } = defineFunction((env, platform) => {
  const config = loadConfig(env, { aws, ledger, cluster, events });
  const telemetry = createTelemetry({
    function: name,
    cluster: config.cluster.name,
    log: platform.log,
  });
  const options = awsOptions(config.aws, platform);
  const table = ledgerOn(options, config.ledger);
  const useCase = createHoldIncident({
    ledger: createIncidentLedger(table),
    events: eventsOf(options, config.events, telemetry),
    log: telemetry.log,
    clock: systemClock,
  });
  return defineHandler(
    { name, input: HoldIncidentInput, output: HoldIncidentOutput, telemetry },
    ({ state, ...keys }) =>
      useCase({
        ...keys,
        ...(state.error === undefined ? {} : { failure: { error: state.error.Error } }),
      }),
  );
});
