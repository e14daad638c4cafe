import { createRng } from '../../core/random.ts';
import type { WireResponse } from '../../core/wire.ts';
import { createStretch, type FaultKind, fault } from '../fault.ts';
import { askEc2, type Site } from '../site.ts';
import { trait } from './volumes.ts';

const CLUSTER = 'ebs-failover:cluster';

/** A person's hand on tags; EC2 applies it at once. */
const tagged = (site: Site, operation: 'CreateTags' | 'DeleteTags', id: string, tag: string) => {
  const [key = '', value] = tag.split('=');
  const body = {
    'ResourceId.1': id,
    'Tag.1.Key': key,
    ...(value === undefined ? {} : { 'Tag.1.Value': value }),
  };
  void site.operator('ec2', { operation, body });
};

/** Only some volumes of the app are marked as ours. */
const partlyTagged = fault('TG-02', {
  scenes: ['hung'],
  traits: { volumes: 4 },
  mayHold: ['ambiguous-scope'],
  draw: (rng) => ({ seed: rng.hex(8) }),
  arm: (site, { seed }) => {
    const half = createRng(seed).shuffle(site.stage.app.volumeIds).slice(0, 2);
    // Any sooner, and the next adoption would tag them again.
    site.world.states.onStatus(({ status }) => {
      if (status !== 'RUNNING') return;
      for (const id of half.splice(0)) tagged(site, 'DeleteTags', id, CLUSTER);
    });
    site.on('request', ({ operation }) => {
      if (operation === 'DescribeVolumes' && half.length === 0) site.hit('TG-02');
      return undefined;
    });
  },
});

/** EC2 tells keys of different case apart, and people do not. */
const conflicting = fault('TG-04', {
  scenes: ['hung', 'stopped'],
  mayHold: ['ambiguous-scope'],
  mayStayDown: true,
  draw: (rng) => ({
    on: rng.pick(['agent', 'volume']),
    tag: rng.pick(['EBS-Failover:Cluster=elsewhere', 'ebs-failover:Cluster=demo']),
  }),
  arm: (site, { on, tag }) => {
    const { app, failing } = site.stage;
    const [volumeId = ''] = app.volumeIds;
    tagged(site, 'CreateTags', on === 'agent' ? failing.instanceId : volumeId, tag);
    const told = on === 'agent' ? 'DescribeInstances' : 'DescribeVolumes';
    site.on('request', ({ operation }) => {
      if (operation === told) site.hit('TG-04');
      return undefined;
    });
  },
});

const TAGS = /<tagSet>.*?<\/tagSet>/gs;

/** The answer as it would be, without any tag; undefined if it shows none. */
const withoutTags = (site: Site, body: string): WireResponse | undefined => {
  const answer = askEc2(site, body);
  if (answer.status !== 200) return undefined;
  const { headers, status } = answer;
  const text = answer.body.replaceAll(TAGS, '<tagSet/>');
  return text === answer.body ? undefined : { status, headers, body: text };
};

/** Tags are told minutes late, or the reads that would tell them fail. */
const lateTags = fault('TG-05', {
  draw: (rng) => ({
    how: rng.pick(['late', 'fails']),
    fromS: rng.int(0, 15),
    forS: rng.int(20, 120),
    chance: rng.pick([0.5, 1]),
    seed: rng.hex(8),
  }),
  arm: (site, { how, chance, seed, ...stretch }) => {
    const rng = createRng(seed);
    const within = createStretch(site, stretch);
    site.on('request', (passing) => {
      const { body, operation, service } = passing;
      if (!within(passing) || service !== 'ec2' || rng.next() > chance) return undefined;
      if (!['DescribeInstances', 'DescribeVolumes'].includes(operation)) return undefined;
      const late = withoutTags(site, body);
      if (late === undefined) return undefined;
      site.hit('TG-05');
      if (how === 'fails') return { answer: failure };
      site.served(passing, late);
      return { answer: late };
    });
  },
});

const failure: WireResponse = {
  status: 500,
  headers: { 'content-type': 'text/xml' },
  body: `<Response><Errors><Error><Code>InternalError</Code><Message>An internal error has occurred
</Message></Error></Errors><RequestID>0</RequestID></Response>`,
};

/** Somebody edits a setting in the console, and later puts it right again. */
const wrongSetting = (id: string, values: readonly string[]): FaultKind =>
  fault(id, {
    scenes: ['hung', 'stopped', 'terminated'],
    // What is out of scope for a while is protected by nobody.
    mayHold: ['volume-lost'],
    draw: (rng) => ({ agentTag: rng.pick(values) }),
    arm: (site, { agentTag }) => {
      const { infra, lambda } = site.world;
      const scoped = infra.functions.filter(
        ({ environment }) => environment.AGENT_TAG !== undefined,
      );
      const set = (value: string): void => {
        for (const { environment } of scoped) environment.AGENT_TAG = value;
        lambda.redeploy();
      };
      set(agentTag);
      site.heal(() => set(infra.parameters.AgentTag ?? ''));
      site.on('deliver', () => {
        site.hit(id);
        return undefined;
      });
    },
  });

export const tagFaults: readonly FaultKind[] = [
  trait(
    'TG-01',
    { untaggedAgent: true, group: false },
    { mayHold: ['ambiguous-scope'], mayStayDown: true, scenes: ['hung', 'stopped'] },
    /^DescribeInstances$/,
  ),
  partlyTagged,
  trait(
    'TG-03',
    { foreignVolume: true },
    { mayHold: ['ambiguous-scope', 'duplicate-volume-name'], mayStayDown: true },
    /^DescribeVolumes$/,
  ),
  conflicting,
  lateTags,
  wrongSetting('TG-06', ['role=mesos-salve', 'mesos-slave', '']),
  wrongSetting('TG-07', ['role=*', '*=mesos-slave', '*']),
];
