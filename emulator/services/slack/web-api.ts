import type { WireRequest, WireResponse } from '../../core/wire.ts';
import {
  type Arguments,
  answer,
  argumentsOf,
  contentOf,
  limited,
  type SlackDeps,
  type SlackMessage,
  SlackRefusal,
  type SlackState,
} from './model.ts';
import { createPostLimit } from './rate.ts';

const SCOPES: Record<string, string> = {
  'chat.postMessage': 'chat:write',
  'chat.update': 'chat:write',
  'chat.postEphemeral': 'chat:write',
  'usergroups.users.list': 'usergroups:read',
};

const createMethods = (deps: SlackDeps, state: SlackState) => {
  const { groups = {}, otherChannels = [], time } = deps;
  const channelOf = (args: Arguments): string => {
    const channel = String(args.channel ?? '');
    if (otherChannels.includes(channel)) throw new SlackRefusal('not_in_channel');
    if (!deps.channels.includes(channel)) throw new SlackRefusal('channel_not_found');
    return channel;
  };
  const find = (channel: string, ts: unknown): SlackMessage | undefined =>
    state.messages.find((m) => m.channel === channel && m.ts === ts);
  const newTs = (): string => {
    const count = String(state.messages.length + 1).padStart(6, '0');
    return `${Math.floor(time.now() / 1000)}.${count}`;
  };
  const methods: Record<string, (args: Arguments) => object> = {
    'auth.test': () => ({ url: 'https://example.slack.com/', team_id: 'T1', user_id: 'U1' }),
    'chat.postMessage': (args) => {
      const channel = channelOf(args);
      const content = contentOf(args);
      const { thread_ts: threadTs } = args;
      if (threadTs !== undefined && !find(channel, threadTs)) {
        throw new SlackRefusal('thread_not_found');
      }
      const message = { channel, ts: newTs(), ...content, postedAt: time.now(), updatedAt: [] };
      const { text, ts } = message;
      state.messages.push(typeof threadTs === 'string' ? { ...message, threadTs } : message);
      return { channel, ts, message: { type: 'message', text, ts } };
    },
    'chat.update': (args) => {
      const channel = channelOf(args);
      const message = find(channel, args.ts);
      if (!message) throw new SlackRefusal('message_not_found');
      Object.assign(message, contentOf(args));
      message.updatedAt.push(time.now());
      return { channel, ts: message.ts, text: message.text };
    },
    'chat.postEphemeral': (args) => {
      const channel = channelOf(args);
      const user = String(args.user ?? '');
      if (!(user in (deps.people ?? {}))) throw new SlackRefusal('user_not_in_channel');
      state.ephemerals.push({ channel, user, ...contentOf(args), at: time.now() });
      return { message_ts: newTs() };
    },
    'usergroups.users.list': ({ usergroup }) => {
      const users = groups[String(usergroup)];
      if (!users) throw new SlackRefusal('no_such_subteam');
      return { users };
    },
  };
  return methods;
};

/** One call: token, scope, rate, then the method. Throws SlackRefusal. */
export const createWebApi = (
  deps: SlackDeps,
  state: SlackState,
): ((request: WireRequest) => WireResponse) => {
  const methods = createMethods(deps, state);
  const retryAfter = createPostLimit(deps.time);
  return (request) => {
    const { pathname } = new URL(request.url);
    const name = pathname.slice(pathname.lastIndexOf('/') + 1);
    const method = methods[name];
    if (!method) throw new SlackRefusal('unknown_method');
    const args = argumentsOf(request);
    const token = request.headers.authorization?.replace(/^Bearer /, '') ?? args.token;
    if (token === undefined) throw new SlackRefusal('not_authed');
    if (token !== deps.token) throw new SlackRefusal('invalid_auth');
    const { [name]: needed } = SCOPES;
    const { scopes } = deps;
    if (needed && scopes && !scopes.includes(needed)) {
      throw new SlackRefusal('missing_scope', {}, { needed, provided: scopes.join(',') });
    }
    const waitS = name === 'chat.postMessage' ? retryAfter(String(args.channel)) : 0;
    return waitS > 0 ? limited(waitS) : answer({ ok: true, ...method(args) });
  };
};
