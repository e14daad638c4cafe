import * as z from 'zod';
import {
  type AgentId,
  type EpochMs,
  type IncidentId,
  type InstanceId,
  isInstanceId,
  isVolumeId,
  type LaunchTime,
  type VolumeId,
} from '../../domain/ids.ts';

/** The parts of records: ids, and the facets of an incident as the domain knows them. */
const text = z.string().min(1);
const is = (value: unknown, check: (candidate: string) => boolean): boolean =>
  typeof value === 'string' && check(value);

export const instanceId = z.custom<InstanceId>(
  (value) => is(value, isInstanceId),
  'no instance id',
);
export const volumeId = z.custom<VolumeId>((value) => is(value, isVolumeId), 'no volume id');
export const agentId = text.transform((value) => value as AgentId);
export const incidentId = text.transform((value) => value as IncidentId);
export const epochMs = z
  .int()
  .nonnegative()
  .transform((value) => value as EpochMs);
/** The text EC2 gave, unchanged: proofs compare it letter by letter. */
export const launchTime = z.iso
  .datetime({ offset: true })
  .transform((value) => value as LaunchTime);
export const counter = z.int().nonnegative();

const notice = z.object({
  kind: z.enum(['retiring', 'interrupted', 'leaving', 'asked']),
  action: z.enum(['stop', 'terminate', 'hibernate', 'reboot', 'maintenance']),
  deadline: epochMs.exactOptional(),
  hook: z.object({ group: text, hook: text, token: text }).exactOptional(),
});

const wish = z.object({
  fence: z.enum(['stop', 'terminate']).exactOptional(),
  force: z.boolean().exactOptional(),
  volumes: z.array(volumeId).exactOptional(),
});

export const signal = z.object({
  key: text,
  source: z.enum([
    'ec2-state',
    'status-alarm',
    'health',
    'sweep',
    'operator',
    'spot',
    'auto-scaling',
  ]),
  instanceId,
  says: z.string(),
  occurredAt: epochMs.exactOptional(),
  receivedAt: epochMs,
  notice: notice.exactOptional(),
  wish: wish.exactOptional(),
});

export const verdict = z.object({
  kind: z.enum([
    'Down',
    'Impaired',
    'Ordered',
    'Suspect',
    'Blind',
    'Recovered',
    'Partitioned',
    'Returned',
    'Retiring',
    'Interrupted',
    'Leaving',
  ]),
  at: epochMs,
  why: z.array(z.string()),
  whyNot: z.array(z.string()),
  lookAgainMs: z.number().nonnegative().exactOptional(),
  lostSince: epochMs.exactOptional(),
  fenceFrom: epochMs.exactOptional(),
});

export const app = z.object({
  id: text,
  externalVolumes: z.array(z.object({ name: text })),
  hasLocalVolumes: z.boolean(),
  hasHealthChecks: z.boolean(),
  cpus: z.number(),
  mem: z.number(),
  constraints: z.array(z.array(z.string())),
  acceptedRoles: z.array(z.string()),
  priority: z.int().exactOptional(),
});

export const taskName = z.object({ id: text, appId: text });

const incidentVolume = z.object({
  volumeId,
  name: z.string(),
  device: z.string(),
  availabilityZone: text,
  deleteOnTermination: z.boolean(),
  appIds: z.array(z.string()),
});

export const facts = z.object({
  at: epochMs,
  launchTime,
  state: z.enum(['pending', 'running', 'shutting-down', 'terminated', 'stopping', 'stopped']),
  availabilityZone: text,
  privateIp: z.string().exactOptional(),
  agentIds: z.array(agentId),
  volumes: z.array(incidentVolume),
  leftAlone: z.array(z.object({ volumeId, why: z.string() })),
  apps: z.array(app),
  tasks: z.array(taskName),
});

export const holdReason = z.enum([
  'paused',
  'maintenance',
  'blind',
  'unknown-incarnation',
  'ambiguous-scope',
  'multi-attach',
  'managed-volume',
  'local-persistent-volumes',
  'no-agent-id',
  'protected-from-stop',
  'cannot-be-stopped',
  'fence-stuck',
  'proof-void',
  'weak-fence',
  'terminate-would-delete-data',
  'volume-stuck',
  'volume-lost',
  'volume-attached-elsewhere',
  'volume-not-usable',
  'ledger-rewound',
  'no-placement',
  'placement-could-leave-zone',
  'duplicate-volume-name',
  'orchestrator-unavailable',
  'recovery-not-seen',
  'step-failed',
  'partitioned',
  'storm',
  'flapping',
  'returned-agent',
  'not-due',
  'another-move',
  'cannot-drain',
  'drain-stuck',
  'operator-hold',
  'approval',
]);

