import { createIncidentLedger } from '../src/adapters/dynamodb/incident-ledger.ts';
import { createNotificationLedger } from '../src/adapters/dynamodb/notification-ledger.ts';
import { fetchOver } from '../src/adapters/http/fetch-over.ts';
import { createSlackNotifier } from '../src/adapters/slack/notifier.ts';
import { createNotify } from '../src/application/notify.ts';
import { loadConfig } from '../src/config/load-config.ts';
import * as sections from '../src/config/sections.ts';
import { NotifyInput, NotifyOutput } from '../src/contracts/functions.ts';
import { defineHandler } from '../src/runtime/define-handler.ts';
import { defineFunction } from '../src/runtime/function-module.ts';
import { createTelemetry } from '../src/runtime/telemetry.ts';
import { awsOptions, ledgerOf, ledgerOn, networkOf, secretOf } from '../src/runtime/wiring.ts';

const name = 'Notify';
const { aws, cluster, ledger, slack } = sections;

export const { createHandler, handler } = defineFunction((env, platform) => {
  const config = loadConfig(env, { aws, cluster, ledger, slack });
  const telemetry = createTelemetry({
    function: name,
    cluster: config.cluster.name,
    log: platform.log,
  });
  const options = awsOptions(config.aws, platform);
  const table = ledgerOn(options, config.ledger);
  const notify = createNotify({
    ledger: ledgerOf(createIncidentLedger(table), createNotificationLedger(table)),
    notifier:
      config.slack.kind === 'off'
        ? undefined
        : createSlackNotifier({
            token: secretOf(options, config.slack.tokenSecretId),
            channel: config.slack.channel,
            fetch: fetchOver(networkOf(platform)),
          }),
    log: telemetry.log,
  });
  return defineHandler(
    { name, input: NotifyInput, output: NotifyOutput, telemetry },
    ({ detail }) => notify(detail),
  );
});
