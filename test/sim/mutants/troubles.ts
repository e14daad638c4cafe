import type { WireResponse } from '../../../emulator/core/wire.ts';
import type { Verdict } from '../../../emulator/network.ts';
import { answered, once as onceOn } from '../../../emulator/sim/fault.ts';
import { askEc2, type Passing, type Site } from '../../../emulator/sim/site.ts';
import type { Traits } from '../../../emulator/sim/stage.ts';

/** What happens beside a hung kernel, so that a planted bug has something to get wrong. */
export interface Trouble {
  traits?: Partial<Traits>;
  /** How the incident must end all the same. */
  ends: 'recovered' | 'cancelled' | 'held' | 'open';
  /** How long it is watched, if not the usual time. Milliseconds. */
  horizonMs?: number;
  arm(site: Site): void;
}

/** Answered by somebody who is behind, or ahead; the checker is told what was served. */
const serve = (site: Site, passing: Passing, answer: WireResponse): Verdict => {
  site.served(passing, answer);
  return { answer };
};

const isInstanceRead = ({ functionName, operation, body }: Passing): boolean =>
  functionName === 'fenceAgent' &&
  operation === 'DescribeInstances' &&
  body.includes('instance-id');

/** A person makes a call of EC2. */
const act = (site: Site, action: string, fields: Record<string, string>): WireResponse =>
  askEc2(
    site,
    new URLSearchParams({ Action: action, Version: '2016-11-15', ...fields }).toString(),
  );

const wasStopped = ({ world }: Site): boolean =>
  world.ec2.calls().some(({ api, outcome }) => api === 'StopInstances' && outcome === 'ok');

/** The first request that fits is what it takes. */
const once = (
  site: Site,
  fits: (passing: Passing) => boolean,
  effect: (passing: Passing) => Verdict | undefined,
): void =>
  onceOn(site, fits, (passing) => {
    site.hit('trouble');
    return effect(passing);
  });

/** The second look at the instance is answered by a replica that is ahead of the machine. */
const early: Trouble['arm'] = (site) => {
  let looks = 0;
  const isSecond = (passing: Passing): boolean => {
    if (isInstanceRead(passing)) looks += 1;
    return looks === 2;
  };
  once(site, isSecond, (passing) => {
    const answer = askEc2(site, passing.body);
    const state = /<code>\d+<\/code><name>(?:running|stopping)</;
    if (!state.test(answer.body)) throw new Error('nothing to make stale');
    const told = answer.body.replace(state, '<code>80</code><name>stopped<');
    return serve(site, passing, { status: answer.status, headers: answer.headers, body: told });
  });
};

/** For a while after the Stop, EC2 knows no such instance. */
const forgotten: Trouble['arm'] = (site) => {
  let until: number | undefined;
  site.on('request', (passing) => {
    if (!isInstanceRead(passing) || !wasStopped(site)) return undefined;
    until ??= site.time.now() + 3_000;
    if (site.time.now() > until) return undefined;
    site.hit('trouble');
    const other = passing.body.replace(site.stage.failing.instanceId, 'i-00000000');
    return serve(site, passing, askEc2(site, other));
  });
};

/** Between proof and release somebody starts the machine and stops it again. */
const restarted: Trouble['arm'] = (site) => {
  const { world, stage } = site;
  const { instanceId } = stage.failing;
  let phase: 'before' | 'between' | 'after' = 'before';
  world.states.onTransition(({ kind, state }) => {
    if (phase !== 'before' || kind !== 'StateEntered' || state !== 'ReleaseVolume') return;
    phase = 'between';
    world.ec2.start(instanceId);
    // With Force EC2 stops what is still pending: all of it is over before the last retry.
    site.later(100, () => world.ec2.stop(instanceId, { force: true, skipOsShutdown: true }));
  });
  world.ec2.onState((id, state) => {
    if (id !== instanceId || phase !== 'between' || state !== 'stopped') return;
    phase = 'after';
    site.hit('trouble');
  });
  site.on('crash', ({ functionName }) => functionName === 'releaseVolume' && phase === 'between');
};

/** The first detach gets lost on its way, and arrives when the volume has a new owner. */
const lateDetach: Trouble['arm'] = (site) =>
  once(
    site,
    ({ operation }) => operation === 'DetachVolume',
    () => ({ lateMs: 20_000 }),
  );

