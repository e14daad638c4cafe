import { createRng } from '../../core/random.ts';
import { type FaultKind, fault } from '../fault.ts';
import type { Site } from '../site.ts';
import type { Traits } from '../stage.ts';

/** How many fail beside the one under test: with it as many as must share EC2's buckets. */
const CROWD = 4;
/** Of those that are not down most go on at once, and the others in the next window, which is short. */
const STORM: Partial<Traits> = {
  agents: 4,
  crowd: CROWD,
  parameters: {
    StormLimitPercent: '40',
    StormWindowSeconds: '600',
    StormCoolDownSeconds: '60',
  },
};

const ways = ['hung', 'stopped', 'terminated'] as const;
type Way = (typeof ways)[number];

const takeDown = ({ world }: Site, how: Way, instanceId: string): void => {
  if (how === 'hung') world.ec2.hang(instanceId);
  if (how === 'stopped') world.ec2.stop(instanceId);
  if (how === 'terminated') world.ec2.terminate(instanceId);
};

/** Each of the crowd, at its own moment within `spreadMs`. */
const strikeCrowd = (
  site: Site,
  id: string,
  { seed, spreadMs }: { seed: string; spreadMs: number },
  effect: (instanceId: string) => void,
): void => {
  const rng = createRng(seed);
  for (const { instanceId } of site.stage.crowd) {
    site.later(rng.int(0, spreadMs), () => {
      site.hit(id);
      effect(instanceId);
    });
  }
};

export const stormFaults: readonly FaultKind[] = [
  fault('AZ-01', {
    scenes: ['hung', 'stopped', 'terminated'],
    traits: STORM,
    draw: (rng) => ({ how: rng.pick(ways), seed: rng.hex(8) }),
    arm: (site, { how, seed }) =>
      strikeCrowd(site, 'AZ-01', { seed, spreadMs: 3_000 }, (id) => takeDown(site, how, id)),
  }),
  fault('SL-07', {
    scenes: ['hung'],
    traits: STORM,
    draw: (rng) => ({ everyMs: rng.int(1_000, 3_000), waitS: rng.int(1, 30), seed: rng.hex(8) }),
    arm: (site, { everyMs, waitS, seed }) => {
      const rng = createRng(seed);
      for (const { instanceId } of site.stage.crowd) {
        site.later(rng.int(0, 3_000), () => site.world.ec2.hang(instanceId));
      }
      // Slack takes about one message a second in a channel.
      let lastAt = Number.NEGATIVE_INFINITY;
      site.on('request', ({ service }) => {
        if (service !== 'slack') return undefined;
        if (site.time.now() - lastAt >= everyMs) {
          lastAt = site.time.now();
          return undefined;
        }
        site.hit('SL-07');
        return { answer: { status: 429, headers: { 'retry-after': String(waitS) }, body: '' } };
      });
    },
  }),
  fault('AZ-02', {
    scenes: ['quiet'],
    traits: { crowd: 2 },
    mayStayDown: true,
    // Where all were fenced at last, nobody is left to take their services.
    mayHold: ['no-placement', 'recovery-not-seen', 'weak-fence'],
    draw: (rng) => ({ atS: rng.int(0, 60) }),
    arm: (site, { atS }) => {
      const { world, stage } = site;
      const all = [...stage.agents, ...stage.crowd].map(({ instanceId }) => instanceId);
      let lost = false;
      site.later(atS * 1000, () => {
        lost = true;
        site.hit('AZ-02');
        for (const instanceId of all) world.ec2.loseHost(instanceId);
      });
      site.heal(() => {
        if (lost) for (const instanceId of all) world.ec2.findHost(instanceId);
      });
    },
  }),
  fault('AZ-06', {
    scenes: ['hung'],
    traits: { crowd: CROWD / 2 },
    mayStayDown: true,
    draw: (rng) => ({ backAtS: rng.int(100, 330), seed: rng.hex(8) }),
    arm: (site, { backAtS, seed }) => {
      const { world, stage } = site;
      for (const { instanceId } of stage.crowd) world.ec2.hang(instanceId);
      const thaw = (instanceId: string): void => {
        if (world.ec2.machine(instanceId)?.kernel === 'hung') world.ec2.thaw(instanceId);
      };
      site.later(backAtS * 1000, () => {
        thaw(stage.failing.instanceId);
        strikeCrowd(site, 'AZ-06', { seed, spreadMs: 3_000 }, thaw);
      });
    },
  }),
];
