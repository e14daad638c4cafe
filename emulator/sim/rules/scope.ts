import { justifiesMs, type Memory } from '../record.ts';
import { type Rule, residual, violation } from './rule.ts';

/** What is ours to change, and what no change may do to it: S6, S7. */

const HARMLESS = ['DELETE /v2/queue/delay', 'DELETE /v2/apps/tasks'];

/** A terminated machine loses its tags after a while: it is still the one that was ours. */
const isStranger = ({ machines, volumes }: Memory, id: string): boolean => {
  const machine = machines.get(id);
  const isForeign = machine?.ours === false && machine.state !== 'terminated';
  return isForeign || volumes.get(id)?.ours === false;
};

/** Volumes that are named beside the instance they are on. */
const volumesIn = (params: Readonly<Record<string, string>>): string[] =>
  Object.entries(params).flatMap(([name, value]) =>
    /^BlockDeviceMapping\.\d+\.Ebs\.VolumeId$/.test(name) ? [value] : [],
  );

/** A change of what is not ours is not even asked for: what EC2 would refuse is a second net. */
export const scoped: Rule = (event, memory) => {
  if (event.kind !== 'mutation' || HARMLESS.includes(event.call)) return undefined;
  // What adopt tags was nobody's until then.
  if (event.by.functionName === 'adopt' && event.call === 'CreateTags') return undefined;
  const stranger = [...event.targets, ...volumesIn(event.params)].find((id) =>
    isStranger(memory, id),
  );
  if (stranger === undefined) return undefined;
  if (event.accepted) return violation(`${event.call} of ${stranger}, which is not in scope`);
  const since = memory.strangerSince.get(stranger) ?? 0;
  return event.by.wire.at - since <= justifiesMs
    ? residual(`${stranger} left the scope just before ${event.call}`)
    : violation(`${event.call} of ${stranger} was tried, which is not in scope`);
};

const flagValues = (params: Readonly<Record<string, string>>): (string | undefined)[] => {
  const devices = Object.keys(params).filter((name) =>
    /^BlockDeviceMapping\.\d+\.DeviceName$/.test(name),
  );
  return devices.map((name) => params[name.replace('DeviceName', 'Ebs.DeleteOnTermination')]);
};

export const keepsData: Rule = (event, memory) => {
  if (event.kind !== 'mutation') return undefined;
  if (event.call === 'DeleteVolume') return violation('DeleteVolume is never called');
  if (event.call === 'ModifyInstanceAttribute') {
    return flagValues(event.params).some((value) => value !== 'false')
      ? violation('DeleteOnTermination is not written out as false')
      : undefined;
  }
  if (event.call !== 'TerminateInstances') return undefined;
  const doomed = [...memory.volumes.values()].find(
    ({ ours, holders }) =>
      ours && holders.some((h) => event.targets.includes(h.instanceId) && h.deleteOnTermination),
  );
  return doomed ? violation(`TerminateInstances would delete ${doomed.volumeId}`) : undefined;
};
