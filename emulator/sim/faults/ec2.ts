import { createRng } from '../../core/random.ts';
import {
  drawStretch,
  type FaultKind,
  fault,
  isMutation,
  lostAnswer,
  once,
  strike,
} from '../fault.ts';
import { refuseCall, type Site } from '../site.ts';
import { oneBadId } from './batches.ts';
import { forgotten, stale } from './stale.ts';

/** EC2 refuses calls with a code, some of those that fit, for a stretch from the first one on. */
const refused = (
  id: string,
  code: string,
  fits: (api: string) => boolean,
  more: Partial<FaultKind> & { forS?: number; chance?: number } = {},
): FaultKind => {
  const { forS: longestS = 90, chance = 0.6, ...parts } = more;
  return fault(id, {
    ...parts,
    draw: (rng) => ({ forS: rng.int(5, longestS), chance, seed: rng.hex(8) }),
    arm: (site, { forS, chance: likely, seed }) => {
      const rng = createRng(seed);
      let begun: number | undefined;
      site.on('ec2', ({ api, caller }) => {
        const isSweep =
          caller.accessKeyId.includes('Sweep') || caller.accessKeyId.includes('Adopt');
        if (!fits(api) || isSweep) return;
        begun ??= site.time.now();
        if (site.time.now() - begun > forS * 1000 || rng.next() > likely) return;
        site.hit(id);
        refuseCall(code);
      });
    },
  });
};

const isPower = (api: string): boolean => api === 'StopInstances' || api === 'TerminateInstances';
const isChange = (api: string): boolean => !api.startsWith('Describe');

/** Short pages, and between two of them an item comes or goes: the next one repeats or misses one. */
const shiftingPages = fault('EC-06', {
  draw: (rng) => ({ size: rng.int(2, 4), chance: 0.25, forS: rng.int(180, 420), seed: rng.hex(8) }),
  arm: (site, { size, chance, forS, seed }) => {
    const rng = createRng(seed);
    const begun = site.time.now();
    site.on('paging', () => {
      if (site.time.now() - begun > forS * 1000) return undefined;
      const drift = (): number => {
        if (rng.next() > chance) return 0;
        site.hit('EC-06');
        return rng.pick([-1, 1]);
      };
      return { size, drift };
    });
  },
});

const unknown = refused(
  'EC-05',
  'InvalidInstanceID.NotFound',
  (api) => api === 'DescribeInstances',
  {
    forS: 20,
  },
);

const notFound = fault('EC-05', {
  draw: (rng) => ({ ...unknown.draw(rng), forS: rng.int(2, 20), afterStop: rng.next() < 0.4 }),
  arm: (site, { afterStop, forS, ...params }) =>
    afterStop ? forgotten(site, forS) : unknown.arm(site, { ...params, forS }),
});

const stuckStop = fault('EC-11', {
  scenes: ['hung', 'stopped'],
  mayHold: ['weak-fence'],
  draw: (rng) => ({ extraS: rng.pick([120, 600, 1_800]), skipOnly: rng.next() < 0.5 }),
  arm: (site, { extraS, skipOnly }) => {
    site.on('stop', (instanceId, method) => {
      if (instanceId !== site.stage.failing.instanceId) return 0;
      if (skipOnly && method.includes('force')) return 0;
      site.hit('EC-11');
      return extraS * 1000;
    });
  },
});

const lateWrites = fault('EC-19', {
  scenes: ['hung'],
  traits: { instanceType: 'm4.large', parameters: { WeakFence: 'settle' } },
  draw: (rng) => ({ forS: rng.int(1, 40) }),
  arm: (site, { forS }) => {
    site.on('afterStop', () => {
      site.hit('EC-19');
      return forS * 1000;
    });
  },
});

/** The trait does the work: EC2 itself refuses; seen in its call log. */
const seenRefusal = (id: string, code: string, parts: Partial<FaultKind>): FaultKind =>
  fault(id, {
    ...parts,
    draw: () => ({ code }),
    arm: (site) => {
      site.on('request', watchLog(site, id, code));
    },
  });

/** A person sets DeleteOnTermination to true again, after it was read to be false. */
const doomAgain = (site: Site) => (): undefined => {
  const [VolumeId] = site.stage.app.volumeIds;
  void site.operator('ec2', {
    operation: 'ModifyInstanceAttribute',
    body: {
      InstanceId: site.stage.failing.instanceId,
      'BlockDeviceMapping.1.DeviceName': '/dev/xvdf',
      'BlockDeviceMapping.1.Ebs.VolumeId': VolumeId,
      'BlockDeviceMapping.1.Ebs.DeleteOnTermination': 'true',
    },
  });
};

const watchLog = (site: Site, id: string, code: string) => {
  let seen = site.world.ec2.calls().length;
  return (): undefined => {
    const calls = site.world.ec2.calls();
    for (const call of calls.slice(seen)) if (call.outcome === code) site.hit(id);
    seen = calls.length;
  };
};

