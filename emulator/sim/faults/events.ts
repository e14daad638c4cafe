import { createEventFactory } from '../../core/aws-event.ts';
import { createRng } from '../../core/random.ts';
import { isoTime } from '../../core/time.ts';
import { type FaultKind, fault } from '../fault.ts';
import type { Site } from '../site.ts';

const isSignal = (source: string): boolean => source === 'aws.ec2' || source === 'aws.cloudwatch';

const concerns = ({ stage }: Site, event: { source: string; detail: object }): boolean =>
  isSignal(event.source) && JSON.stringify(event.detail).includes(stage.failing.instanceId);

/** Publishes as AWS would, from now on its own stream of ids. */
const publisher = (site: Site, id: string) => {
  const { time, world } = site;
  const { account, region } = world.infra;
  const event = createEventFactory({ time, account, region, rng: createRng(`${id}/events`) });
  return (detailType: string, detail: Record<string, unknown>, source = 'aws.ec2'): void => {
    site.hit(id);
    world.events.publish(event({ source, detailType, resources: [], detail }));
  };
};

/** Whatever looks like a time in an event. */
const TIME = /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(\.\d+)?(Z|\+0000)/g;

const STATE_CHANGE = 'EC2 Instance State-change Notification';

const multiplied = (id: string, spreadMs: number): FaultKind =>
  fault(id, {
    draw: (rng) => ({ copies: rng.int(2, 10), seed: rng.hex(8) }),
    arm: (site, { copies, seed }) => {
      const rng = createRng(seed);
      site.on('deliver', (event) => {
        if (!concerns(site, event)) return undefined;
        site.hit(id);
        return Array.from({ length: copies }, () => ({ delayMs: rng.int(0, spreadMs) }));
      });
    },
  });

const delayed = (id: string, minS: number, maxS: number, onlyEvery = 1): FaultKind =>
  fault(id, {
    draw: (rng) => ({ seed: rng.hex(8) }),
    arm: (site, { seed }) => {
      const rng = createRng(seed);
      let count = 0;
      site.on('deliver', (event) => {
        if (!concerns(site, event)) return undefined;
        count += 1;
        if (count % onlyEvery !== 0) return undefined;
        site.hit(id);
        return [{ delayMs: rng.int(minS, maxS) * 1000 }];
      });
    },
  });

