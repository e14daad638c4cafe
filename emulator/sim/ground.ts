import type { World } from '../world.ts';
import type { SimEvent } from './events.ts';

/** The machines themselves, watched. */
export interface Ground {
  /** Tells what has changed since the last look, as of now; `moved`: machines or disks may have. */
  look(moved: boolean): void;
}

/**
 * Follows the true state of machines, volumes, agents and writers, and tells each change once.
 * It looks whenever a machine, a disk or an agent moved and around every request. A state that came
 * and went between two requests of ours may be missed: an attach that has only begun is told before
 * the next of them.
 */
export const createGround = (world: World, tell: (event: SimEvent) => void): Ground => {
  const { ec2, dcos, time, infra } = world;
  const cluster = infra.parameters.ClusterName ?? '';
  const [agentKey = '', agentValue = ''] = (infra.parameters.AgentTag ?? '').split('=');
  const told = new Map<string, string>();
  let moved = true;

  const tellOnce = (key: string, event: SimEvent): void => {
    const { at: _, ...content } = event;
    const text = JSON.stringify(content);
    if (told.get(key) === text) return;
    told.set(key, text);
    tell(event);
  };

  const lookAtMachines = (): void => {
    const at = time.now();
    const { instances, volumes } = ec2.live();
    const roots = new Map<string, string>();
    for (const instance of instances) {
      const { instanceId, state, powered, kernel, launchTime, tags } = instance;
      roots.set(instanceId, instance.rootDeviceName);
      const ours = tags['ebs-failover:cluster'] === cluster && tags[agentKey] === agentValue;
      const well = powered && kernel === 'ok' && state === 'running';
      const { availabilityZone: zone } = instance;
      const machine = { instanceId, state, powered, well, launchTime, ours, zone };
      tellOnce(instanceId, { at, kind: 'machine', ...machine });
    }
    for (const { volumeId, state, tags, attachments } of volumes) {
      const isRoot = attachments.some((a) => roots.get(a.instanceId) === a.device);
      const ours = tags['ebs-failover:cluster'] === cluster && !isRoot;
      const holders = attachments.map((a) => ({
        instanceId: a.instanceId,
        state: a.state,
        deleteOnTermination: a.deleteOnTermination,
      }));
      tellOnce(volumeId, { at, kind: 'volume', volumeId, state, ours, holders });
    }
    for (const { agentId, instanceId, connected, state } of dcos.agents()) {
      const listed = connected && state === 'registered';
      tellOnce(agentId, { at, kind: 'agent', agentId, instanceId, listed });
    }
  };

  let foreign = 0;
  const lookAtWriters = (): void => {
    const rowsNow = dcos.guests.foreignRows();
    if (rowsNow === foreign) return;
    foreign = rowsNow;
    for (const { volumeId, foreignWrites: rows } of dcos.guests.report()) {
      if (rows > 0) {
        tellOnce(`${volumeId} foreign`, { at: time.now(), kind: 'foreign', volumeId, rows });
      }
    }
  };

  let lastCall = ec2.calls().at(-1);
  /** What an agent asks for moves the disk at once, and is no event before it is done. */
  const isAskedFor = (): boolean => {
    const calls = ec2.calls();
    const begin = lastCall === undefined ? 0 : calls.lastIndexOf(lastCall) + 1;
    lastCall = calls.at(-1);
    return calls.slice(begin).some(({ api }) => api === 'AttachVolume' || api === 'DetachVolume');
  };

  const look = (): void => {
    if (isAskedFor() || moved) lookAtMachines();
    moved = false;
    lookAtWriters();
  };
  const move = (): void => {
    moved = true;
    // The change is complete only when the code that makes it has returned.
    time.after(0, look);
  };
  ec2.subscribe(move);
  ec2.onState(move);
  dcos.onChange(move);
  world.states.onStatus(({ arn, status }) =>
    tell({ at: time.now(), kind: 'execution', arn, running: status === 'RUNNING' }),
  );
  const parameters = { ...infra.parameters };
  tell({ at: time.now(), kind: 'policy', parameters });
  look();
  return {
    look: (changed) => {
      moved ||= changed;
      look();
    },
  };
};
