import {
  answered,
  drawStretch,
  type FaultKind,
  fault,
  isMutation,
  lostAnswer,
  once,
  strike,
} from '../fault.ts';
import type { Passing, Site } from '../site.ts';

const isCluster = ({ service }: Passing): boolean =>
  ['mesos', 'marathon', 'agent', 'dcos'].includes(service);

/** The master pings every 15 s and gives up after the twentieth silence, if nothing holds it back. */
const GIVEN_UP_MS = 316_000;
const LISTINGS = ['GET_AGENTS', 'GET /slaves'];

/** Switched on a while after the first step ran, and off again. */
const switched = (
  id: string,
  on: (site: Site) => void,
  off: (site: Site) => void,
  parts: Partial<FaultKind> = {},
): FaultKind =>
  fault(id, {
    ...parts,
    draw: (rng) => ({ ...drawStretch(rng) }),
    arm: (site, { fromS, forS }) => {
      let begun = false;
      let isOn = false;
      site.on('request', (passing) => {
        // Seen by the service only if it asks while the switch is on.
        if (isOn && isCluster(passing)) site.hit(id);
        if (begun || passing.functionName !== 'assessAgent') return undefined;
        begun = true;
        site.later(fromS * 1000, () => {
          isOn = true;
          on(site);
        });
        site.later((fromS + forS) * 1000, () => {
          isOn = false;
          off(site);
        });
        return undefined;
      });
      site.heal(() => off(site));
    },
  });

export const clusterFaults: readonly FaultKind[] = [
  switched(
    'MR-01',
    ({ world }) => Object.assign(world.dcos.faults.router, { mesos: 'down', marathon: 'down' }),
    ({ world }) => Object.assign(world.dcos.faults.router, { mesos: 'up', marathon: 'up' }),
  ),
  fault('MR-02', {
    draw: (rng) => ({ ...drawStretch(rng), every: rng.int(1, 3), slow: rng.next() < 0.5 }),
    arm: (site, { slow, ...params }) => {
      const verdict = slow ? { delayMs: 60_000 } : answered(502, 'Bad Gateway');
      strike(site, 'MR-02', params, isCluster, verdict);
    },
  }),
  switched(
    'MR-03',
    ({ world }) =>
      world.dcos.faults.masterLeadership({ kind: 'following', leader: '10.0.1.2:5050' }),
    ({ world }) => world.dcos.faults.masterLeadership({ kind: 'leading' }),
  ),
  fault('MR-04', {
    draw: (rng) => ({ ...drawStretch(rng), every: rng.int(2, 4) }),
    arm: (site, params) => strike(site, 'MR-04', params, isCluster, answered(401)),
  }),
  fault('MR-05', {
    draw: (rng) => ({ ...drawStretch(rng) }),
    arm: (site, params) =>
      strike(
        site,
        'MR-05',
        params,
        (passing) => isCluster(passing) && isMutation(passing),
        answered(403),
      ),
  }),
  fault('MR-06', {
    draw: (rng) => ({ times: rng.int(1, 2) }),
    arm: (site, { times }) => {
      let count = 0;
      site.on('request', ({ operation }) => {
        if (operation !== 'MARK_AGENT_GONE' || count >= times) return undefined;
        count += 1;
        site.hit('MR-06');
        return lostAnswer;
      });
    },
  }),
  fault('MR-08', {
    scenes: ['hung'],
    mayStayDown: true,
    draw: (rng) => ({ atS: rng.int(150, 330), atProtection: rng.next() < 0.4 }),
    arm: (site, { atS, atProtection }) => {
      const { world, stage } = site;
      const thaw = (): undefined => {
        if (world.ec2.machine(stage.failing.instanceId)?.kernel !== 'hung') return;
        site.hit('MR-08');
        world.ec2.thaw(stage.failing.instanceId);
      };
      // At the worst moment: everything is set for its Stop.
      if (atProtection) once(site, ({ functionName }) => functionName === 'protectData', thaw);
      else site.later(atS * 1000, thaw);
    },
  }),
  fault('MR-09', {
    scenes: ['hung'],
    // One removal in twenty minutes, and mark-gone is known.
    traits: { dcosVersion: '1.11.12' },
    draw: (rng) => ({ atS: rng.int(200, 300), lateS: rng.int(330, 420) }),
    arm: (site, { atS, lateS }) => {
      const { time, world, stage } = site;
      const givenUpAt = time.now() + GIVEN_UP_MS;
      site.on('deliver', ({ source }) =>
        source === 'aws.cloudwatch' ? [{ delayMs: lateS * 1000 }] : undefined,
      );
      site.later(atS * 1000, () => world.dcos.faults.spendRemoval());
      site.on('request', ({ operation }) => {
        const { agentId } = stage.failing;
        const isListed = ({ state, ...agent }: { agentId: string; state: string }): boolean =>
          agent.agentId === agentId && state === 'registered';
        const isKept = time.now() > givenUpAt && world.dcos.agents().some(isListed);
        if (LISTINGS.includes(operation) && isKept) site.hit('MR-09');
        return undefined;
      });
    },
  }),
  switched(
    'MR-11',
    ({ world }) => world.dcos.faults.masterFailover(),
    () => {},
  ),
  fault('MR-13', {
    scenes: ['hung'],
    draw: (rng) => ({ forS: rng.int(300, 420) }),
    arm: (site, { forS }) => {
      const { world, stage } = site;
      site.on('deliver', ({ source }) =>
        source === 'aws.cloudwatch' ? [{ delayMs: forS * 1000 }] : undefined,
      );
      world.dcos.onChange((change) => {
        const failed = change.kind === 'task' && change.state === 'TASK_FAILED';
        if (failed && change.appId === stage.app.id) site.hit('MR-13');
      });
    },
  }),
  fault('MR-14', {
    draw: (rng) => ({ forS: rng.int(20, 90) }),
    arm: (site, { forS }) => {
      const { world } = site;
      let dropped = false;
      site.on('request', ({ operation }) => {
        if (dropped || operation !== 'MARK_AGENT_GONE') return undefined;
        dropped = true;
        site.hit('MR-14');
        world.dcos.faults.dropUpdates(true);
        site.later(forS * 1000, () => world.dcos.faults.dropUpdates(false));
        return undefined;
      });
      site.heal(() => world.dcos.faults.dropUpdates(false));
    },
  }),
  fault('AZ-03', {
    scenes: ['hung'],
    draw: (rng) => ({ fromS: 0, forS: rng.int(60, 400) }),
    arm: (site, params) =>
      strike(site, 'AZ-03', params, (passing) => isCluster(passing), { delayMs: 70_000 }),
  }),
];