export const eventFaults: readonly FaultKind[] = [
  multiplied('EV-01', 60_000),
  multiplied('EV-02', 5),
  delayed('EV-03', 5, 90),
  delayed('EV-04', 300, 1_800),
  fault('EV-05', {
    scenes: ['hung', 'stopped', 'terminated'],
    draw: () => ({ lost: 'every event of the failing agent' }),
    arm: (site) => {
      const { instanceId } = site.stage.failing;
      site.on('deliver', (event) => {
        if (!concerns(site, event)) return undefined;
        site.hit('EV-05');
        return [];
      });
      // What is terminated loses its tags some time later: no read by tag finds it any more.
      site.world.ec2.onState((id, state) => {
        if (id !== instanceId || state !== 'terminated') return;
        void site.operator('ec2', { operation: 'DeleteTags', body: { 'ResourceId.1': id } });
      });
    },
  }),
  fault('EV-06', {
    scenes: ['hung', 'stopped'],
    draw: (rng) => ({ afterS: rng.int(20, 120) }),
    arm: (site, { afterS }) => {
      const { world, stage } = site;
      world.states.onStatus(({ status, output }) => {
        if (status !== 'SUCCEEDED' || !output?.includes('"recovered"')) return;
        site.later(afterS * 1000, () => {
          const detail = { 'instance-id': stage.failing.instanceId, state: 'stopped' };
          publisher(site, 'EV-06')(STATE_CHANGE, detail);
        });
      });
    },
  }),
  fault('EV-07', {
    draw: (rng) => ({ atS: rng.int(1, 200) }),
    arm: (site, { atS }) => {
      const publish = publisher(site, 'EV-07');
      const strange = [{}, { 'instance-id': 7, state: 'stopped' }, { 'instance-id': 'i-1' }];
      for (const [i, detail] of strange.entries()) {
        site.later((atS + i) * 1000, () => publish(STATE_CHANGE, detail));
      }
    },
  }),
  fault('EV-08', {
    draw: (rng) => ({
      atS: rng.int(1, 120),
      // A thousand cost ten seconds of work each time: rarely.
      count: rng.next() < 0.05 ? 1_000 : rng.int(50, 150),
      seed: rng.hex(8),
    }),
    arm: (site, { atS, count, seed }) => {
      const rng = createRng(seed);
      const { agents, failing, neighbour } = site.stage;
      const ours = agents.map(({ instanceId }) => instanceId);
      const strangers = [neighbour?.instanceId ?? `i-0${rng.hex(16)}`, `i-0${rng.hex(16)}`];
      const states = ['stopping', 'stopped', 'shutting-down', 'terminated'];
      const publish = publisher(site, 'EV-08');
      for (let i = 0; i < count; i++) {
        const instanceId = rng.pick([failing.instanceId, ...ours, ...strangers]);
        const detail = { 'instance-id': instanceId, state: rng.pick(states) };
        site.later(atS * 1000 + rng.int(0, 999), () => publish(STATE_CHANGE, detail));
      }
    },
  }),
  fault('EV-09', {
    scenes: ['flaky'],
    mayStayDown: true,
    draw: (rng) => ({ everyS: rng.int(30, 90), times: rng.int(2, 6) }),
    arm: (site, { everyS, times }) => {
      const { world, stage } = site;
      const { instanceId } = stage.failing;
      for (let i = 1; i <= times; i++) {
        site.later(i * everyS * 1000, () => {
          site.hit('EV-09');
          if (i % 2 === 0) world.ec2.hang(instanceId);
          else world.ec2.thaw(instanceId);
        });
      }
    },
  }),
  fault('EV-10', {
    draw: (rng) => ({ atS: rng.int(1, 200), id: `i-0${rng.hex(16)}` }),
    arm: (site, { atS, id }) => {
      const detail = { 'instance-id': id, state: 'stopped' };
      site.later(atS * 1000, () => publisher(site, 'EV-10')(STATE_CHANGE, detail));
    },
  }),
  fault('EV-11', {
    scenes: ['hung', 'stopped'],
    draw: (rng) => ({ afterS: rng.int(0, 30) }),
    arm: (site, { afterS }) => {
      const { world, stage } = site;
      let told = false;
      world.states.onStatus(({ status }) => {
        if (told || status !== 'RUNNING') return;
        told = true;
        site.later(afterS * 1000, () => {
          const detail = { 'instance-id': stage.failing.instanceId, state: 'stopping' };
          publisher(site, 'EV-11')(STATE_CHANGE, detail);
        });
      });
    },
  }),
  fault('CK-03', {
    draw: (rng) => ({ aheadS: rng.int(60, 86_400) }),
    arm: (site, { aheadS }) => {
      const { world } = site;
      const ahead = (text: string): string =>
        text.replaceAll(TIME, (time, _, fraction = '', zone = 'Z') => {
          const later = Date.parse(time.replace('+0000', 'Z')) + aheadS * 1000;
          return isoTime(later).replace(/\.\d{3}Z$/, `${fraction}${zone}`);
        });
      const known = new WeakSet<object>();
      site.on('deliver', (event) => {
        if (known.has(event) || !concerns(site, event)) return undefined;
        const later = JSON.parse(ahead(JSON.stringify(event))) as typeof event;
        known.add(later);
        site.hit('CK-03');
        world.events.publish(later);
        return [];
      });
    },
  }),
  fault('SE-01', {
    draw: (rng) => ({ atS: rng.int(1, 200) }),
    arm: (site, { atS }) => {
      const detail = { 'instance-id': site.stage.bystander.instanceId, state: 'stopped' };
      site.later(atS * 1000, () => publisher(site, 'SE-01')(STATE_CHANGE, detail));
    },
  }),
];
