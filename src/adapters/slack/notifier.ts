import type { Notifier } from '../../ports/events.ts';
import { callSlack, type SlackClientOptions } from './client.ts';
import { renderLines, renderMessage } from './render.ts';

/** The token has `chat:write`. */
export interface SlackNotifierOptions extends SlackClientOptions {
  /** A channel id. */
  readonly channel: string;
  /** Is there anybody who may press one, and a place where it is heard? */
  readonly buttons: boolean;
}

/**
 * One Slack message per incident, posted once and then updated in place, and replies in its thread.
 * Throws NotifierUnavailableError.
 */
export const createSlackNotifier = (options: SlackNotifierOptions): Notifier => {
  const { buttons, channel } = options;
  return {
    post: (message) =>
      callSlack(options, 'chat.postMessage', async (client) => {
        const answer = await client.chat.postMessage({
          channel,
          ...renderMessage(message, buttons),
        });
        // Without them the next update would have nowhere to go.
        if (!answer.channel || !answer.ts) throw new TypeError('no channel or ts');
        return { channel: answer.channel, ts: answer.ts };
      }),
    update: (at, ts, message) =>
      callSlack(options, 'chat.update', async (client) => {
        await client.chat.update({ channel: at, ts, ...renderMessage(message, buttons) });
      }),
    reply: (at, ts, lines) =>
      callSlack(options, 'chat.postMessage', async (client) => {
        await client.chat.postMessage({ channel: at, thread_ts: ts, ...renderLines(lines) });
      }),
  };
};
