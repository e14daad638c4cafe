import { type FaultKind, fault } from '../fault.ts';
import type { Site } from '../site.ts';

/** A fenced machine that is started again, once its incident is over. */

/** Longer than a machine takes to come up and its agent to ask the master to be let in. */
const BOOT_MS = 60_000;

/** So long after the incident of the failing machine ended recovered, once. */
const afterRecovery = (site: Site, seconds: number, effect: () => void): void => {
  let done = false;
  site.world.states.onStatus(({ status, output }) => {
    if (done || status !== 'SUCCEEDED' || !output?.includes('"recovered"')) return;
    if (!output.includes(site.stage.failing.instanceId)) return;
    done = true;
    site.later(seconds * 1000, effect);
  });
};

const isIn = ({ world, stage }: Site, state: string): boolean =>
  world.ec2.status(stage.failing.instanceId).state === state;

const startIfStopped = (site: Site): boolean => {
  if (!isIn(site, 'stopped')) return false;
  site.world.ec2.start(site.stage.failing.instanceId);
  return true;
};

/** Its disk still says which volumes its containers had, and the master lets it in. */
const letIn: Readonly<Record<string, (site: Site) => void>> = {
  'two weeks later': ({ world, stage }) => world.dcos.faults.pruneGone(stage.failing.agentId),
  'under a new id': (site) =>
    site.later(BOOT_MS, () => {
      if (isIn(site, 'running')) {
        site.world.dcos.faults.reinstallAgent(site.stage.failing.instanceId);
      }
    }),
};

export const returnFaults: readonly FaultKind[] = [
  fault('ZM-02', {
    scenes: ['stopped'],
    // Before Mesos 1.9 nothing keeps work from an agent but a fence.
    mayHold: ['returned-agent', 'unknown-incarnation'],
    draw: (rng) => ({ afterS: rng.int(1, 30), how: rng.pick(Object.keys(letIn)) }),
    arm: (site, { afterS, how }) => {
      let isBack = false;
      site.world.dcos.onChange((change) => {
        // Let in by the master, it is there to be found, and would be given work.
        const registers = change.kind === 'agent' && change.state === 'registered';
        if (isBack && registers && change.instanceId === site.stage.failing.instanceId) {
          site.hit('ZM-02');
        }
      });
      afterRecovery(site, afterS, () => {
        if (!isIn(site, 'stopped')) return;
        letIn[how]?.(site);
        isBack = startIfStopped(site);
      });
    },
  }),
  fault('ZM-03', {
    scenes: ['stopped'],
    traits: { parameters: { ReturnedAgent: 'fence' } },
    mayHold: ['unknown-incarnation'],
    draw: (rng) => ({ everyS: rng.int(30, 120), times: rng.int(1, 3) }),
    arm: (site, { everyS, times }) =>
      afterRecovery(site, everyS, () => {
        const start = (left: number): void => {
          if (startIfStopped(site)) site.hit('ZM-03');
          if (left > 1) site.later(everyS * 1000, () => start(left - 1));
        };
        start(times);
      }),
  }),
];
