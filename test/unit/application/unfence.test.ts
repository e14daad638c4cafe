import { describe, expect, it } from 'vitest';
import { createAssessAgent } from '../../../src/application/assess-agent.ts';
import { hold } from '../../../src/application/step.ts';
import { createUnfence } from '../../../src/application/unfence.ts';
import { OrchestratorUnavailableError } from '../../../src/domain/errors.ts';
import { quarantineTagKey } from '../../../src/domain/quarantine.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import {
  agentOf,
  agentTags,
  before,
  ids,
  newAgentId,
  quarantineOf,
  recordOf,
  signalOf,
  t,
} from '../../support/build.ts';

const request = { instanceId: ids.failed, requestedBy: 'ana', reason: 'new fan' };
const unfence = (world: World) => createUnfence(world.deps)(request);
const mark = { key: quarantineTagKey, value: 'prod#i#7' };

/** In quarantine, under a new agent id, with its volume at the spare agent. */
const quarantined = async (): Promise<World> => {
  const world = createWorld();
  await world.ledger.saveQuarantine('prod', quarantineOf());
  world.cloud.restart(ids.failed, before.relaunched);
  world.cloud.setInstance(ids.failed, { tags: [...agentTags, mark] });
  world.cloud.attach(ids.data, ids.spare);
  world.dcos.listed = [
    agentOf({ agentId: newAgentId, deactivated: true }),
    ...world.dcos.listed.slice(1),
  ];
  await world.ledger.claim(undefined, recordOf(), t(0));
  await world.ledger.advance(recordOf({ state: 'owned', owner: ids.spare }), t(0));
  return world;
};
const refusal = async (world: World): Promise<string> => {
  const answer = await unfence(world);
  expect(answer.kind).toBe('refused');
  return answer.kind === 'refused' ? answer.why.join('; ') : '';
};

describe('un-fence', () => {
  it('brings the capacity back: tag and record are gone, the agent gets offers', async () => {
    const world = await quarantined();
    expect(await unfence(world)).toMatchObject({ kind: 'unfenced', agentIds: [newAgentId] });
    expect(world.book.names).toEqual(['DeleteTags', 'REACTIVATE_AGENT']);
    expect(world.cloud.instances.get(ids.failed)?.tags).toEqual(agentTags);
    expect(world.dcos.listed[0]).toMatchObject({ deactivated: false });
    expect(await world.ledger.quarantines('prod')).toEqual([]);
    expect(world.counted).toContain('AgentUnfenced');
  });

  it('lets a host that is still stopped come back like every other', async () => {
    const world = await quarantined();
    world.cloud.setInstance(ids.failed, { state: 'stopped', launchTime: before.launched });
    world.dcos.listed = world.dcos.listed.slice(1);
    expect(await unfence(world)).toMatchObject({ kind: 'unfenced', agentIds: [] });
    expect(world.book.names).toEqual(['DeleteTags']);
  });

  it('has who asked and why on record before it changes anything', async () => {
    const world = await quarantined();
    world.book.onCall = async () => {
      const record = await world.ledger.quarantine('prod', ids.failed);
      expect(record?.lifted).toEqual({ by: 'ana', reason: 'new fan', at: t(0) });
    };
    await unfence(world);
    expect(world.book.calls).toHaveLength(2);
  });

  it('is completed by a repeat when it was cut short, in the name of who asked first', async () => {
    const world = await quarantined();
    world.book.fail('REACTIVATE_AGENT', new OrchestratorUnavailableError('REACTIVATE', '503'));
    await expect(unfence(world)).rejects.toThrow(OrchestratorUnavailableError);
    const record = await world.ledger.quarantine('prod', ids.failed);
    expect(record?.lifted?.by).toBe('ana');
    await createUnfence(world.deps)({ ...request, requestedBy: 'ben' });
    expect(await world.ledger.quarantine('prod', ids.failed)).toBeUndefined();
    expect(world.dcos.listed[0]).toMatchObject({ deactivated: false });
  });

  it('is a way out of the hold where this Mesos cannot keep work from the host', async () => {
    const world = await quarantined();
    world.dcos.listed = world.dcos.listed.map((agent) => ({ ...agent, deactivated: false }));
    const incident = await world.given();
    const why = { reason: 'returned-agent', says: 'it takes work' } as const;
    await hold(world.ledger, incident, why, world.clock.now());
    expect(await unfence(world)).toMatchObject({ kind: 'unfenced', agentIds: [] });
    const { executionName } = await world.incident();
    const executionArn = world.workflow.arnOf('failover', executionName);
    const input = { incidentId: ids.incident, token: 1, executionArn };
    expect(await createAssessAgent(world.deps)(input)).toEqual({ kind: 'cancelled' });
  });

  it('is not done before Mesos lists the agent active', async () => {
    const world = await quarantined();
    world.dcos.reactivate = async () => true;
    expect(await refusal(world)).toMatch(/ask again to complete it/);
    expect(await world.ledger.quarantine('prod', ids.failed)).toBeDefined();
  });
});

describe('un-fence is refused, with nothing changed,', () => {
  it.each<[string, (world: World) => unknown, RegExp]>([
    [
      'for a host that is not in quarantine',
      (world) => world.ledger.endQuarantine('prod', quarantineOf()),
      /is not in quarantine/,
    ],
    [
      'while an incident is open about it',
      (world) => world.ledger.admit('prod', signalOf()),
      /incident prod#i-\w+#1 is open about it/,
    ],
    ['while the cluster is paused', (world) => world.paused(), /ops paused the cluster/],
    [
      'while a volume of the cluster is on it',
      (world) => world.cloud.attach(ids.data, ids.failed),
      /vol-\w+ is attached to it/,
    ],
    [
      'while Mesos lists its old agent',
      (world) => {
        world.dcos.listed = [agentOf()];
      },
      /fenced agent a1b2-S7 again/,
    ],
    [
      'while nobody owns its volume',
      async (world) => {
        const fenced = quarantineOf({ volumes: [{ volumeId: ids.root, epoch: 1 }] });
        await world.ledger.saveQuarantine('prod', fenced);
      },
      /knows nothing of vol-\w+a1/,
    ],
  ])('%s', async (_, arrange, sentence) => {
    const world = await quarantined();
    await arrange(world);
    expect(await refusal(world)).toMatch(sentence);
    expect(world.book.calls).toEqual([]);
    expect((await world.ledger.quarantine('prod', ids.failed))?.lifted).toBeUndefined();
    expect(world.counted).toContain('UnfenceRefused');
  });

  it('if the host is fenced once more at the same moment', async () => {
    const world = await quarantined();
    const later = quarantineOf({
      launchTime: new Date(t(-1)).toISOString() as typeof before.launched,
    });
    const { openIncidentOf } = world.ledger;
    world.ledger.openIncidentOf = async (id) => {
      await world.ledger.saveQuarantine('prod', later);
      return openIncidentOf.call(world.ledger, id);
    };
    expect(await refusal(world)).toMatch(/fenced once more/);
    expect(world.book.calls).toEqual([]);
    expect(await world.ledger.quarantine('prod', ids.failed)).toEqual(later);
  });
});
