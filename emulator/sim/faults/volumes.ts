import { marshall } from '@aws-sdk/util-dynamodb';
import { type FaultKind, fault, type Params } from '../fault.ts';
import type { Site } from '../site.ts';
import { appOf, type Traits } from '../stage.ts';
import { flagAgain } from './flags.ts';

const isTerminated = ({ world }: Site, volumeId: string): boolean =>
  world.ec2
    .volumes()
    .filter((volume) => volume.volumeId === volumeId)
    .flatMap(({ attachments }) => attachments)
    .some(({ instanceId }) => world.ec2.status(instanceId).state === 'terminated');

const slow = (
  id: string,
  extraS: readonly number[],
  parts: Partial<FaultKind> & { alsoForced?: boolean; alsoTerminated?: boolean } = {},
): FaultKind => {
  const { alsoForced = false, alsoTerminated = true, ...more } = parts;
  return fault(id, {
    ...more,
    draw: (rng) => ({ extraS: rng.pick(extraS) }),
    arm: (site, { extraS: seconds }) => {
      site.on('detach', (volumeId, forced) => {
        const ours = site.stage.app.volumeIds.includes(volumeId);
        if (!ours || (forced && !alsoForced)) return 0;
        if (!alsoTerminated && isTerminated(site, volumeId)) return 0;
        site.hit(id);
        return seconds * 1000;
      });
    },
  });
};

/** A person is quicker than the first DetachVolume: free at once, and then what `next` does. */
const detachedFirst = (
  id: string,
  delayMs: number,
  next: (site: Site, volumeId: string) => void,
  parts: Partial<FaultKind> = {},
): FaultKind =>
  fault(id, {
    ...parts,
    draw: () => ({ delayMs }),
    arm: (site) => {
      const { world } = site;
      let busy = false;
      let done = false;
      site.on('detach', () => (busy ? -60_000 : 0));
      site.on('request', ({ operation, body }) => {
        if (done || operation !== 'DetachVolume') return undefined;
        done = true;
        const volumeId = new URLSearchParams(body).get('VolumeId') ?? '';
        busy = true;
        world.ec2.detachVolume(volumeId, { force: false });
        busy = false;
        site.hit(id);
        next(site, volumeId);
        return { delayMs };
      });
    },
  });

/** The world is so from the start; seen whenever a call of this kind is answered. */
export const trait = (
  id: string,
  traits: Partial<Traits>,
  parts: Partial<FaultKind>,
  api: RegExp,
) =>
  fault(id, {
    ...parts,
    traits,
    draw: () => ({ world: 'is so from the start' }),
    arm: (site) => {
      site.on('request', ({ service, operation }) => {
        if (service === 'ec2' && api.test(operation)) site.hit(id);
        return undefined;
      });
    },
  });

/** What happens to the app's first volume in the moment the first execution begins, or so long after. */
const stricken = (
  id: string,
  parts: Partial<FaultKind> & { told: RegExp; draw: FaultKind['draw'] },
  strike: (site: Site, volumeId: string, params: Params) => void,
): FaultKind => {
  const { told, draw, ...more } = parts;
  return fault(id, {
    ...more,
    draw,
    arm: (site, params: Params) => {
      const [volumeId] = site.stage.app.volumeIds;
      if (volumeId === undefined) return;
      let struck = false;
      let begun = false;
      site.world.states.onStatus(({ status }) => {
        if (begun || status !== 'RUNNING') return;
        begun = true;
        site.later(Number(params.afterS ?? 0) * 1000, () => {
          strike(site, volumeId, params);
          struck = true;
        });
      });
      site.on('request', ({ operation }) => {
        if (struck && told.test(operation)) site.hit(id);
        return undefined;
      });
    },
  });
};

/** The first incident of the run, as its execution was told. */
const incidentOf = ({ world }: Site): string => {
  const [first] = world.states.executions();
  return (JSON.parse(first?.input ?? '{}') as { incidentId?: string }).incidentId ?? '';
};

/** A person has looked at the volume and lets it pass. */
const acknowledge = (site: Site): void => {
  const body = {
    TableName: site.world.infra.resource('LedgerTable').ref,
    Key: marshall({ pk: `INCIDENT#${incidentOf(site)}`, sk: 'STATE' }),
    UpdateExpression: 'SET acknowledged = :reason',
    ConditionExpression: '#s = :held',
    ExpressionAttributeNames: { '#s': 'status' },
    ExpressionAttributeValues: marshall({ ':reason': ['volume-not-usable'], ':held': 'held' }),
  };
  void site.time.busy(site.operator('dynamodb', { operation: 'UpdateItem', body }));
};

/** Suspicious data is moved like any other, but nobody is told to use it before a person has looked. */
const brokenVolume = stricken(
  'EB-10',
  {
    scenes: ['hung', 'stopped'],
    mayHold: ['volume-not-usable'],
    told: /^DescribeVolume/,
    // 0: nobody looks.
    draw: (rng) => ({ how: rng.pick(['io', 'error']), lookedAtS: rng.pick([0, 40, 60]) }),
  },
  (site, volumeId, { how, lookedAtS }) => {
    if (how === 'error') site.world.ec2.failVolume(volumeId);
    else site.world.ec2.disableIo(volumeId);
    if (how === 'io' && lookedAtS !== 0) {
      site.time.after(Number(lookedAtS) * 1000, () => acknowledge(site));
    }
  },
);

const isFree = (ec2: Site['world']['ec2'], volumeId: string): boolean =>
  ec2.volumes().some((volume) => volume.volumeId === volumeId && volume.state === 'available');

