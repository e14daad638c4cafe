import * as z from 'zod';

/**
 * One incident, whole: what was seen, what was concluded, what was done, and how it stands. The view
 * `incident` of Look answers it; reports are made of nothing else. Times are milliseconds since 1970.
 * What the ledger keeps is passed on as it is, and what is not named here is left out of it: a record
 * that has grown is no reason to show nothing.
 */

const at = z.int().min(0);
const ms = z.int();
const text = z.string();
const list = <Item extends z.ZodType>(item: Item) => z.array(item).readonly();
const texts = list(text);

const ProofReads = z
  .tuple([
    z.object({ at, state: z.enum(['stopped', 'terminated']), launchTime: text }),
    z.object({ at, state: z.enum(['stopped', 'terminated']), launchTime: text }),
  ])
  .readonly();

/** Who may write to a volume, under one epoch. */
export const EpochDocument = z.object({
  volumeId: text,
  name: text,
  state: z.enum(['owned', 'claimed', 'released', 'held', 'lost']),
  epoch: z.int().min(0),
  owner: text.exactOptional(),
  incidentId: text.exactOptional(),
  token: z.int().exactOptional(),
  /** The instance it was claimed from. */
  from: text.exactOptional(),
  releasedAt: at.exactOptional(),
  proof: ProofReads.exactOptional(),
  strength: z.enum(['strong', 'weak']).exactOptional(),
  says: text.exactOptional(),
});
export type EpochDocument = z.infer<typeof EpochDocument>;

/** A volume of the incident: where its permission stands now, and every epoch before. */
const VolumeDocument = z.strictObject({
  volumeId: text,
  name: text,
  /** Absent: the ledger has no record of it. */
  now: EpochDocument.exactOptional(),
  /** Oldest first. */
  before: list(EpochDocument),
});

const Signal = z.object({
  source: text,
  says: text,
  receivedAt: at,
  occurredAt: at.exactOptional(),
  notice: z.object({ kind: text, action: text, deadline: at.exactOptional() }).exactOptional(),
});

const Verdict = z.object({
  kind: text,
  at,
  /** Evidence in words: why this verdict, and what spoke against acting. */
  why: texts,
  whyNot: texts,
  lostSince: at.exactOptional(),
  fenceFrom: at.exactOptional(),
});

const Facts = z.object({
  at,
  launchTime: text,
  state: text,
  availabilityZone: text,
  privateIp: text.exactOptional(),
  agentIds: texts,
  volumes: list(
    z.object({
      volumeId: text,
      name: text,
      device: text,
      availabilityZone: text,
      deleteOnTermination: z.boolean(),
      appIds: texts,
    }),
  ),
  leftAlone: list(z.object({ volumeId: text, why: text })),
  apps: list(z.object({ id: text })),
  tasks: list(z.object({ id: text, appId: text })),
});

const Fence = z.object({
  since: at,
  rungs: list(
    z.object({
      method: text,
      launchTime: text,
      requestedAt: at,
      acceptedAt: at.exactOptional(),
      refused: text.exactOptional(),
    }),
  ),
  /** Earlier incarnations that this incident had fenced before. */
  voided: texts,
  method: text.exactOptional(),
  strength: z.enum(['strong', 'weak']).exactOptional(),
  proof: ProofReads.exactOptional(),
});

const HandOff = z.object({
  startedAt: at,
  completedAt: at.exactOptional(),
  method: z.enum(['mark-gone', 'wait-unreachable', 'drain']),
  agentIds: texts,
  appIds: texts,
  /** Held back because a volume of theirs is not released. */
  heldAppIds: texts,
});

const Recovery = z.object({
  at,
  apps: list(
    z.object({
      id: text,
      fromHost: text,
      toHost: text,
      toInstanceId: text,
      taskId: text,
      healthy: z.boolean(),
    }),
  ),
});

const Drain = z.object({
  startedAt: at.exactOptional(),
  acceptedAt: at.exactOptional(),
  completedAt: at.exactOptional(),
  method: z.enum(['drain-agent', 'kill-tasks']).exactOptional(),
});

const Hold = z.object({ reason: text, says: text, since: at, retryAt: at, looks: z.int() });

