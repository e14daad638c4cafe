import type { Explanation, History, Incidents } from '../../src/contracts/look.ts';
import { hang, type Terminal, table } from '../terminal.ts';
import { colourOf, momentOf, timeOf } from '../words.ts';
import { incidentTable } from './status.ts';

const colourOfAction = (
  action: Explanation['action'],
  says: string,
  { paint }: Terminal,
): string => {
  switch (action) {
    case 'act':
    case 'plan':
      return paint.yellow(says);
    case 'hold':
      return paint.red(says);
    case 'watch':
    case 'cancel':
    case 'none':
      return paint.green(says);
  }
};

/** Why an instance is, or is not, acted upon now. */
export const showExplanation = (shown: Explanation, terminal: Terminal): string => {
  const { action, guards, incident, instanceId, leftAlone, verdict, warnings, witnesses } = shown;
  const { columns, paint } = terminal;
  const line = (head: string, says: string): string => hang(head.padEnd(13), says, columns);
  return [
    `${paint.bold(instanceId)} at ${momentOf(shown.at)}`,
    colourOfAction(action, hang('', shown.says, columns), terminal),
    '',
    line('EC2', witnesses.ec2),
    line('checks', witnesses.checks),
    line('Mesos', witnesses.mesos),
    ...(witnesses.masters === undefined ? [] : [line('masters', witnesses.masters)]),
    '',
    line('verdict', verdict.kind),
    ...verdict.why.map((says) => line('  for', says)),
    ...verdict.whyNot.map((says) => line('  against', says)),
    '',
    ...(guards.length === 0
      ? [line('guards', 'none speaks against it')]
      : guards.map(({ reason, says }) => paint.red(line('guard', `${reason}: ${says}`)))),
    ...warnings.map(({ reason, says }) => paint.yellow(line('warning', `${reason}: ${says}`))),
    ...shown.volumes.map(({ appIds, name, volumeId }) =>
      line('would move', `${name} (${volumeId}) of ${appIds.join(', ')}`),
    ),
    ...leftAlone.map(({ volumeId, why }) => paint.dim(line('left alone', `${volumeId}: ${why}`))),
    ...(incident === undefined
      ? []
      : ['', line('incident', `${incident.id} ${incident.status}: ${incident.summary}`)]),
  ].join('\n');
};

/** The epochs of a volume, the one in force last. */
export const showHistory = ({ epochs, name, volumeId }: History, terminal: Terminal): string =>
  [
    `${terminal.paint.bold(volumeId)} ${name}`,
    '',
    table(
      terminal,
      ['EPOCH', 'STATE', 'OWNER', 'RELEASED', 'INCIDENT'],
      epochs.map(({ epoch, incidentId, owner, releasedAt, state }) => [
        String(epoch),
        colourOf(state, terminal.paint),
        owner ?? '-',
        releasedAt === undefined ? '-' : timeOf(releasedAt),
        incidentId ?? '-',
      ]),
    ),
  ].join('\n');

export const showIncidents = ({ at, cluster, incidents }: Incidents, terminal: Terminal): string =>
  incidents.length === 0
    ? `No incident in cluster ${cluster}.`
    : incidentTable(incidents, at, terminal);
