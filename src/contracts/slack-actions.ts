import * as z from 'zod';
import { buttonActions, stormPassMinutes } from '../domain/buttons.ts';
import { type EpochMs, instanceOf } from '../domain/ids.ts';
import { IncidentIdText, InstanceIdText } from './ids.ts';
import { OperateInput } from './operate.ts';

/** What the function SlackActions is given: a request of the network, or a press of its own handing. */

const text = z.string().min(1);

/** Payload format 2.0 of a Lambda Function URL, as far as it is read. Header names are lower case. */
const UrlRequest = z.object({
  version: z.literal('2.0'),
  headers: z.record(z.string(), z.string()),
  body: z.string().exactOptional(),
  isBase64Encoded: z.boolean(),
  requestContext: z.object({ http: z.object({ method: z.string() }) }),
});
type UrlRequest = z.infer<typeof UrlRequest>;

const Wish = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('order'),
    order: z.record(z.string(), z.string()),
    incidentId: IncidentIdText.exactOptional(),
  }),
  z.strictObject({ kind: z.literal('explain'), instanceId: InstanceIdText }),
  z.strictObject({ kind: z.literal('unknown'), says: text }),
]);
type Wish = z.infer<typeof Wish>;

const responseUrl = z
  .string()
  .regex(/^https:\/\/hooks\.slack\.com\/[\w/-]+$/, 'must be a response_url of Slack');

const Press = z.strictObject({
  user: z.strictObject({ id: text, name: text }),
  channel: text,
  responseUrl,
  wish: Wish,
});

export const SlackActionsInput = z.union([z.strictObject({ press: Press }), UrlRequest]);

export const SlackActionsOutput = z.union([
  z.strictObject({
    statusCode: z.int(),
    headers: z.record(z.string(), z.string()),
    body: z.string(),
  }),
  z.strictObject({ kind: z.enum(['done', 'unchanged', 'refused', 'explained', 'failed']) }),
]);

/** Slack's `block_actions`, loosely: Slack adds fields. */
const BlockActions = z.looseObject({
  type: z.literal('block_actions'),
  user: z.looseObject({ id: text, username: text.exactOptional(), name: text.exactOptional() }),
  channel: z.looseObject({ id: text }),
  response_url: responseUrl,
  actions: z.tuple([z.looseObject({ action_id: z.string(), value: z.string().default('{}') })]),
});

/** What a button says that it is about; who presses it, and why, it does not say. */
const About = z.strictObject({
  cluster: text.exactOptional(),
  incidentId: text.exactOptional(),
  approvalId: text.exactOptional(),
  hold: text.exactOptional(),
});

const json = (said: string): unknown => {
  try {
    return JSON.parse(said);
  } catch {
    // No JSON is like any other thing that was not asked for: the schema refuses it.
    return undefined;
  }
};

const unknown = (says: string): Wish => ({ kind: 'unknown', says });

const orderOf = (
  action: string,
  about: z.infer<typeof About>,
  by: string,
  { cluster, now }: { readonly cluster: string; readonly now: EpochMs },
): Wish => {
  const { cluster: of = cluster, ...names } = about;
  if (of !== cluster) return unknown(`the button is of ${of}, and this is ${cluster}`);
  const until = new Date(now + stormPassMinutes * 60_000).toISOString();
  const end = action === 'acknowledge-storm' ? { until } : {};
  const order = { ...names, ...end, action, by, reason: `pressed ${action} in Slack` };
  const parsed = OperateInput.safeParse(order);
  if (!parsed.success) return unknown('the button does not say what it is about');
  return 'incidentId' in parsed.data
    ? { kind: 'order', order, incidentId: parsed.data.incidentId }
    : { kind: 'order', order };
};

const wishOf = (
  { action_id: action, value }: z.infer<typeof BlockActions>['actions'][0],
  by: string,
  where: { readonly cluster: string; readonly now: EpochMs },
): Wish => {
  if (!buttonActions.some((known) => known === action)) {
    return unknown(`nobody here knows an action ${action.slice(0, 80)}`);
  }
  const about = About.safeParse(json(value)).data;
  if (about === undefined) return unknown('the button does not say what it is about');
  if (action !== 'explain') return orderOf(action, about, by, where);
  const incidentId = IncidentIdText.safeParse(about.incidentId).data;
  return incidentId === undefined
    ? unknown('the button does not say what it is about')
    : { kind: 'explain', instanceId: instanceOf(incidentId) };
};

/** The press in the body of a signed request; undefined: it is none. */
export const readPress = (
  body: Uint8Array,
  where: { readonly cluster: string; readonly now: EpochMs },
): z.infer<typeof Press> | undefined => {
  const form = new URLSearchParams(new TextDecoder().decode(body));
  const { data } = BlockActions.safeParse(json(form.get('payload') ?? ''));
  if (data === undefined) return undefined;
  const { actions, channel, response_url, user } = data;
  const name = user.username ?? user.name ?? user.id;
  const by = `${name.slice(0, 80)} (${user.id}) in Slack`;
  return {
    user: { id: user.id, name },
    channel: channel.id,
    responseUrl: response_url,
    wish: wishOf(actions[0], by, where),
  };
};

/** The request as it was sent: a form arrives in base64. */
export const requestOf = ({ body = '', headers, isBase64Encoded, requestContext }: UrlRequest) => ({
  method: requestContext.http.method,
  timestamp: headers['x-slack-request-timestamp'],
  signature: headers['x-slack-signature'],
  body: Buffer.from(body, isBase64Encoded ? 'base64' : 'utf8'),
});

/** As a Lambda Function URL wants it. */
export const answerOf = ({ says, status }: { readonly status: number; readonly says: string }) => ({
  statusCode: status,
  headers: { 'content-type': 'text/plain; charset=utf-8' },
  body: says,
});