/** A function freezes on its way to the ledger; its execution is aborted and another begins. */
const frozen =
  (fits: (passing: Passing) => boolean, forMs = 8_000): Trouble['arm'] =>
  (site) => {
    const { world, stage, time } = site;
    const [machine] = world.infra.ofType('AWS::StepFunctions::StateMachine');
    const input = { instanceId: stage.failing.instanceId, reason: 'the other one hangs' };
    once(site, fits, () => {
      for (const { arn: executionArn, status } of world.states.executions()) {
        if (status !== 'RUNNING') continue;
        void site.operator('states', { operation: 'StopExecution', body: { executionArn } });
      }
      const body = { stateMachineArn: machine?.arn, input: JSON.stringify(input) };
      time.after(100, () => {
        void site.operator('states', { operation: 'StartExecution', body });
      });
      return { delayMs: forMs };
    });
  };

const writes = (functionName: string, text: string): ((passing: Passing) => boolean) => {
  return (passing) =>
    passing.functionName === functionName &&
    passing.service === 'dynamodb' &&
    passing.operation !== 'GetItem' &&
    passing.body.includes(text);
};

/** Long enough to lose the token, too short for the other to be at the same point. */
const asksFor =
  (operation: string): ((passing: Passing) => boolean) =>
  (passing) =>
    passing.functionName === 'fenceAgent' && passing.operation === operation;

/** The machine is well again when everything is set for its Stop. */
const recovers: Trouble['arm'] = (site) =>
  once(
    site,
    ({ functionName }) => functionName === 'protectData',
    () => {
      site.world.ec2.thaw(site.stage.failing.instanceId);
      return undefined;
    },
  );

/** Somebody has named the root disk like the app's volume, and tagged it. */
const namedRoot: Trouble['arm'] = (site) => {
  const { instances, volumes } = site.world.ec2.truth();
  const { instanceId } = site.stage.failing;
  const root = instances.find((instance) => instance.instanceId === instanceId)?.rootDeviceName;
  const disk = volumes.find(({ attachments }) =>
    attachments.some((a) => a.instanceId === instanceId && a.device === root),
  );
  const cluster = site.world.infra.parameters.ClusterName ?? '';
  const tags = { Name: 'mysql', 'ebs-failover:cluster': cluster };
  const fields = Object.entries(tags).flatMap(([key, value], index) => [
    [`Tag.${index + 1}.Key`, key],
    [`Tag.${index + 1}.Value`, value],
  ]);
  const target = { 'ResourceId.1': disk?.volumeId ?? '', ...Object.fromEntries(fields) };
  if (act(site, 'CreateTags', target).status === 200) site.hit('trouble');
};

/** Nothing that is told to people arrives. */
const mute: Trouble['arm'] = (site) => {
  site.on('request', ({ service, operation }) => {
    if (operation !== 'PutEvents' && service !== 'slack') return undefined;
    site.hit('trouble');
    return answered(503);
  });
};

/** Slack refuses, in words of its own. */
const revoked: Trouble['arm'] = (site) => {
  site.on('request', ({ service }) => {
    if (service !== 'slack') return undefined;
    site.hit('trouble');
    return answered(403, 'revoked');
  });
};

/** The execution is aborted as soon as it has claimed something. */
const aborted: Trouble['arm'] = (site) =>
  once(site, writes('protectData', '"claimed"'), () => {
    for (const { arn: executionArn, status } of site.world.states.executions()) {
      if (status !== 'RUNNING') continue;
      void site.operator('states', { operation: 'StopExecution', body: { executionArn } });
    }
    return undefined;
  });

/** An operator takes the stop protection away after a minute of being asked to. */
const unprotected: Trouble['arm'] = (site) => {
  site.world.states.onTransition(({ kind, state }) => {
    if (kind !== 'StateEntered' || state !== 'HoldIncident') return;
    site.later(60_000, () => {
      if (
        act(site, 'ModifyInstanceAttribute', {
          InstanceId: site.stage.failing.instanceId,
          'DisableApiStop.Value': 'false',
        }).status === 200
      )
        site.hit('trouble');
    });
  });
};

