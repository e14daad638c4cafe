import type { WireResponse } from '../../core/wire.ts';
import { answered, createStretch, drawStretch, type FaultKind, fault, strike } from '../fault.ts';
import type { Passing, Site } from '../site.ts';
import { afterStart } from './moments.ts';

const MASTER = 'https://dcos.internal/mesos/api/v1';
const MARATHON = 'https://dcos.internal/service/marathon/v2';

/** What a person sends with curl. */
const person = (site: Site, method: string, url: string, body: object): void => {
  const headers = { 'content-type': 'application/json' };
  void site.world.network.send({ method, url, headers, body: JSON.stringify(body) });
};

const listsAgents = ({ operation, functionName }: Passing): boolean =>
  functionName === 'handOff' && ['GET_AGENTS', 'GET /slaves'].includes(operation);

/** The master, or somebody before us, has another idea of the agent's id. */
const confused: Readonly<Record<string, (site: Site, stretch: Stretch) => void>> = {
  'already gone': (site, { fromS }) =>
    afterStart(site, fromS, () => {
      site.hit('MR-07');
      const agent_id = { value: site.stage.failing.agentId };
      person(site, 'POST', MASTER, { type: 'MARK_AGENT_GONE', mark_agent_gone: { agent_id } });
    }),
  unknown: (site, { forS }) => {
    const stretch = { fromS: 0, forS };
    const isIt = ({ operation }: Passing): boolean => operation === 'MARK_AGENT_GONE';
    strike(site, 'MR-07', stretch, isIt, answered(404, 'Agent not found'));
  },
  'at another address': (site, { forS }) => {
    const within = createStretch(site, { fromS: 0, forS });
    const here = JSON.stringify(site.stage.failing.privateIp);
    const rewrite = (answer: WireResponse): WireResponse => {
      const body = answer.body.replaceAll(`"hostname":${here}`, '"hostname":"10.9.9.9"');
      if (body !== answer.body) site.hit('MR-07');
      return { ...answer, body };
    };
    site.on('request', (passing) =>
      within(passing) && listsAgents(passing) ? { rewrite } : undefined,
    );
  },
};
interface Stretch {
  fromS: number;
  forS: number;
}

const LOCKED = answered(
  409,
  JSON.stringify({ message: 'App is locked by one or more deployments.' }),
  'application/json',
);

/** Somebody changes the app while it is on its way to another agent. */
const changed: Readonly<Record<string, (site: Site, stretch: Stretch) => void>> = {
  scaled: (site, { fromS, forS }) =>
    afterStart(site, fromS, () => {
      site.hit('MR-10');
      const scale = (instances: number): void =>
        person(site, 'PUT', `${MARATHON}/apps/${site.stage.app.id}?force=true`, { instances });
      scale(0);
      let isBack = false;
      const back = (): void => {
        if (!isBack) scale(1);
        isBack = true;
      };
      site.later(forS * 1000, back);
      site.heal(back);
    }),
  locked: (site, stretch) =>
    strike(
      site,
      'MR-10',
      { ...stretch, fromS: 0, forS: stretch.forS + 60 },
      ({ service, operation }) => service === 'marathon' && operation.startsWith('DELETE'),
      LOCKED,
    ),
};

export const agentFaults: readonly FaultKind[] = [
  fault('MR-07', {
    // Whose agent a person has marked gone works for Mesos no more, however well the machine is: they are asked.
    mayHold: ['partitioned'],
    draw: (rng) => ({ ...drawStretch(rng), how: rng.pick(Object.keys(confused)) }),
    arm: (site, { how, ...stretch }) => confused[how]?.(site, stretch),
  }),
  fault('MR-10', {
    mayHold: ['recovery-not-seen'],
    draw: (rng) => ({ ...drawStretch(rng), how: rng.pick(Object.keys(changed)) }),
    arm: (site, { how, ...stretch }) => changed[how]?.(site, stretch),
  }),
  fault('ZM-04', {
    scenes: ['stopped'],
    // Up again while something else still holds its incident.
    mayHold: ['unknown-incarnation', 'returned-agent'],
    draw: (rng) => ({ afterS: rng.int(1, 20) }),
    arm: (site, { afterS }) => {
      const { world, stage } = site;
      const { instanceId, agentId } = stage.failing;
      let done = false;
      world.states.onStatus(({ status, output }) => {
        if (done || status !== 'SUCCEEDED' || !output?.includes('"recovered"')) return;
        done = true;
        site.later(afterS * 1000, () => {
          const machine = world.ec2.truth().instances.find((i) => i.instanceId === instanceId);
          if (machine?.state === 'stopped') world.ec2.start(instanceId);
        });
        // It has booted, and asked the master to take it back under its old id.
        site.later(afterS * 1000 + REBOOT_MS, () => {
          const refused = world.trace.some(({ text }) => text === `refused agent ${agentId}`);
          if (refused) site.hit('ZM-04');
        });
      });
    },
  }),
];

const REBOOT_MS = 100_000;
