import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import { createCloseIncident } from '../src/application/close-incident.ts';
import { loadConfig } from '../src/config/load-config.ts';
import * as sections from '../src/config/sections.ts';
import { CloseIncidentOutput, StepInput } from '../src/contracts/steps.ts';
import { defineHandler } from '../src/runtime/define-handler.ts';
import { defineFunction } from '../src/runtime/function-module.ts';
import { createTelemetry } from '../src/runtime/telemetry.ts';
import { awsOptions, eventsOf, groupsOf, ledgerOn } from '../src/runtime/wiring.ts';

const name = 'CloseIncident';
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
  const useCase = createCloseIncident({
    ledger: createIncidentLedger(table),
    autoScaling: groupsOf(options),
    events: eventsOf(options, config.events, telemetry),
    clock: systemClock,
  });
  return defineHandler({ name, input: StepInput, output: CloseIncidentOutput, telemetry }, useCase);
});