const Approval = z.object({
  id: text,
  /** `withdrawn`: it was denied, and somebody wants to be asked again. */
  status: z.enum(['pending', 'approved', 'denied', 'withdrawn']),
  says: text,
  launchTime: text,
  askedAt: at,
  until: at,
  by: text.exactOptional(),
  reason: text.exactOptional(),
  decidedAt: at.exactOptional(),
});

/** One mutating call: written down before it was made, completed after. */
const CallDocument = z.strictObject({
  seq: z.int().min(1),
  token: z.int().min(1),
  /** The step that made it. */
  actor: text,
  /** AWS operation or HTTP call, and what it acted on. */
  call: text,
  target: text,
  parameters: z.record(text, z.union([text, z.number(), z.boolean()])),
  epoch: z.int().exactOptional(),
  intendedAt: at,
  /** `open`: no outcome is on record; it may have been made. */
  outcome: z.enum(['accepted', 'refused', 'unknown', 'open']),
  concludedAt: at.exactOptional(),
  requestId: text.exactOptional(),
  error: text.exactOptional(),
});
export type CallDocument = z.infer<typeof CallDocument>;

/** What a person has asked for about it, and what became of that. */
const OrderDocument = z.strictObject({
  at,
  action: text,
  by: text,
  reason: text,
  parameters: z.record(text, z.union([text, z.number()])),
  /** `open`: no outcome is on record. */
  outcome: z.enum(['done', 'unchanged', 'refused', 'open']),
  says: text.exactOptional(),
});

/** A stretch of the work; without `to` it goes on. One that was never begun is not listed. */
const PhaseDocument = z.strictObject({
  phase: z.enum(['assess', 'drain', 'fence', 'release', 'hand-off', 'verify']),
  from: at,
  to: at.exactOptional(),
  /** From its beginning to its end, or to `at` of the document. */
  tookMs: ms,
});

/** One thing that happened, in the order of time. */
const MomentDocument = z.strictObject({
  at,
  /** Since the incident was opened. */
  afterMs: ms,
  kind: z.enum([
    'signal',
    'order',
    'opened',
    'verdict',
    'facts',
    'call',
    'proof',
    'release',
    'hand-off',
    'drain',
    'quarantine',
    'recovery',
    'hold',
    'closed',
  ]),
  says: text,
});
export type MomentDocument = z.infer<typeof MomentDocument>;

export const IncidentDocument = z.strictObject({
  kind: z.literal('incident'),
  version: z.literal(1),
  /** When it was read. */
  at,
  id: text,
  cluster: text,
  instanceId: text,
  /** The n-th incident of this instance. */
  n: z.int().min(1),
  mode: z.enum(['failover', 'drain']),
  status: z.enum(['open', 'held', 'recovered', 'cancelled']),
  /** What it is at, in words. */
  stage: text,
  /** One sentence on the whole. */
  summary: text,
  openedAt: at,
  updatedAt: at,
  closedAt: at.exactOptional(),
  execution: z.strictObject({ name: text, arn: text.exactOptional(), token: z.int().min(1) }),
  times: z.strictObject({
    /** Opened to the first command. */
    detectMs: ms.exactOptional(),
    /** First command to the proof. */
    fenceMs: ms.exactOptional(),
    /** Opened to recovered. */
    totalMs: ms.exactOptional(),
  }),
  phases: list(PhaseDocument),
  timeline: list(MomentDocument),
  signals: list(Signal),
  verdict: Verdict.exactOptional(),
  facts: Facts.exactOptional(),
  drain: Drain.exactOptional(),
  fence: Fence.exactOptional(),
  handOff: HandOff.exactOptional(),
  recovery: Recovery.exactOptional(),
  /** The fenced host came back, and this is how it was kept from work. */
  quarantine: z.object({ launchTime: text, at, agentIds: texts }).exactOptional(),
  hold: Hold.exactOptional(),
  /** What a person is asked before anything is done, and what was answered. */
  approval: Approval.exactOptional(),
  /** Hold reasons that people have waved through. */
  acknowledged: texts,
  /** Somebody holds it until somebody resumes it. */
  operatorHold: z.object({ by: text, reason: text, at }).exactOptional(),
  /** Oldest first. */
  orders: list(OrderDocument),
  calls: list(CallDocument),
  volumes: list(VolumeDocument),
});
export type IncidentDocument = z.infer<typeof IncidentDocument>;
