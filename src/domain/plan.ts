import type { AuditRecord, HoldReason, Incident, VerdictKind } from './incident.ts';

/** One changing call that would be made. */
export interface PlannedStep {
  readonly by: string;
  readonly call: string;
  readonly target: string;
  readonly parameters: Readonly<Record<string, string | number | boolean>>;
  /** `yes`: EC2 says so; `no`: it would be refused; `not-asked`: there is no way to ask. */
  readonly allowed: 'yes' | 'no' | 'not-asked';
  /** Why not. */
  readonly says?: string;
}

/** What an execution would do now, and what would stop it. */
export interface Plan {
  readonly mode: 'failover' | 'drain';
  readonly agent: {
    readonly instanceId: string;
    /** With the instance id, the incarnation. */
    readonly launchTime?: string;
    readonly state?: string;
    readonly availabilityZone?: string;
    readonly privateIp?: string;
    readonly agentIds: readonly string[];
  };
  readonly verdict?: {
    readonly kind: VerdictKind;
    readonly why: readonly string[];
    readonly whyNot: readonly string[];
  };
  readonly volumes: readonly {
    readonly volumeId: string;
    readonly name: string;
    readonly appIds: readonly string[];
  }[];
  readonly leftAlone: readonly { readonly volumeId: string; readonly why: string }[];
  readonly apps: readonly string[];
  /** By app: the agents that could take it. */
  readonly candidates: Readonly<Record<string, readonly string[]>>;
  readonly calls: readonly PlannedStep[];
  readonly holds: readonly { readonly reason: HoldReason; readonly says: string }[];
  /** How long it would take, as a rule and at worst. */
  readonly predictedSeconds?: { readonly usual: number; readonly most: number };
}

/** EC2 answers these to a dry run. */
const askable = [
  'StopInstances',
  'TerminateInstances',
  'DetachVolume',
  'CreateTags',
  'ModifyInstanceAttribute',
];

/** How the audit of a rehearsal says that nothing stands in the way of a call. */
export const wouldBeAllowed = 'dry run: it would be allowed, and was not made';

const stepOf = ({ actor: by, call, outcome, parameters, target }: AuditRecord): PlannedStep => {
  const step = { by, call, target, parameters };
  if (outcome?.kind === 'refused' && outcome.error === wouldBeAllowed) {
    return { ...step, allowed: askable.includes(call) ? 'yes' : 'not-asked' };
  }
  const says = outcome !== undefined && 'error' in outcome ? outcome.error : 'nothing was answered';
  return { ...step, allowed: 'no', says };
};

/** Median and 99th percentile of a failover, and of a move, on the embedded cloud. Seconds. */
const usual = { failover: { usual: 31, most: 51 }, drain: { usual: 30, most: 120 } } as const;

type Holds = Plan['holds'];

/** The plan that a rehearsal has come to. `around`: what would stop it from outside. Pure. */
export const planOf = (incident: Incident, audit: readonly AuditRecord[], around: Holds): Plan => {
  const { approval, facts, hold, mode = 'failover', placement, status, verdict } = incident;
  const held = status === 'held' && hold !== undefined;
  const asked: Holds = approval
    ? [{ reason: 'approval', says: `a person would be asked to ${approval.says}` }]
    : [];
  const own = held ? [{ reason: hold.reason, says: hold.says }] : asked;
  const { instanceId } = incident;
  const seen = facts && {
    launchTime: facts.launchTime,
    state: facts.state,
    availabilityZone: facts.availabilityZone,
    ...(facts.privateIp === undefined ? {} : { privateIp: facts.privateIp }),
  };
  const volumes = facts?.volumes ?? [];
  return {
    mode,
    agent: { instanceId, ...seen, agentIds: facts?.agentIds ?? [] },
    ...(verdict && {
      verdict: { kind: verdict.kind, why: verdict.why, whyNot: verdict.whyNot },
    }),
    volumes: volumes.map(({ appIds, name, volumeId }) => ({ volumeId, name, appIds })),
    leftAlone: facts?.leftAlone ?? [],
    apps: [...new Set(volumes.flatMap(({ appIds }) => appIds))],
    candidates: placement?.candidates ?? {},
    calls: audit.map(stepOf),
    holds: [...own, ...around],
    ...(!held && audit.length > 0 && { predictedSeconds: usual[mode] }),
  };
};

/** One sentence on a plan. Nothing in it sounds like a deed. Pure. */
export const sayPlan = ({ agent, apps, calls, holds, mode, verdict }: Plan): string => {
  const who = `dry run of a ${mode} of ${agent.instanceId}, nothing was done`;
  const refused = calls.filter(({ allowed }) => allowed === 'no').map(({ call }) => call);
  const because = verdict === undefined ? '' : ` (${verdict.kind}: ${verdict.why.join('; ')})`;
  if (holds.length > 0) {
    const reasons = holds.map(({ reason, says }) => `${reason}: ${says}`).join('; ');
    return `${who}: it would be held: ${reasons}`;
  }
  if (refused.length > 0) return `${who}: it would fail: ${refused.join(', ')} is not allowed`;
  if (calls.length === 0) return `${who}: nothing would be changed${because}`;
  return `${who}: ${calls.length} calls would move ${apps.join(', ') || 'nothing'}${because}`;
};
