import { createIncidentLedger } from '../adapters/dynamodb/incident-ledger.ts';
import { createNotificationLedger } from '../adapters/dynamodb/notification-ledger.ts';
import { createStormLedger } from '../adapters/dynamodb/storm-ledger.ts';
import { createTellingLedger } from '../adapters/dynamodb/telling-ledger.ts';
import { fetchOver } from '../adapters/http/fetch-over.ts';
import { patientFetch } from '../adapters/http/patient-fetch.ts';
import { createSlackNotifier } from '../adapters/slack/notifier.ts';
import { systemClock } from '../adapters/system/system-clock.ts';
import { createNotify, type NotifyDeps } from '../application/notify.ts';
import { slack } from '../config/sections.ts';
import type { Notifier } from '../ports/events.ts';
import type { TellingLedger } from '../ports/telling.ts';
import type { Wiring } from './service-function.ts';
import { ledgerOf, networkOf, secretOf } from './wiring.ts';

/** The configuration of whatever tells people; apart from the other makers, whose bundles have no Slack. */
export const notifySections = { slack };

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
    fetch: patientFetch({
      fetch: fetchOver(networkOf(platform)),
      quiet,
      clock: systemClock,
      waitMaxMs,
    }),
  });
};

/** What tells people of an incident. When Slack asks for patience, up to `waitMaxMs` are waited. */
export const notifyOf = (tellers: Tellers, waitMaxMs: number): ReturnType<typeof createNotify> => {
  const { table, telemetry } = tellers;
  const telling = createTellingLedger(table);
  const ledger: NotifyDeps['ledger'] = ledgerOf(
    createIncidentLedger(table),
    createNotificationLedger(table),
    createStormLedger(table),
  );
  return createNotify({
    ledger,
    telling,
    notifier: notifierOf(tellers, telling, waitMaxMs),
    clock: systemClock,
    log: telemetry.log,
  });
};
