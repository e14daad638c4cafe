import type { Brakes, IncidentLine, Status } from '../../src/contracts/look.ts';
import { hang, type Terminal, table } from '../terminal.ts';
import { agoOf, colourOf, momentOf } from '../words.ts';

type AgentLine = Status['agents'][number];
type VolumeLine = Status['volumes'][number];

/** EC2's state, and its status checks where they say more. */
const machineOf = ({ checks, state }: AgentLine): string =>
  state === 'running' && checks !== 'ok' && checks !== 'none' ? checks : state;

const remarksOn = (agent: AgentLine, { maintenance }: Brakes): string => {
  const remarks = [
    ...agent.appIds,
    ...(agent.incidentId === undefined ? [] : ['incident']),
    ...(agent.quarantined ? ['quarantined'] : []),
    ...(maintenance.some(({ instanceId }) => instanceId === agent.instanceId)
      ? ['maintenance']
      : []),
  ];
  return remarks.join(', ') || '-';
};

const showAgents = ({ agents, brakes }: Status, terminal: Terminal): string =>
  table(
    terminal,
    ['AGENT', 'ADDRESS', 'ZONE', 'EC2', 'MESOS', 'RUNS'],
    agents.map((agent) => [
      agent.instanceId,
      agent.privateIp ?? '-',
      agent.availabilityZone ?? '-',
      colourOf(machineOf(agent), terminal.paint),
      colourOf(agent.mesos, terminal.paint),
      remarksOn(agent, brakes),
    ]),
    ['ADDRESS', 'ZONE'],
  );

/** The ledger's owner, and where EC2 has it if that is elsewhere. */
const placeOf = ({ attachedTo, owner }: VolumeLine): string => {
  const at = attachedTo.join(', ') || 'nowhere';
  if (owner === undefined) return `- (attached: ${at})`;
  return attachedTo.length === 1 && attachedTo[0] === owner ? owner : `${owner} (attached: ${at})`;
};

const showVolumes = ({ volumes }: Status, terminal: Terminal): string =>
  table(
    terminal,
    ['VOLUME', 'NAME', 'LEDGER', 'EPOCH', 'OWNER'],
    volumes.map((volume) => [
      volume.volumeId,
      volume.name,
      colourOf(volume.ownership ?? 'none', terminal.paint),
      volume.epoch === undefined ? '-' : String(volume.epoch),
      placeOf(volume),
    ]),
  );

/** What an incident is at, or waits for. */
const stageOf = ({ hold, stage, status, verdict }: IncidentLine): string => {
  if (hold !== undefined) return `${hold.reason}: ${hold.says}`;
  return status === 'open' ? `${verdict ?? 'no verdict yet'}: ${stage}` : (verdict ?? stage);
};

/** Incidents, one below the other. */
export const incidentTable = (
  incidents: readonly IncidentLine[],
  now: number,
  terminal: Terminal,
): string =>
  table(
    terminal,
    ['INCIDENT', 'STATUS', 'OPENED', 'WHAT'],
    incidents.map((incident) => [
      incident.id,
      colourOf(incident.status, terminal.paint),
      agoOf(incident.openedAt, now),
      stageOf(incident),
    ]),
    ['OPENED'],
  );

const untilOf = (until: number | undefined): string =>
  until === undefined ? 'until somebody unpauses' : `until ${momentOf(until)}`;

/** What keeps work back, one sentence each; empty: nothing does. */
export const brakeLines = (brakes: Brakes, now: number): readonly string[] => {
  const { maintenance, paused, quarantined, shiftedZones, slot, storm } = brakes;
  return [
    ...(paused === undefined || paused.over
      ? []
      : [`paused by ${paused.by}: ${paused.reason}, ${untilOf(paused.until)}`]),
    ...maintenance.map(
      ({ by, instanceId, until }) => `maintenance of ${instanceId} by ${by}, ${untilOf(until)}`,
    ),
    ...(storm.waiting.length === 0
      ? []
      : [`storm: ${storm.waiting.length} wait, first ${storm.waiting[0]?.incidentId ?? ''}`]),
    ...(storm.acknowledged === undefined
      ? []
      : [`storm let through by ${storm.acknowledged.by}, ${untilOf(storm.acknowledged.until)}`]),
    ...(slot === undefined ? [] : [`planned move under way: ${slot}`]),
    ...quarantined.map(({ incidentId, instanceId, lifted, since }) =>
      lifted === undefined
        ? `quarantine of ${instanceId}, fenced ${agoOf(since, now)} by ${incidentId}`
        : `${instanceId} is being un-fenced by ${lifted.by}: ${lifted.reason}`,
    ),
    ...shiftedZones.map(({ until, zoneId }) => `traffic shifted from ${zoneId}, ${untilOf(until)}`),
  ];
};

/** The cluster at a glance, for people. */
export const showStatus = (status: Status, terminal: Terminal): string => {
  const { agents, at, brakes, cluster, incidents, trouble, volumes } = status;
  const { bold, green, red, yellow } = terminal.paint;
  const braked = brakeLines(brakes, at);
  return [
    `${bold(`Cluster ${cluster}`)} at ${momentOf(at)}`,
    ...trouble.map((says) => red(hang('could not be read: ', says, terminal.columns))),
    '',
    agents.length === 0 ? 'No agents.' : showAgents(status, terminal),
    '',
    volumes.length === 0 ? 'No volumes.' : showVolumes(status, terminal),
    '',
    incidents.length === 0 ? green('No open incident.') : incidentTable(incidents, at, terminal),
    '',
    ...(braked.length === 0
      ? [green('No brake is on.')]
      : braked.map((says) => yellow(hang('Brake: ', says, terminal.columns)))),
  ].join('\n');
};
