import { SNSClient } from '@aws-sdk/client-sns';
import { createIncidentLedger } from '../adapters/dynamodb/incident-ledger.ts';
import { createNotificationLedger } from '../adapters/dynamodb/notification-ledger.ts';
import { createOrderLedger } from '../adapters/dynamodb/order-ledger.ts';
import { createOwnershipLedger } from '../adapters/dynamodb/ownership-ledger.ts';
import { createStormLedger } from '../adapters/dynamodb/storm-ledger.ts';
import { createTellingLedger } from '../adapters/dynamodb/telling-ledger.ts';
import { fetchOver } from '../adapters/http/fetch-over.ts';
import { patientFetch } from '../adapters/http/patient-fetch.ts';
import { createSlackNotifier } from '../adapters/slack/notifier.ts';
import { createSnsAlerts } from '../adapters/sns/alerts.ts';
import { systemClock } from '../adapters/system/system-clock.ts';
import { createAlert } from '../application/alert.ts';
import { createNotify, type NotifyAnswer } from '../application/notify.ts';
import { createTell } from '../application/tell.ts';
import { alerts } from '../config/sections.ts';
import { slack, slackActions } from '../config/slack-sections.ts';
import type { Alerts } from '../ports/alerts.ts';
import type { Notifier, PhaseNews } from '../ports/events.ts';
import type { TellingLedger } from '../ports/telling.ts';
import type { Wiring } from './service-function.ts';
import { ledgerOf, networkOf, secretOf } from './wiring.ts';

/** The configuration of whatever tells people; apart from the other makers, whose bundles have no Slack. */
export const notifySections = { alerts, slack, slackActions };

type Tellers = Wiring<typeof notifySections>;

const notifierOf = (
  { config, options, platform }: Tellers,
  telling: TellingLedger,
  waitMaxMs: number,
): Notifier | undefined => {
  if (config.slack.kind === 'off') return undefined;
  const { name: cluster } = config.cluster;
  const quiet = {
    until: () => telling.quietUntil(cluster),
    keep: (until: Parameters<TellingLedger['keepQuiet']>[1]) => telling.keepQuiet(cluster, until),
  };
  return createSlackNotifier({
    token: secretOf(options, config.slack.tokenSecretId),
    channel: config.slack.channel,
    buttons: config.slackActions.kind === 'on',
    fetch: patientFetch({
      fetch: fetchOver(networkOf(platform)),
      quiet,
      clock: systemClock,
      waitMaxMs,
    }),
  });
};

export interface TellParts {
  readonly tell: (news: PhaseNews) => Promise<NotifyAnswer>;
  readonly telling: TellingLedger;
  readonly alerts: Alerts;
}

/** What tells people of an incident. When Slack asks for patience, up to `waitMaxMs` are waited. */
export const tellOf = (tellers: Tellers, waitMaxMs: number): TellParts => {
  const { config, options, table, telemetry } = tellers;
  const { log } = telemetry;
  const clock = systemClock;
  const telling = createTellingLedger(table);
  const ledger = ledgerOf(
    createIncidentLedger(table),
    createNotificationLedger(table),
    createOrderLedger(table),
    createOwnershipLedger(table),
    createStormLedger(table),
  );
  const { topicArn } = config.alerts;
  const alerts = createSnsAlerts({ client: new SNSClient(options), topicArn });
  const notifier = notifierOf(tellers, telling, waitMaxMs);
  const notify = createNotify({ ledger, notifier, clock, log });
  const alert = createAlert({ ledger, telling, alerts, clock });
  return { tell: createTell({ notify, alert, log }), telling, alerts };
};
