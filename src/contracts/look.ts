import * as z from 'zod';
import { IncidentIdText, InstanceIdText, VolumeIdText } from './ids.ts';
import { EpochDocument, IncidentDocument } from './incident-document.ts';

/** What operators ask of Look, and what it answers. It reads, and changes nothing. */
export const LookInput = z.discriminatedUnion('view', [
  /** The cluster at a glance. */
  z.strictObject({ view: z.literal('status') }),
  /** The open ones; with `all` also those of known agents that are over. */
  z.strictObject({ view: z.literal('incidents'), all: z.boolean().exactOptional() }),
  z.strictObject({ view: z.literal('incident'), incidentId: IncidentIdText }),
  /** The open incident of the instance, or else its last one. */
  z.strictObject({ view: z.literal('incidentOf'), instanceId: InstanceIdText }),
  /** Why it is, or is not, acted upon now. */
  z.strictObject({ view: z.literal('explain'), instanceId: InstanceIdText }),
  z.strictObject({ view: z.literal('history'), volumeId: VolumeIdText }),
]);
export type LookInput = z.infer<typeof LookInput>;

const at = z.int().min(0);
const text = z.string();
const list = <Item extends z.ZodType>(item: Item) => z.array(item).readonly();
const texts = list(text);

const IncidentLine = z.strictObject({
  id: text,
  instanceId: text,
  n: z.int().min(1),
  mode: z.enum(['failover', 'drain']),
  status: z.enum(['open', 'held', 'recovered', 'cancelled']),
  stage: text,
  verdict: text.exactOptional(),
  openedAt: at,
  updatedAt: at,
  closedAt: at.exactOptional(),
  summary: text,
  hold: z.strictObject({ reason: text, says: text, since: at, retryAt: at }).exactOptional(),
});
export type IncidentLine = z.infer<typeof IncidentLine>;

const AgentLine = z.strictObject({
  instanceId: text,
  name: text.exactOptional(),
  /** EC2's word; `unknown`: EC2 does not list it, and it was an agent once; `unread`: nobody knows. */
  state: text,
  availabilityZone: text.exactOptional(),
  privateIp: text.exactOptional(),
  launchTime: text.exactOptional(),
  /** `none`: EC2 reports no status checks of it. */
  checks: z.enum(['ok', 'impaired', 'initializing', 'unclear', 'none']),
  /** `unread`: the masters could not be asked. */
  mesos: z.enum(['active', 'inactive', 'deactivated', 'not-listed', 'unread']),
  agentId: text.exactOptional(),
  appIds: texts,
  volumeIds: texts,
  incidentId: text.exactOptional(),
  quarantined: z.boolean(),
});

const VolumeLine = z.strictObject({
  volumeId: text,
  name: text,
  /** EC2's word on it, and where it is attached. */
  state: text,
  availabilityZone: text,
  attachedTo: texts,
  /** The ledger's word; absent: it has none. */
  ownership: z.enum(['owned', 'claimed', 'released', 'held', 'lost']).exactOptional(),
  owner: text.exactOptional(),
  epoch: z.int().exactOptional(),
  incidentId: text.exactOptional(),
});

/** What keeps work back, in force or not. */
const Brakes = z.strictObject({
  paused: z
    .strictObject({
      by: text,
      reason: text,
      until: at.exactOptional(),
      /** It is over, and only still on record. */
      over: z.boolean(),
    })
    .exactOptional(),
  maintenance: list(z.strictObject({ instanceId: text, by: text, until: at })),
  /** Who waits behind the storm brake, in the order in which they go on. */
  storm: z.strictObject({
    waiting: list(
      z.strictObject({
        incidentId: text,
        instanceId: text,
        zone: text,
        cause: text,
        behind: z.enum(['storm', 'blind']),
        priority: z.int(),
        since: at,
      }),
    ),
    /** Somebody lets everything through until then. */
    acknowledged: z.strictObject({ by: text, until: at }).exactOptional(),
  }),
  /** The planned move under way, of which there is one at a time. */
  slot: text.exactOptional(),
  quarantined: list(
    z.strictObject({
      instanceId: text,
      incidentId: text,
      since: at,
      lifted: z.strictObject({ by: text, reason: text, at }).exactOptional(),
    }),
  ),
  shiftedZones: list(z.strictObject({ zoneId: text, until: at })),
});
export type Brakes = z.infer<typeof Brakes>;

const Status = z.strictObject({
  kind: z.literal('status'),
  version: z.literal(1),
  at,
  cluster: text,
  /** What could not be read, in words: the rest is shown all the same. */
  trouble: texts,
  agents: list(AgentLine),
  volumes: list(VolumeLine),
  incidents: list(IncidentLine),
  brakes: Brakes,
});
export type Status = z.infer<typeof Status>;

const Incidents = z.strictObject({
  kind: z.literal('incidents'),
  version: z.literal(1),
  at,
  cluster: text,
  /** The open ones first, then the newest. */
  incidents: list(IncidentLine),
});
export type Incidents = z.infer<typeof Incidents>;

const Said = z.strictObject({ reason: text, says: text });

const Explanation = z.strictObject({
  kind: z.literal('explain'),
  version: z.literal(1),
  at,
  cluster: text,
  instanceId: text,
  /** The answer in one sentence. */
  says: text,
  /** What the assessment would come to now. */
  action: z.enum(['act', 'watch', 'cancel', 'hold', 'plan', 'none']),
  witnesses: z.strictObject({
    ec2: text,
    checks: text,
    mesos: text,
    masters: text.exactOptional(),
  }),
  verdict: z.strictObject({ kind: text, why: texts, whyNot: texts }),
  /** Everything that speaks against acting, the first that would hold it first. */
  guards: list(Said),
  /** Holds nothing up before the fence, but the hand-off may meet it. */
  warnings: list(Said),
  volumes: list(
    z.strictObject({ volumeId: text, name: text, appIds: texts, device: text, zone: text }),
  ),
  leftAlone: list(z.strictObject({ volumeId: text, why: text })),
  appIds: texts,
  /** The open incident, or else the last one. */
  incident: IncidentLine.exactOptional(),
});
export type Explanation = z.infer<typeof Explanation>;

const History = z.strictObject({
  kind: z.literal('history'),
  version: z.literal(1),
  at,
  cluster: text,
  volumeId: text,
  name: text,
  /** Oldest first; the last one is in force. */
  epochs: list(EpochDocument),
});
export type History = z.infer<typeof History>;

/** There is no such thing: says what was not found. */
const Refused = z.strictObject({ kind: z.literal('refused'), says: text });

export const LookOutput = z.discriminatedUnion('kind', [
  Status,
  Incidents,
  IncidentDocument,
  Explanation,
  History,
  Refused,
]);
export type LookOutput = z.infer<typeof LookOutput>;
