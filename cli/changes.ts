import type { Status } from '../src/contracts/look.ts';
import { brakeLines } from './views/status.ts';

/** What is different between two looks, one sentence each. Pure. */
export const changesBetween = (before: Status, after: Status): readonly string[] => [
  ...agentChanges(before, after),
  ...volumeChanges(before, after),
  ...incidentChanges(before, after),
  ...brakeChanges(before, after),
  ...after.trouble
    .filter((says) => !before.trouble.includes(says))
    .map((says) => `could not be read: ${says}`),
];

const agentChanges = (before: Status, after: Status): readonly string[] =>
  after.agents.flatMap((agent) => {
    const was = before.agents.find(({ instanceId }) => instanceId === agent.instanceId);
    const { appIds, checks, instanceId, mesos, state } = agent;
    if (was === undefined) return [`agent ${instanceId} is new: EC2 ${state}, Mesos ${mesos}`];
    const runs = appIds.join(', ') || 'nothing';
    return [
      ...(was.state === state ? [] : [`agent ${instanceId}: EC2 ${was.state} -> ${state}`]),
      ...(was.checks === checks ? [] : [`agent ${instanceId}: checks ${was.checks} -> ${checks}`]),
      ...(was.mesos === mesos ? [] : [`agent ${instanceId}: Mesos ${was.mesos} -> ${mesos}`]),
      ...(was.appIds.join() === appIds.join() ? [] : [`agent ${instanceId} runs ${runs}`]),
    ];
  });

const volumeChanges = (before: Status, after: Status): readonly string[] =>
  after.volumes.flatMap((volume) => {
    const was = before.volumes.find(({ volumeId }) => volumeId === volume.volumeId);
    const { attachedTo, epoch, name, owner, ownership, volumeId } = volume;
    if (was === undefined) return [`volume ${name} (${volumeId}) is new`];
    const at = attachedTo.join(', ') || 'nowhere';
    const isSameRecord = was.ownership === ownership && was.epoch === epoch && was.owner === owner;
    return [
      ...(was.attachedTo.join() === attachedTo.join()
        ? []
        : [`volume ${name} (${volumeId}) is attached: ${at}`]),
      ...(isSameRecord
        ? []
        : [
            `volume ${name} is ${ownership ?? 'unknown'} under epoch ${epoch ?? '-'}, owner ${owner ?? '-'}`,
          ]),
    ];
  });

const incidentChanges = (before: Status, after: Status): readonly string[] => [
  ...after.incidents.flatMap((incident) => {
    const was = before.incidents.find(({ id }) => id === incident.id);
    if (was === undefined) return [`incident ${incident.id} is open: ${incident.summary}`];
    const isSame = was.stage === incident.stage && was.hold?.reason === incident.hold?.reason;
    const says = incident.hold === undefined ? incident.stage : `held: ${incident.hold.says}`;
    return isSame ? [] : [`incident ${incident.id}: ${says}`];
  }),
  ...before.incidents
    .filter(({ id }) => !after.incidents.some((incident) => incident.id === id))
    .map(({ id }) => `incident ${id} is over`),
];

/** Told without their ages, which change all the time. */
const brakeChanges = (before: Status, after: Status): readonly string[] => {
  const was = brakeLines(before.brakes, 0);
  const are = brakeLines(after.brakes, 0);
  return [
    ...are.filter((says) => !was.includes(says)).map((says) => `brake: ${says}`),
    ...was.filter((says) => !are.includes(says)).map((says) => `brake off: ${says}`),
  ];
};