export const hold = z.object({
  reason: holdReason,
  says: z.string(),
  since: epochMs,
  looks: counter,
  retryAt: epochMs,
});

export const approval = z.object({
  id: text,
  status: z.enum(['pending', 'approved', 'denied', 'withdrawn']),
  plan: z.string(),
  launchTime,
  askedAt: epochMs,
  until: epochMs,
  says: z.string(),
  taskToken: text.exactOptional(),
  by: z.string().exactOptional(),
  reason: z.string().exactOptional(),
  decidedAt: epochMs.exactOptional(),
});

export const operatorHold = z.object({ by: z.string(), reason: z.string(), at: epochMs });

export const strength = z.enum(['strong', 'weak']);
const rungMethod = z.enum([
  'graceful',
  'skip',
  'force',
  'force-skip',
  'terminate',
  'terminate-force',
]);

const proofRead = z.object({ at: epochMs, state: z.enum(['stopped', 'terminated']), launchTime });
/** Two reads, never one: a record with less is no proof. */
export const proof = z.tuple([proofRead, proofRead]);

export const fence = z.object({
  since: epochMs,
  rungs: z.array(
    z.object({
      method: rungMethod,
      launchTime,
      requestedAt: epochMs,
      acceptedAt: epochMs.exactOptional(),
      refused: z.string().exactOptional(),
    }),
  ),
  voided: z.array(launchTime),
  method: z.enum([...rungMethod.options, 'none']).exactOptional(),
  strength: strength.exactOptional(),
  proof: proof.exactOptional(),
  detachFrom: epochMs.exactOptional(),
  attachFrom: epochMs.exactOptional(),
  turn: z
    .object({ api: z.enum(['StopInstances', 'TerminateInstances']), at: epochMs })
    .exactOptional(),
});

export const placement = z.object({
  at: epochMs,
  agents: z.string(),
  candidates: z.record(z.string(), z.array(z.string())).exactOptional(),
});

export const handOff = z.object({
  startedAt: epochMs,
  agentIds: z.array(agentId),
  method: z.enum(['mark-gone', 'wait-unreachable', 'drain']),
  completedAt: epochMs.exactOptional(),
  appIds: z.array(z.string()),
  heldAppIds: z.array(z.string()),
});

export const recovery = z.object({
  apps: z.array(
    z.object({
      id: text,
      fromHost: z.string(),
      toHost: z.string(),
      toInstanceId: instanceId,
      taskId: z.string(),
      healthy: z.boolean(),
    }),
  ),
  at: epochMs,
});

/** How a returned host was kept from work. */
export const quarantinedRun = z.object({
  launchTime,
  at: epochMs,
  agentIds: z.array(agentId),
});

const group = text;
export const protection = z.object({
  deactivatedAgentIds: z.array(agentId),
  autoScaling: z.discriminatedUnion('kind', [
    z.object({ kind: z.literal('none') }),
    z.object({ kind: z.literal('standby'), group }),
    z.object({ kind: z.literal('suspended'), group }),
    z.object({ kind: z.literal('replacement-accepted'), group }),
  ]),
});

export const mode = z.enum(['failover', 'drain']);

export const drain = z.object({
  foreseen: z
    .object({
      kind: z.enum(['interrupted', 'leaving']),
      at: epochMs,
      launchTime,
      says: z.string(),
      deadline: epochMs.exactOptional(),
    })
    .exactOptional(),
  heartbeatAt: epochMs.exactOptional(),
  startedAt: epochMs.exactOptional(),
  method: z.enum(['drain-agent', 'kill-tasks']).exactOptional(),
  acceptedAt: epochMs.exactOptional(),
  completedAt: epochMs.exactOptional(),
});

const error = z.string();
export const outcome = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('accepted'), at: epochMs, requestId: z.string().exactOptional() }),
  z.object({ kind: z.literal('refused'), at: epochMs, error }),
  z.object({ kind: z.literal('unknown'), at: epochMs, error }),
]);

export const zoneShift = z.object({
  key: text,
  zoneId: text,
  away: z.boolean(),
  at: epochMs,
  says: z.string(),
});
