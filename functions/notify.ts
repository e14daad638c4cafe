import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { createNotificationLedger } from '../src/adapters/dynamodb/notification-ledger.ts';
import { createOrderLedger } from '../src/adapters/dynamodb/order-ledger.ts';
import { createOwnershipLedger } from '../src/adapters/dynamodb/ownership-ledger.ts';
import { createStormLedger } from '../src/adapters/dynamodb/storm-ledger.ts';
import { fetchOver } from '../src/adapters/http/fetch-over.ts';
import { createSlackNotifier } from '../src/adapters/slack/notifier.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import { createNotify } from '../src/application/notify.ts';
import { slack, slackActions } from '../src/config/slack-sections.ts';
import { NotifyInput, NotifyOutput } from '../src/contracts/functions.ts';
import { defineServiceFunction } from '../src/runtime/service-function.ts';
import { ledgerOf, networkOf, secretOf } from '../src/runtime/wiring.ts';

export const { createHandler, handler } = defineServiceFunction(
  { name: 'Notify', input: NotifyInput, output: NotifyOutput, sections: { slack, slackActions } },
  ({ config, options, platform, table, telemetry }) => {
    const notify = createNotify({
      ledger: ledgerOf(
        createIncidentLedger(table),
        createNotificationLedger(table),
        createOrderLedger(table),
        createOwnershipLedger(table),
        createStormLedger(table),
      ),
      notifier:
        config.slack.kind === 'off'
          ? undefined
          : createSlackNotifier({
              token: secretOf(options, config.slack.tokenSecretId),
              channel: config.slack.channel,
              buttons: config.slackActions.kind === 'on',
              fetch: fetchOver(networkOf(platform)),
            }),
      clock: systemClock,
      log: telemetry.log,
    });
    return ({ detail }) => notify(detail);
  },
);