/** Somebody takes the cluster's tag off the volume, or rather, puts another's on it. */
const untagged: Trouble['arm'] = (site) =>
  once(
    site,
    ({ functionName }) => functionName === 'releaseVolume',
    () => {
      act(site, 'CreateTags', {
        'ResourceId.1': site.stage.app.volumeIds[0] ?? '',
        'Tag.1.Key': 'ebs-failover:cluster',
        'Tag.1.Value': 'other',
      });
      return undefined;
    },
  );

/** The flag was set to false and read back; then a person sets it to true again. */
const doomedAgain: Trouble['arm'] = (site) =>
  once(
    site,
    ({ functionName }) => functionName === 'fenceAgent',
    () => {
      act(site, 'ModifyInstanceAttribute', {
        InstanceId: site.stage.failing.instanceId,
        'BlockDeviceMapping.1.DeviceName': '/dev/xvdf',
        'BlockDeviceMapping.1.Ebs.VolumeId': site.stage.app.volumeIds[0] ?? '',
        'BlockDeviceMapping.1.Ebs.DeleteOnTermination': 'true',
      });
      return undefined;
    },
  );

/** The app is suspended as soon as its agent is gone: it comes back nowhere. */
const noHome: Trouble['arm'] = (site) =>
  once(
    site,
    ({ operation }) => operation.includes('MARK_AGENT_GONE'),
    () => {
      const body = JSON.stringify({ instances: 0 });
      const url = 'https://dcos.internal/service/marathon/v2/apps//mysql?force=true';
      const headers = { 'content-type': 'application/json' };
      void site.world.network.send({ method: 'PUT', url, headers, body });
      return undefined;
    },
  );

/** The volume is read so slowly that the read of the machine beside it grows old. */
const slowVolumes: Trouble['arm'] = (site) =>
  once(
    site,
    ({ functionName, operation }) =>
      functionName === 'releaseVolume' && operation === 'DescribeVolumes',
    () => ({ delayMs: 5_000 }),
  );

/** A second agent hangs at the same moment. */
const twoHang: Trouble['arm'] = (site) => {
  site.hit('trouble');
  site.world.ec2.hang(site.stage.bystander.instanceId);
};

/** Two agents hang, and the first to take a place is slow to write it down. */
const twoRace: Trouble['arm'] = (site) => {
  site.world.ec2.hang(site.stage.bystander.instanceId);
  once(site, writes('assessAgent', '"STORM"'), () => ({ delayMs: 8_000 }));
};

/** Nothing but the hung kernel. */
const nothing: Trouble['arm'] = (site) => site.hit('trouble');

export const troubles = {
  none: { ends: 'recovered', arm: nothing },
  early: { ends: 'recovered', arm: early },
  forgotten: { ends: 'recovered', arm: forgotten },
  restarted: { ends: 'recovered', arm: restarted },
  'late detach': { ends: 'recovered', arm: lateDetach },
  'frozen claim': { ends: 'recovered', arm: frozen(writes('protectData', '"claimed"')) },
  'frozen fence': { ends: 'recovered', arm: frozen(asksFor('DescribeInstanceStatus'), 450) },
  recovers: { ends: 'cancelled', arm: recovers },
  'named root': { ends: 'held', arm: namedRoot },
  'doomed volume': { ends: 'recovered', traits: { deleteOnTermination: true }, arm: nothing },
  'doomed again': {
    ends: 'recovered',
    traits: {
      rootDeviceType: 'instance-store',
      parameters: { FenceTerminate: 'when-stop-impossible' },
    },
    arm: doomedAgain,
  },
  untagged: { ends: 'held', arm: untagged },
  'no home': { ends: 'open', horizonMs: 6 * 60_000, arm: noHome },
  'slow volumes': { ends: 'recovered', arm: slowVolumes },
  mute: { ends: 'recovered', arm: mute },
  revoked: { ends: 'recovered', arm: revoked },
  aborted: { ends: 'recovered', arm: aborted },
  'two hang': {
    ends: 'recovered',
    traits: { parameters: { StormLimit: '1' } },
    arm: twoHang,
  },
  'two race': {
    ends: 'recovered',
    traits: { parameters: { StormLimit: '1' } },
    arm: twoRace,
  },
  unprotected: { ends: 'recovered', traits: { disableApiStop: true }, arm: unprotected },
} as const satisfies Record<string, Trouble>;

export type TroubleName = keyof typeof troubles;
