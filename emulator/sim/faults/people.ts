import { marshall } from '@aws-sdk/util-dynamodb';
import { createRng } from '../../core/random.ts';
import {
  drawStretch,
  type FaultKind,
  fault,
  isStep,
  lostRequest,
  noSuchHost,
  once,
  strike,
} from '../fault.ts';
import type { Passing, Site } from '../site.ts';
import { afterStart, tried } from './moments.ts';
import { stopped } from './orders.ts';

/** Between proof and release somebody starts the machine and stops it again. */
const restartBetween = (site: Site, id: string): void => {
  const { world, stage } = site;
  const { instanceId } = stage.failing;
  let phase: 'before' | 'between' | 'after' = 'before';
  world.states.onTransition(({ kind, state }) => {
    if (phase !== 'before' || kind !== 'StateEntered' || state !== 'ReleaseVolume') return;
    phase = 'between';
    tried(site, id, () => world.ec2.start(instanceId));
  });
  world.ec2.onState((changed, state) => {
    if (changed !== instanceId || phase !== 'between') return;
    if (state === 'running') {
      site.later(0, () => world.ec2.stop(instanceId, { skipOsShutdown: true }));
    }
    if (state === 'stopped') phase = 'after';
  });
  site.on('crash', ({ functionName }) => functionName === 'releaseVolume' && phase === 'between');
  site.heal(() => {
    phase = 'after';
  });
};

/** The machine comes up again so soon after it went off. */
const restarted = (id: string): FaultKind =>
  fault(id, {
    scenes: ['hung', 'stopped'],
    mayStayDown: true,
    mayHold: ['proof-void', 'unknown-incarnation', 'volume-attached-elsewhere', 'returned-agent'],
    draw: (rng) => ({
      afterMs: rng.pick([0, 100, 500, 1_000, 2_000, 4_000, 8_000, 20_000]),
      betweenSteps: rng.next() < 0.3,
    }),
    arm: (site, { afterMs, betweenSteps }) => {
      if (betweenSteps) return restartBetween(site, id);
      const { world, stage } = site;
      let times = 0;
      world.ec2.onState((instanceId, state) => {
        if (instanceId !== stage.failing.instanceId || state !== 'stopped' || times > 0) return;
        times += 1;
        site.later(afterMs, () => tried(site, id, () => world.ec2.start(instanceId)));
      });
    },
  });

const control = (site: Site, item: Record<string, unknown>): void => {
  const TableName = site.world.infra.resource('LedgerTable').ref;
  const cluster = site.world.infra.parameters.ClusterName ?? '';
  const key = { pk: `CLUSTER#${cluster}`, sk: 'CONTROL', schema: 1, maintenance: {} };
  const Item = marshall({ ...key, ...item });
  // The clock waits for it: the embedded table is real work.
  void site.time.busy(
    site.operator('dynamodb', { operation: 'PutItem', body: { TableName, Item } }),
  );
};

const switchedOn = (
  id: string,
  item: (site: Site, untilMs: number) => Record<string, unknown>,
): FaultKind =>
  fault(id, {
    draw: (rng) => ({ afterS: rng.int(0, 25), forS: rng.int(10, 240) }),
    arm: (site, { afterS, forS }) => {
      afterStart(site, afterS, () => {
        site.hit(id);
        control(site, item(site, site.time.now() + forS * 1000));
        site.later(forS * 1000, () => control(site, {}));
      });
      site.heal(() => control(site, {}));
    },
  });

const byHand = (id: string, copies: number): FaultKind =>
  fault(id, {
    scenes: ['hung', 'stopped', 'terminated'],
    draw: (rng) => ({ afterS: rng.int(0, 40) }),
    arm: (site, { afterS }) => {
      const { world, stage } = site;
      const [machine] = world.infra.ofType('AWS::StepFunctions::StateMachine');
      const input = { instanceId: stage.failing.instanceId, reason: 'it looks dead to me' };
      const body = { stateMachineArn: machine?.arn, input: JSON.stringify(input) };
      afterStart(site, afterS, () => {
        for (let i = 0; i < copies; i++) {
          site.hit(id);
          void site.operator('states', { operation: 'StartExecution', body });
        }
      });
    },
  });