/** Somebody presses on with Force, and even then EC2 waits for a guest that does not go down. */
const blockedShutdown = fault('EC-12', {
  scenes: ['stopped'],
  traits: { blocksShutdown: true },
  draw: (rng) => ({ forceAfterS: rng.int(0, 20) }),
  arm: (site, { forceAfterS }) => {
    const { world, stage } = site;
    const { instanceId } = stage.failing;
    site.later(forceAfterS * 1000, () => {
      if (world.ec2.status(instanceId).state === 'stopping')
        world.ec2.stop(instanceId, { force: true });
    });
    // Terminated by somebody without skip, it is ours to wait for: EC2 forces it itself, hours later.
    site.heal(() => {
      if (world.ec2.status(instanceId).state === 'shutting-down')
        world.ec2.terminate(instanceId, { force: true, skipOsShutdown: true });
    });
    site.on('request', ({ operation }) => {
      // Only a machine that would not go down by itself still says so when ours comes.
      const isBlocked = world.ec2.status(instanceId).state === 'stopping';
      if (operation === 'StopInstances' && isBlocked) site.hit('EC-12');
      return undefined;
    });
  },
});

/** Longer than the service waits before it calls for a person. */
const LOST_S = [1_200, 1_800] as const;

const hostLost = fault('EC-14', {
  scenes: ['hung'],
  // Force was used in vain, so the fence is weak once the host is found.
  traits: { parameters: { WeakFence: 'settle' } },
  draw: (rng) => ({ forS: rng.int(...LOST_S) }),
  arm: (site, { forS }) => {
    const { world, stage, time } = site;
    const { instanceId } = stage.failing;
    world.ec2.loseHost(instanceId);
    // A host is not found because the other faults are over.
    time.after(forS * 1000, () => world.ec2.findHost(instanceId));
    site.on('request', ({ operation }) => {
      const isStuck = world.ec2.status(instanceId).state === 'stopping';
      if (operation === 'DescribeInstances' && isStuck) site.hit('EC-14');
      return undefined;
    });
  },
});

export const ec2Faults: readonly FaultKind[] = [
  refused('EC-01', 'RequestLimitExceeded', () => true),
  refused('EC-02', 'InternalError', () => true),
  fault('EC-03', {
    draw: (rng) => ({
      ...drawStretch(rng),
      every: rng.int(1, 3),
      lateMs: rng.pick([0, 0, 0, 2_000, 10_000, 40_000]),
    }),
    arm: (site, { lateMs, ...params }) => {
      const fits = ({ service, operation }: { service: string; operation: string }): boolean =>
        service === 'ec2' && isMutation({ operation });
      // Where the connection broke, EC2 has the request at once or by and by.
      const verdict = lateMs === 0 ? lostAnswer : { lateMs };
      strike(site, 'EC-03', { ...params, fromS: 0 }, fits, verdict);
    },
  }),
  stale,
  notFound,
  oneBadId,
  seenRefusal('EC-08', 'OperationNotPermitted', {
    scenes: ['hung'],
    traits: { disableApiStop: true },
    mayHold: ['protected-from-stop'],
  }),
  refused('EC-09', 'UnauthorizedOperation', isChange, { chance: 1 }),
  refused('EC-10', 'IncorrectInstanceState', isPower, { forS: 40 }),
  shiftingPages,
  stuckStop,
  blockedShutdown,
  fault('EC-13', {
    scenes: ['hung', 'stopped'],
    draw: (rng) => ({ afterS: rng.int(0, 60) }),
    arm: (site, { afterS }) => {
      const { world, stage } = site;
      let told = false;
      world.states.onStatus(({ status }) => {
        if (told || status !== 'RUNNING') return;
        told = true;
        site.later(afterS * 1000, () => {
          site.hit('EC-13');
          const code = 'Server.SpotInstanceTermination';
          world.ec2.terminate(stage.failing.instanceId, {}, { code, message: code });
        });
      });
    },
  }),
  hostLost,
  refused('EC-15', 'AuthFailure', () => true, { forS: 120, chance: 1 }),
  fault('EC-16', {
    scenes: ['hung'],
    traits: { rootDeviceType: 'instance-store' },
    // A person dooms the data again while nobody may fence, and the group replaces the machine.
    mayHold: ['cannot-be-stopped', 'terminate-would-delete-data', 'volume-lost'],
    draw: (rng) => ({ flagBack: rng.next() < 0.6 }),
    arm: (site, { flagBack }) => {
      site.on('request', watchLog(site, 'EC-16', 'UnsupportedOperation'));
      if (flagBack)
        once(site, ({ functionName }) => functionName === 'fenceAgent', doomAgain(site));
    },
  }),
  // Something on the way sets the flag: nothing here sends it.
  refused('EC-17', 'DryRunOperation', isChange, { chance: 1 }),
  seenRefusal('EC-18', 'OperationNotPermitted', {
    scenes: ['hung'],
    traits: { instanceType: 'm4.large' },
    mayHold: ['weak-fence'],
  }),
  lateWrites,
  fault('ZM-06', {
    scenes: ['hung'],
    draw: (rng) => ({ extraMs: rng.int(5_000, 40_000) }),
    arm: (site, { extraMs }) => {
      const { world, stage } = site;
      let since: number | undefined;
      site.on('stop', (instanceId) => (instanceId === stage.failing.instanceId ? extraMs : 0));
      world.ec2.onState((instanceId, state) => {
        if (instanceId !== stage.failing.instanceId) return;
        if (state === 'stopping') since = site.time.now();
        if (state !== 'stopped' || since === undefined) return;
        const begunAt = since;
        const writers = world.dcos.guests.report().flatMap((report) => report.writers);
        const wrote = writers.some((w) => w.instanceId === instanceId && w.lastAt > begunAt);
        if (wrote) site.hit('ZM-06');
      });
    },
  }),
];
