import type { EpochMs } from './ids.ts';
import type { Incident } from './incident.ts';

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

const plural = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;

/** One sentence on an incident for people: what happened, what was done, how it stands. Pure. */
export const summarise = (incident: Incident): string => {
  const who = `${incident.instanceId} (incident ${incident.n})`;
  const verdict = incident.verdict === undefined ? 'not assessed' : incident.verdict.kind;
  const why = incident.verdict?.why.join('; ') ?? 'no evidence read yet';
  if (incident.recovery !== undefined) {
    const apps = incident.recovery.apps.map((app) => `${app.id} -> ${app.toHost}`).join(', ');
    const tookMs = incident.recovery.at - incident.openedAt;
    const volumes = plural(incident.facts?.volumes.length ?? 0, 'volume');
    if (incident.recovery.apps.length === 0) {
      const how = `${incident.fence?.method ?? 'none'}, ${incident.fence?.strength ?? 'unknown'}`;
      return `${who}: ${verdict}; fenced (${how}), nothing of the cluster was on it: ${why}`;
    }
    if (incident.handOff?.method === 'drain') {
      return `${who}: moved while it worked, ${volumes}, ${apps} in ${seconds(tookMs)}`;
    }
    return (
      `${who}: ${verdict}; fenced (${incident.fence?.method ?? 'none'}, ` +
      `${incident.fence?.strength ?? 'unknown'}), ${volumes} moved, ${apps} in ${seconds(tookMs)}`
    );
  }
  if (incident.quarantine !== undefined) {
    const { agentIds } = incident.quarantine;
    const agents =
      agentIds.length === 0 ? 'no agent of it is let in' : `no work for ${agentIds.join(', ')}`;
    return `${who}: quarantined, not fenced: ${agents}; ${why}`;
  }
  if (incident.status === 'cancelled') return `${who}: nothing to do: ${verdict}: ${why}`;
  if (incident.status === 'held' && incident.hold !== undefined) {
    return `${who}: held (${incident.hold.reason}): ${incident.hold.says}`;
  }
  return `${who}: ${verdict}: ${why}`;
};

/** How long the parts took so far, ms; absent where not reached. Pure. */
export const phaseTimes = (
  incident: Incident,
): { readonly detectMs?: number; readonly fenceMs?: number; readonly totalMs?: number } => {
  const commanded = incident.fence?.rungs[0]?.requestedAt ?? incident.fence?.since;
  const proven = incident.fence?.proof?.[1].at;
  const end: EpochMs | undefined = incident.recovery?.at;
  return {
    ...(commanded === undefined ? {} : { detectMs: commanded - incident.openedAt }),
    ...(commanded === undefined || proven === undefined ? {} : { fenceMs: proven - commanded }),
    ...(end === undefined ? {} : { totalMs: end - incident.openedAt }),
  };
};
