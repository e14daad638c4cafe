import { createClusterLedger } from '../src/adapters/dynamodb/cluster-ledger.ts';
import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { createOwnershipLedger } from '../src/adapters/dynamodb/ownership-ledger.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import { createStopAborted } from '../src/application/aborted.ts';
import { createIntake } from '../src/application/intake.ts';
import { createRememberShift, createTellNote } from '../src/application/news.ts';
import { createWake } from '../src/application/wake.ts';
import { home, scope, warming, workflow } from '../src/config/sections.ts';
import { parseEvent } from '../src/contracts/events/parse-event.ts';
import { IntakeInput, IntakeOutput } from '../src/contracts/functions.ts';
import { SignalRefusedError } from '../src/domain/errors.ts';
import { defineServiceFunction } from '../src/runtime/service-function.ts';
import * as wiring from '../src/runtime/wiring.ts';

export const { createHandler, handler } = defineServiceFunction(
  {
    name: 'Intake',
    input: IntakeInput,
    output: IntakeOutput,
    sections: { home, scope, warming, workflow },
  },
  ({ config, options, table, telemetry }) => {
    const deps = {
      ledger: wiring.ledgerOf(
        createIncidentLedger(table),
        createClusterLedger(table),
        createOwnershipLedger(table),
      ),
      compute: wiring.readsOf(wiring.ec2Client(options), config.scope),
      workflow: wiring.workflowOf(options, config.workflow),
      functions: wiring.functionsOf(wiring.lambdaClient(options), config.warming, telemetry),
      scope: config.scope,
      cluster: config.scope.cluster,
      clock: systemClock,
      ...telemetry,
    };
    const admit = createIntake(deps);
    const wake = createWake(deps);
    const tell = createTellNote(deps);
    const remember = createRememberShift(deps);
    const stop = createStopAborted(deps);
    return async function take(document) {
      const event = parseEvent(document, { ...config.home, receivedAt: systemClock.now() });
      switch (event.kind) {
        case 'signals':
          return { kind: 'admitted' as const, signals: await admit(event.signals) };
        case 'wake-ups':
          return { kind: 'admitted' as const, signals: await wake(event.signals) };
        case 'noted':
          return tell(event.note);
        case 'zone-shift':
          return remember(event.shift);
        case 'aborted':
          return stop(event);
        case 'ignored':
          return event;
        case 'refused':
          telemetry.metrics.count('EventRefused');
          // Thrown, not answered: a refused event is kept in the dead-letter queue for a person.
          throw new SignalRefusedError('event', event.why);
      }
    };
  },
);
