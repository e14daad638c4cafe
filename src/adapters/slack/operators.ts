import { NotifierUnavailableError } from '../../domain/errors.ts';
import type { HttpSend } from '../../ports/http.ts';
import type { Operators, PressAnswers } from '../../ports/press.ts';
import { callSlack, type SlackClientOptions, undelivered } from './client.ts';
import { renderLines } from './render.ts';

/**
 * People by their ids, or by a user group they are in, which Slack is asked for at every press
 * (`usergroups:read`): who has left the group may not press any more.
 */
export const createOperators = (
  options: SlackClientOptions & {
    readonly users: readonly string[];
    readonly groups: readonly string[];
  },
): Operators => {
  const { groups, users } = options;
  const method = 'usergroups.users.list';
  const membersOf = (usergroup: string): Promise<readonly string[]> =>
    callSlack(options, method, async (client) => {
      const { users: members } = await client.usergroups.users.list({ usergroup });
      if (members === undefined) throw new TypeError('no users');
      return members;
    });
  return {
    async mayPress(userId) {
      if (users.includes(userId)) return true;
      const members = await Promise.all(groups.map(membersOf));
      return members.flat().includes(userId);
    },
  };
};

/** By the address that came with the press; if that takes nothing, by the bot. */
export const createPressAnswers = (
  options: SlackClientOptions & { readonly send: HttpSend },
): PressAnswers => {
  const respond = async (url: string, body: object): Promise<void> => {
    const { status } = await options.send({
      method: 'POST',
      url,
      headers: { 'content-type': 'application/json; charset=utf-8' },
      body: JSON.stringify(body),
    });
    if (status !== 200) throw new NotifierUnavailableError('response_url', `HTTP ${status}`);
  };
  return {
    async answer({ channel, responseUrl, user }, lines) {
      const rendered = renderLines(lines);
      const alone = { response_type: 'ephemeral', replace_original: false };
      try {
        await respond(responseUrl, { ...alone, ...rendered });
      } catch (error) {
        const first = undelivered('response_url', error);
        await callSlack(options, `chat.postEphemeral after ${first.details.code}`, (client) =>
          client.chat.postEphemeral({ channel, user: user.id, ...rendered }),
        );
      }
    },
  };
};