export const peopleFaults: readonly FaultKind[] = [
  fault('OP-01', {
    scenes: ['hung'],
    draw: (rng) => ({ atS: rng.int(60, 260), skip: rng.next() < 0.5 }),
    arm: (site, { atS, skip }) =>
      site.later(atS * 1000, () =>
        tried(site, 'OP-01', () =>
          site.world.ec2.stop(site.stage.failing.instanceId, { skipOsShutdown: skip }),
        ),
      ),
  }),
  restarted('OP-02'),
  fault('OP-03', {
    draw: (rng) => ({ afterMs: rng.int(0, 3_000) }),
    arm: (site, { afterMs }) => {
      const { world, stage } = site;
      world.ec2.onState((instanceId, state) => {
        if (instanceId !== stage.failing.instanceId || state !== 'stopped') return;
        site.later(afterMs, () => {
          // Nobody pulls a disk out of a machine that is seen to write on after its stop.
          if (world.ec2.machine(instanceId)?.powered) return;
          // Nor out of the machine that has the volume by now.
          const here = [...world.ec2.live().volumes].filter(
            ({ attachments, volumeId }) =>
              stage.app.volumeIds.includes(volumeId) &&
              attachments.some((attachment) => attachment.instanceId === instanceId),
          );
          if (here.length === 0) return;
          tried(site, 'OP-03', () => {
            for (const { volumeId } of here) world.ec2.detachVolume(volumeId, { force: false });
          });
        });
      });
    },
  }),
  fault('OP-04', {
    scenes: ['hung', 'stopped'],
    draw: (rng) => ({ afterS: rng.int(0, 40) }),
    arm: (site, { afterS }) =>
      afterStart(site, afterS, () =>
        tried(site, 'OP-04', () => site.world.ec2.terminate(site.stage.failing.instanceId)),
      ),
  }),
  fault('OP-05', {
    scenes: ['hung', 'stopped'],
    // Another cluster's from then on, one of an app's volumes may stay behind: the app cannot start.
    mayHold: ['ambiguous-scope', 'volume-stuck', 'recovery-not-seen'],
    draw: (rng) => ({ afterS: rng.int(0, 25), onVolume: rng.next() < 0.6 }),
    arm: (site, { afterS, onVolume }) => {
      const { app, failing } = site.stage;
      const [volumeId] = app.volumeIds;
      const moveTag = (id: string): undefined => {
        site.hit('OP-05');
        const tag = { 'Tag.1.Key': 'ebs-failover:cluster', 'Tag.1.Value': 'elsewhere' };
        const body = { 'ResourceId.1': id, ...tag };
        void site.operator('ec2', { operation: 'CreateTags', body });
      };
      if (onVolume && volumeId !== undefined) {
        // Of this machine: another's volumes are released while this one runs.
        const isRelease = ({ functionName }: Passing) =>
          functionName === 'releaseVolume' &&
          site.world.ec2.status(failing.instanceId).state !== 'running';
        once(site, isRelease, () => moveTag(volumeId));
      } else afterStart(site, afterS, () => moveTag(failing.instanceId));
    },
  }),
  byHand('OP-06', 1),
  stopped,
  byHand('OP-08', 2),
  switchedOn('OP-10', ({ stage }, until) => ({
    maintenance: { [stage.failing.instanceId]: { by: 'ana', until } },
  })),
  fault('OP-11', {
    scenes: ['hung', 'quiet'],
    mayStayDown: true,
    draw: (rng) => ({ atS: rng.int(30, 260) }),
    arm: (site, { atS }) =>
      site.later(atS * 1000, () =>
        tried(site, 'OP-11', () => site.world.ec2.reboot(site.stage.failing.instanceId)),
      ),
  }),
  fault('AS-01', {
    scenes: ['hung', 'stopped'],
    traits: { group: true, deleteOnTermination: true },
    draw: (rng) => ({ afterS: rng.int(5, 60) }),
    arm: (site, { afterS }) =>
      afterStart(site, afterS, () =>
        tried(site, 'AS-01', () => {
          const code = 'Server.InternalError';
          const message = 'replaced by its Auto Scaling group';
          site.world.ec2.terminate(site.stage.failing.instanceId, {}, { code, message });
        }),
      ),
  }),
  restarted('AS-02'),
  fault('AS-04', {
    scenes: ['terminated'],
    draw: (rng) => ({ afterMs: rng.int(0, 20_000) }),
    arm: (site, { afterMs }) => {
      const { world, stage } = site;
      const { instanceId, privateIp } = stage.failing;
      world.ec2.onState((id, state) => {
        if (id !== instanceId || state !== 'terminated') return;
        site.later(afterMs, () => {
          site.hit('AS-04');
          const tags = {
            'ebs-failover:cluster': world.infra.parameters.ClusterName ?? '',
            role: 'mesos-slave',
          };
          const seeded = { availabilityZone: stage.zone, privateIp, tags };
          world.dcos.addAgent({ instanceId: world.ec2.seedInstance(seeded) });
        });
      });
    },
  }),
  fault('NW-01', {
    draw: (rng) => ({ ...drawStretch(rng), host: rng.pick(['ec2', 'dynamodb', 'marathon']) }),
    arm: (site, { host, ...params }) =>
      strike(site, 'NW-01', params, ({ service }) => service === host, noSuchHost),
  }),
  fault('AZ-04', {
    draw: (rng) => ({ chance: 0.3, seed: rng.hex(8), forS: rng.int(60, 240) }),
    arm: (site, { chance, seed, forS }) => {
      const rng = createRng(seed);
      let begun: number | undefined;
      site.on('request', (passing) => {
        if (passing.service !== 'ec2' || !isStep(passing)) return undefined;
        begun ??= site.time.now();
        if (site.time.now() - begun > forS * 1000) return undefined;
        site.hit('AZ-04');
        return rng.next() < chance ? lostRequest : { delayMs: rng.int(1_000, 15_000) };
      });
    },
  }),
];
