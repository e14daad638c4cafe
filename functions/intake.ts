import { createClusterLedger } from '../src/adapters/dynamodb/cluster-ledger.ts';
import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import { createIntake } from '../src/application/intake.ts';
import { loadConfig } from '../src/config/load-config.ts';
import * as sections from '../src/config/sections.ts';
import { parseEvent } from '../src/contracts/events/parse-event.ts';
import { IntakeInput, IntakeOutput } from '../src/contracts/functions.ts';
import { SignalRefusedError } from '../src/domain/errors.ts';
import { defineHandler } from '../src/runtime/define-handler.ts';
import { defineFunction } from '../src/runtime/function-module.ts';
import { createTelemetry } from '../src/runtime/telemetry.ts';
import * as wiring from '../src/runtime/wiring.ts';

const name = 'Intake';
const { aws, home, ledger, scope, warming, workflow } = sections;

export const { createHandler, handler } = defineFunction((env, platform) => {
  const config = loadConfig(env, { aws, home, ledger, scope, warming, workflow });
  const telemetry = createTelemetry({
    function: name,
    cluster: config.scope.cluster,
    log: platform.log,
  });
  const options = wiring.awsOptions(config.aws, platform);
  const table = wiring.ledgerOn(options, config.ledger);
  const admit = createIntake({
    ledger: wiring.ledgerOf(createIncidentLedger(table), createClusterLedger(table)),
    compute: wiring.readsOf(wiring.ec2Client(options), config.scope),
    workflow: wiring.workflowOf(options, config.workflow),
    functions: wiring.functionsOf(wiring.lambdaClient(options), config.warming, telemetry),
    scope: config.scope,
    clock: systemClock,
    ...telemetry,
  });
  const take = async (document: unknown) => {
    const event = parseEvent(document, { ...config.home, receivedAt: systemClock.now() });
    // Thrown, not answered: a refused event is kept in the dead-letter queue for a person.
    if (event.kind === 'refused') throw new SignalRefusedError('event', event.why);
    if (event.kind === 'ignored') return event;
    return { kind: 'admitted' as const, signals: await admit(event.signals) };
  };
  return defineHandler({ name, input: IntakeInput, output: IntakeOutput, telemetry }, take);
});
