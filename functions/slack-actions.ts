import { createRequestLedger } from '../src/adapters/dynamodb/request-ledger.ts';
import { fetchOver } from '../src/adapters/http/fetch-over.ts';
import { createDesk } from '../src/adapters/lambda/desk.ts';
import { createOperators, createPressAnswers } from '../src/adapters/slack/operators.ts';
import { createSeal } from '../src/adapters/slack/seal.ts';
import { systemClock } from '../src/adapters/system/system-clock.ts';
import {
  createCarryOutPress,
  createReceivePress,
  createRefusePress,
} from '../src/application/press.ts';
import { self } from '../src/config/sections.ts';
import { desk, slackActions } from '../src/config/slack-sections.ts';
import * as contract from '../src/contracts/slack-actions.ts';
import { defineServiceFunction } from '../src/runtime/service-function.ts';
import { lambdaClient, networkOf, secretOf } from '../src/runtime/wiring.ts';

export const { createHandler, handler } = defineServiceFunction(
  {
    name: 'SlackActions',
    input: contract.SlackActionsInput,
    output: contract.SlackActionsOutput,
    sections: { desk, self, slackActions },
  },
  ({ config, options, platform, table, telemetry }) => {
    const cluster = config.cluster.name;
    const { slackActions: slack } = config;
    if (slack.kind === 'off') {
      const refuse = createRefusePress(telemetry);
      return async () => contract.answerOf(refuse());
    }
    const send = networkOf(platform);
    const bot = { token: secretOf(options, slack.tokenSecretId), fetch: fetchOver(send) };
    const names = { own: config.self.functionName, ...config.desk };
    const others = createDesk({ client: lambdaClient(options), names });
    const receive = createReceivePress({
      seal: createSeal({ secret: secretOf(options, slack.signingSecretId) }),
      ledger: createRequestLedger(table),
      desk: others,
      read: (body) => contract.readPress(body, { cluster, now: systemClock.now() }),
      cluster,
      clock: systemClock,
      ...telemetry,
    });
    const carryOut = createCarryOutPress({
      operators: createOperators({ ...bot, ...slack }),
      desk: others,
      answers: createPressAnswers({ ...bot, send }),
      ...telemetry,
    });
    return async function press(input) {
      if ('press' in input) return carryOut(input.press);
      return contract.answerOf(await receive(contract.requestOf(input)));
    };
  },
);
