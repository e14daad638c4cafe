import * as z from 'zod';
import { functionName, secretId, setting } from './setting.ts';

/** Where people read about incidents. Both settings are "none" where nobody wants Slack. */
export const slack = z
  .object({
    SLACK_CHANNEL: setting(/^(?:none|[CGD][A-Z0-9]{2,})$/, 'the id of a Slack channel, or "none"'),
    SLACK_TOKEN_SECRET_ID: secretId('the Slack bot token'),
  })
  .superRefine((env, context) => {
    const [silent, other] =
      env.SLACK_CHANNEL === 'none'
        ? ['SLACK_CHANNEL', 'SLACK_TOKEN_SECRET_ID']
        : ['SLACK_TOKEN_SECRET_ID', 'SLACK_CHANNEL'];
    if ((env.SLACK_CHANNEL === 'none') === (env.SLACK_TOKEN_SECRET_ID === 'none')) return;
    const message = `is "none" although ${other} is set: set both, or neither`;
    context.addIssue({ code: 'custom', path: [silent], message });
  })
  .transform((env) =>
    env.SLACK_CHANNEL === 'none'
      ? { kind: 'off' as const }
      : {
          kind: 'on' as const,
          channel: env.SLACK_CHANNEL,
          tokenSecretId: env.SLACK_TOKEN_SECRET_ID,
        },
  );

/** One id, and what it is the id of: a person's begins with U or W, a group's with S. */
const operatorIds = /^(?:none|[UWS][A-Z0-9]{2,}(?:,[UWS][A-Z0-9]{2,})*)$/;

/**
 * Who may press buttons in Slack, and how its requests are known. Without both there are no buttons,
 * and every request is refused.
 */
export const slackActions = z
  .object({
    SLACK_SIGNING_SECRET_ID: secretId('the signing secret of the Slack app'),
    SLACK_OPERATORS: setting(
      operatorIds,
      'ids of Slack users (U...) and user groups (S...) by commas, or "none"',
    ),
    SLACK_TOKEN_SECRET_ID: secretId('the Slack bot token'),
  })
  .superRefine((env, context) => {
    const secret = env.SLACK_SIGNING_SECRET_ID !== 'none';
    const people = env.SLACK_OPERATORS !== 'none';
    const add = (path: string, message: string) =>
      context.addIssue({ code: 'custom', path: [path], message });
    const silent = secret ? 'SLACK_OPERATORS' : 'SLACK_SIGNING_SECRET_ID';
    const other = secret ? 'SLACK_SIGNING_SECRET_ID' : 'SLACK_OPERATORS';
    if (secret !== people) add(silent, `is "none" although ${other} is set: set both, or neither`);
    else if (secret && env.SLACK_TOKEN_SECRET_ID === 'none') {
      add('SLACK_TOKEN_SECRET_ID', 'is "none" although SLACK_OPERATORS is set: buttons need it');
    }
  })
  .transform((env) => {
    if (env.SLACK_OPERATORS === 'none') return { kind: 'off' as const };
    const ids = env.SLACK_OPERATORS.split(',');
    return {
      kind: 'on' as const,
      signingSecretId: env.SLACK_SIGNING_SECRET_ID,
      tokenSecretId: env.SLACK_TOKEN_SECRET_ID,
      users: ids.filter((id) => !id.startsWith('S')),
      groups: ids.filter((id) => id.startsWith('S')),
    };
  });

/** The functions that do what a press asks for. */
export const desk = z
  .object({
    OPERATE_FUNCTION: setting(functionName, 'the name of the operate function'),
    LOOK_FUNCTION: setting(functionName, 'the name of the look function'),
    NOTIFY_FUNCTION: setting(functionName, 'the name of the notify function'),
  })
  .transform((env) => ({
    operate: env.OPERATE_FUNCTION,
    look: env.LOOK_FUNCTION,
    notify: env.NOTIFY_FUNCTION,
  }));