/** EC2 attaches what is free to what runs or is stopped, and refuses whatever is in between. */
const isAttachable = ({ ec2 }: Site['world'], volumeId: string, instanceId: string): boolean =>
  ['running', 'stopped'].includes(ec2.status(instanceId).state) && isFree(ec2, volumeId);

/**
 * A task was being launched when the machine hung, and REX-Ray had asked for its volume: EC2 does it
 * when the machine has been assessed already, and before anybody can say that it is down. Unless
 * Marathon was quicker, and has it elsewhere.
 */
const attachedLate = fault('EB-11', {
  scenes: ['hung'],
  traits: { comingApp: true },
  draw: (rng) => ({ from: rng.pick(['protectData', 'fenceAgent']) }),
  arm: (site, { from }) => {
    const { stage, world } = site;
    const { comingVolumeId: volumeId = '', failing } = stage;
    const isHere = ({ active, agentId }: { active: boolean; agentId: string }): boolean =>
      active && agentId === failing.agentId;
    if (!world.dcos.agents().some(isHere)) return;
    world.dcos.launchApp(appOf('/coming', ['coming']), failing.instanceId);
    let begun = false;
    let done = false;
    site.on('request', ({ functionName }) => {
      begun ||= functionName === from;
      const may = begun && !done && isAttachable(world, volumeId, failing.instanceId);
      if (!may) return undefined;
      done = true;
      world.ec2.attachVolume(volumeId, failing.instanceId, '/dev/xvdq');
      site.hit('EB-11');
      return undefined;
    });
  },
});

export const volumeFaults: readonly FaultKind[] = [
  slow('EB-01', [30, 45]),
  slow('EB-02', [100_000], {
    // Terminated, by somebody else too, EC2 lets go by its own workflow: Force changes nothing there.
    scenes: ['hung', 'stopped'],
    alsoTerminated: false,
    traits: { parameters: { ForceDetach: 'after-proof' } },
  }),
  slow('EB-03', [150, 400]),
  detachedFirst('EB-04', 50, () => {}),
  detachedFirst(
    'EB-05',
    3_000,
    ({ world, stage, time, operator }, volumeId) => {
      const [, , { instanceId: InstanceId } = {}] = stage.agents;
      time.after(100, () => {
        if (!isFree(world.ec2, volumeId)) return;
        const body = { VolumeId: volumeId, InstanceId, Device: '/dev/xvdq' };
        void operator('ec2', { operation: 'AttachVolume', body });
      });
    },
    { mayHold: ['volume-attached-elsewhere', 'volume-stuck', 'recovery-not-seen', 'proof-void'] },
  ),
  detachedFirst(
    'EB-06',
    30_000,
    (site, volumeId) => {
      site.time.after(100, () => {
        void site.operator('ec2', { operation: 'DeleteVolume', body: { VolumeId: volumeId } });
      });
    },
    { mayHold: ['volume-lost'] },
  ),
  fault('EB-07', {
    scenes: ['hung', 'stopped', 'terminated'],
    traits: { deleteOnTermination: true },
    draw: () => ({ flagged: 'from the start, and again when it is too late for adopt' }),
    arm: (site) => {
      const { instanceId } = site.stage.failing;
      site.on('request', ({ service, operation }) => {
        if (service === 'ec2' && operation === 'ModifyInstanceAttribute') site.hit('EB-07');
        return undefined;
      });
      const { state } = site.world.ec2.status(instanceId);
      // A termination is under way: the data is safe already, or lost.
      if (state === 'shutting-down') site.hit('EB-07');
      else flagAgain(site);
    },
  }),
  trait(
    'EB-08',
    { multiAttach: true },
    // Nobody adopts it, so nobody keeps it through a termination either.
    { mayHold: ['multi-attach', 'volume-lost'], mayStayDown: true },
    /^DescribeVolumes$/,
  ),
  brokenVolume,
  attachedLate,
  trait('EB-12', { volumes: 0 }, { mayStayDown: true }, /^DescribeVolumes$/),
  trait(
    'EB-13',
    { kmsKeyDisabled: true },
    { mayHold: ['recovery-not-seen', 'volume-not-usable'], mayStayDown: true },
    /^DetachVolume$/,
  ),
  stricken(
    'EB-14',
    {
      scenes: ['hung', 'stopped'],
      traits: { volumes: 1 },
      // Let go by a termination, it is free, and EC2 refuses to attach it anywhere.
      mayHold: ['managed-volume', 'volume-stuck', 'recovery-not-seen'],
      mayStayDown: true,
      told: /^(?:DescribeVolumes|DetachVolume)$/,
      // At once, or when the service has made up its mind to move it.
      draw: (rng) => ({ afterS: rng.pick([0, 0, 1, 2]) }),
    },
    ({ world }, volumeId) => world.ec2.manageVolume(volumeId, 'eks.amazonaws.com'),
  ),
  stricken(
    'EB-15',
    {
      scenes: ['hung'],
      told: /^DescribeVolumesModifications$/,
      draw: (rng) => ({ forS: rng.int(60, 400) }),
    },
    ({ world }, volumeId, { forS }) => world.ec2.modifyVolume(volumeId, Number(forS) * 1000),
  ),
  trait(
    'EB-16',
    { namesake: true },
    { mayHold: ['duplicate-volume-name', 'placement-could-leave-zone'] },
    /^DescribeVolumes$/,
  ),
  trait('EB-09', { namedRoot: true }, { mayHold: ['duplicate-volume-name'] }, /^DescribeVolumes$/),
];
