import { type Button, buttonsOf, stormButtons } from './buttons.ts';
import type { Incident } from './incident.ts';
import { countsOf, queueOf, type Storm } from './storm.ts';
import { phaseTimes, summarise } from './summary.ts';
import type { PhaseSpan } from './timeline.ts';
import { wayOut } from './way-out.ts';

/** A message for people about one incident, before any channel's own form. */
export interface IncidentMessage {
  /** One line. */
  readonly title: string;
  readonly lines: readonly string[];
  readonly mood: 'working' | 'waiting' | 'good' | 'calm';
  readonly buttons: readonly Button[];
}

const moodOf = (incident: Incident): IncidentMessage['mood'] => {
  switch (incident.status) {
    case 'held':
      return 'waiting';
    case 'recovered':
      return 'good';
    case 'cancelled':
      return 'calm';
    case 'open':
      return 'working';
  }
};

/** What it is at, in words. */
export const stageOf = (incident: Incident): string => {
  if (incident.status !== 'open') return incident.status;
  if (incident.handOff?.completedAt !== undefined) return 'waiting for the service';
  if (incident.fence?.proof !== undefined) return 'fenced, moving the volumes';
  if (incident.fence?.rungs.length) return 'fencing';
  if (incident.mode === 'drain' && incident.drain?.startedAt !== undefined) return 'draining';
  if (incident.protection !== undefined) return 'protecting the data';
  return 'assessing';
};

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

/** Which one it is and how it stands; the evidence and the hold have lines of their own. */
const headlineOf = (incident: Incident): string => {
  const { hold, instanceId, n, quarantine, recovery, status, verdict } = incident;
  if (recovery !== undefined || quarantine !== undefined) return summarise(incident);
  const kind = verdict?.kind ?? 'not assessed';
  const became = {
    open: '',
    held: hold === undefined ? ', held' : `, held (${hold.reason})`,
    recovered: ', recovered',
    cancelled: ', nothing to do',
  }[status];
  return `${instanceId} (incident ${n}): ${kind}${became}`;
};

/** What holds it, and what ends that. */
const holdLines = ({ hold, status }: Incident): readonly string[] =>
  status === 'held' && hold !== undefined
    ? [`Held: ${hold.says}`, `Way out: ${wayOut[hold.reason]} (runbook: ${hold.reason})`]
    : [];

/** Only what is over: a late event says the same again. */
const phaseLines = (phases: readonly PhaseSpan[]): readonly string[] => {
  const over = phases.filter(({ to }) => to !== undefined);
  return over.length === 0
    ? []
    : [`Phases: ${over.map(({ phase, tookMs }) => `${phase} ${seconds(tookMs)}`).join(', ')}`];
};

/** What is asked, or was answered, and by whom. */
const approvalLines = ({ approval, hold, status: stands }: Incident): readonly string[] => {
  if (approval === undefined) return [];
  const { by = 'nobody', id, reason, says, status } = approval;
  // The hold itself is the question.
  const isSaid = status === 'pending' && stands === 'held' && hold?.reason === 'approval';
  if (isSaid) return [];
  const why = reason === undefined ? '' : ` (${reason})`;
  const answer = status === 'pending' ? 'not answered yet' : `${status} by ${by}${why}`;
  return [`Asked: ${id}: ${says}: ${answer}`];
};

/** What the ledger says of an incident, for people: one message, rewritten as it goes on. Pure. */
export const messageOf = (
  incident: Incident,
  phases: readonly PhaseSpan[] = [],
): IncidentMessage => {
  const { facts, fence, verdict } = incident;
  const times = phaseTimes(incident);
  const lines = [headlineOf(incident)];
  if (verdict !== undefined) lines.push(`Why: ${verdict.why.join('; ')}`);
  if (verdict?.whyNot.length) lines.push(`Against: ${verdict.whyNot.join('; ')}`);
  if (facts?.apps.length) lines.push(`Apps: ${facts.apps.map((app) => app.id).join(', ')}`);
  if (facts?.volumes.length) {
    lines.push(`Volumes: ${facts.volumes.map((v) => `${v.name} (${v.volumeId})`).join(', ')}`);
  }
  if (fence?.proof !== undefined) {
    const reads = fence.proof
      .map((read) => `${read.state} after ${seconds(read.at - incident.openedAt)}`)
      .join(', ');
    lines.push(`Fence: ${fence.method ?? 'none'}, ${fence.strength ?? 'unknown'}; proof: ${reads}`);
  }
  lines.push(...phaseLines(phases), ...holdLines(incident), ...approvalLines(incident));
  if (incident.acknowledged?.length) {
    lines.push(`Acknowledged: ${incident.acknowledged.join(', ')}`);
  }
  if (times.totalMs !== undefined) lines.push(`Took ${seconds(times.totalMs)}`);
  const where = facts?.availabilityZone === undefined ? '' : ` in ${facts.availabilityZone}`;
  const title = `${incident.cluster}: ${incident.instanceId}${where}: ${stageOf(incident)}`;
  return { title, lines, mood: moodOf(incident), buttons: buttonsOf(incident) };
};

/** So many of those that wait are named. */
const namedMax = 10;

/** One message for a whole storm: how many wait, where and why, and who goes on first. Pure. */
export const stormMessageOf = (cluster: string, storm: Storm): IncidentMessage => {
  const queue = queueOf(storm);
  const has = storm.joined === 1 ? '1 agent has' : `${storm.joined} agents have`;
  if (queue.length === 0) {
    const lines = [`${has} waited; nobody waits any more.`];
    return { title: `${cluster}: storm over`, lines, mood: 'calm', buttons: [] };
  }
  const named = queue.slice(0, namedMax).map(([, one]) => `${one.instanceId} (${one.priority})`);
  const more = queue.length > namedMax ? `, and ${queue.length - namedMax} more` : '';
  const isBlind = queue.some(([, { behind }]) => behind === 'blind');
  const lines = [
    `${queue.length} wait, nothing of theirs is touched; ${has} had to wait in all.`,
    ...countsOf(queue.map(([, one]) => one)),
    `In order of priority: ${named.join(', ')}${more}`,
    isBlind
      ? 'Mesos has lost more agents than can have failed: look at the masters and their network.'
      : 'They go on by priority once nothing more comes; acknowledge one, or the storm, to go on now.',
  ];
  const title = `${cluster}: storm: ${queue.length} agents wait`;
  return { title, lines, mood: 'waiting', buttons: isBlind ? [] : stormButtons(cluster) };
};
