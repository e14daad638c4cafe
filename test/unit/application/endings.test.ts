import { describe, expect, it } from 'vitest';
import { createCloseIncident } from '../../../src/application/close-incident.ts';
import { createHoldIncident } from '../../../src/application/hold-incident.ts';
import { hold } from '../../../src/application/step.ts';
import { createSweep } from '../../../src/application/sweep.ts';
import { CloudUnavailableError, failoverErrorNames } from '../../../src/domain/errors.ts';
import type { HoldReason, IncidentPatch } from '../../../src/domain/incident.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import { factsOf, ids, provenFence, readOf, t } from '../../support/build.ts';

const input = { incidentId: ids.incident, token: 1 };
const holdStep = (world: World, error?: string) =>
  createHoldIncident(world.deps)(error === undefined ? input : { ...input, failure: { error } });
const held = async (world: World, reason: HoldReason = 'no-placement') =>
  hold(world.ledger, await world.incident(), { reason, says: 'add an agent' }, world.clock.now());

describe('a hold', () => {
  it('is written down with its reason and when to look again', async () => {
    const world = createWorld();
    await world.given();
    expect(await held(world)).toEqual({ kind: 'hold', reason: 'no-placement' });
    const { status, hold: record } = await world.incident();
    expect(status).toBe('held');
    expect(record).toEqual({
      reason: 'no-placement',
      says: 'add an agent',
      since: t(0),
      looks: 0,
      retryAt: t(5),
    });
  });

  it('waits longer from look to look, and keeps its start', async () => {
    const world = createWorld();
    await world.given();
    const waits: number[] = [];
    for (let i = 0; i < 40; i += 1) {
      await held(world);
      const { retryAt = t(0), since } = (await world.incident()).hold ?? {};
      expect(since).toBe(t(0));
      waits.push(retryAt - world.clock.now());
      world.clock.advance(retryAt - world.clock.now());
    }
    expect(waits).toEqual([...waits].sort((a, b) => a - b));
    expect(waits[0]).toBe(5_000);
    expect(waits.at(-1)).toBe(900_000);
  });

  it('begins anew for another reason', async () => {
    const world = createWorld();
    await world.given();
    await held(world);
    world.clock.advance(60_000);
    await held(world, 'volume-stuck');
    expect((await world.incident()).hold).toMatchObject({ looks: 0, since: t(60) });
  });
});

describe('HoldIncident', () => {
  it('has the workflow look again, and says so ever more rarely: an event may be lost', async () => {
    const world = createWorld();
    await world.given();
    const toldAt: number[] = [];
    for (let look = 0; look <= 10; look += 1) {
      const before = world.published.length;
      await held(world);
      expect(await holdStep(world)).toMatchObject({ kind: 'retry' });
      if (world.published.length > before) toldAt.push(look);
    }
    expect(toldAt).toEqual([0, 1, 2, 4, 8]);
    expect(new Set(world.published)).toEqual(new Set(['held']));
  });

  it('ends the execution after a quarter of an hour, and leaves the incident open', async () => {
    const world = createWorld();
    await world.given();
    await held(world);
    world.clock.advance(15 * 60_000);
    expect(await holdStep(world)).toMatchObject({
      kind: 'ended',
      status: 'held',
      summary: expect.stringContaining('add an agent'),
    });
    expect((await world.incident()).status).toBe('held');
    expect(await world.ledger.openIncidents('prod')).toEqual([ids.incident]);
  });

  it('looks again at once when the proof became void, but not for ever', async () => {
    const world = createWorld();
    await world.given();
    const waits: unknown[] = [];
    for (let i = 0; i < 5; i += 1) {
      await held(world, 'proof-void');
      waits.push(await holdStep(world));
    }
    expect(waits.slice(0, 3)).toEqual(
      Array.from({ length: 3 }, () => ({ kind: 'retry', waitSeconds: 1 })),
    );
    expect(waits[4]).toEqual({ kind: 'retry', waitSeconds: 60 });
  });

  it('holds what an operator stopped for the reason that operator had, and counts no failure', async () => {
    const world = createWorld();
    await world.given();
    world.paused();
    expect((await holdStep(world, 'StoppedByOperatorError')).kind).toBe('retry');
    expect(await world.incident()).toMatchObject({
      hold: { reason: 'paused', says: expect.stringContaining('ops paused the cluster') },
    });
    expect(world.logged).not.toContain('step failed');
    world.unpaused();
    await holdStep(world, 'StoppedByOperatorError');
    expect(await world.incident()).toMatchObject({
      hold: { reason: 'paused', says: expect.stringContaining('has taken it back') },
    });
  });

  const failures = failoverErrorNames.filter((name) => name !== 'StoppedByOperatorError');
  it.each(failures)('holds what %s ended, with the name in the words', async (error) => {
    const world = createWorld();
    await world.given();
    expect((await holdStep(world, error)).kind).toBe('retry');
    const { hold: record, status } = await world.incident();
    expect(status).toBe('held');
    expect(record?.says).toContain(error);
    expect(record?.reason).toBe(
      error.startsWith('Orchestrator') ? 'orchestrator-unavailable' : 'step-failed',
    );
  });

  it('counts the looks at the same failure', async () => {
    const world = createWorld();
    await world.given();
    await holdStep(world, 'CloudUnavailableError');
    await holdStep(world, 'CloudUnavailableError');
    expect((await world.incident()).hold?.looks).toBe(1);
  });
});

describe('CloseIncident', () => {
  const close = (world: World) => createCloseIncident(world.deps)(input);
  const suspended: IncidentPatch['protection'] = {
    deactivatedAgentIds: [],
    autoScaling: { kind: 'suspended', group: 'agents' },
  };
  const recovery: IncidentPatch['recovery'] = { apps: [], at: t(60) };

  it('calls it recovered only if VerifyRecovery saw it', async () => {
    const world = createWorld();
    await world.given({ facts: factsOf(), recovery });
    expect(await close(world)).toMatchObject({ kind: 'closed', status: 'recovered' });
    expect(world.published).toEqual(['recovered']);
  });

  it('stays listed until the bus has taken its end, and the sweep tells it again', async () => {
    const world = createWorld();
    await world.given({ facts: factsOf(), recovery });
    world.bus.down = true;
    expect(await close(world)).toMatchObject({ kind: 'closed', status: 'recovered' });
    const listed = () => world.ledger.openIncidents('prod');
    expect(await listed()).toEqual([ids.incident]);
    world.bus.down = false;
    const sweep = createSweep(world.deps);
    await sweep();
    expect(world.published).toEqual([]);
    world.clock.advance(60_000);
    await sweep();
    expect(world.published).toEqual(['recovered']);
    expect(await listed()).toEqual([]);
    world.clock.advance(60_000);
    await sweep();
    expect(world.published).toEqual(['recovered']);
  });

  it('calls everything else cancelled', async () => {
    const world = createWorld();
    await world.given({ facts: factsOf() });
    expect(await close(world)).toMatchObject({ status: 'cancelled' });
  });

  it('does not tell anybody about an incident that nobody was told of', async () => {
    const world = createWorld();
    await world.given({ facts: factsOf() });
    await close(world);
    expect(world.published).toEqual([]);
  });

  it('tells people the end of what they were told the beginning of', async () => {
    const world = createWorld();
    await world.given({ facts: factsOf() });
    await held(world);
    await close(world);
    expect(world.published).toEqual(['cancelled']);
  });

  it('remembers a fenced host, under which epochs its volumes were taken, and tags it', async () => {
    const world = createWorld();
    await world.claimed({ state: 'released' });
    await world.given({ facts: factsOf(), fence: provenFence(), recovery });
    await close(world);
    expect(await world.ledger.quarantine('prod', ids.failed)).toEqual({
      instanceId: ids.failed,
      incidentId: ids.incident,
      launchTime: ids.launched,
      since: t(0),
      privateIp: '10.0.0.7',
      agentIds: [ids.agent],
      volumes: [{ volumeId: ids.data, epoch: 1 }],
    });
    expect(world.book.calls).toMatchObject([
      { call: 'CreateTags', target: ids.failed, detail: ids.incident, intended: true },
    ]);
  });

  it.each<[string, IncidentPatch]>([
    ['was never fenced', { facts: factsOf(), recovery }],
    ['turned out to be well', { facts: factsOf() }],
    [
      'was terminated: nobody can start it again',
      {
        facts: factsOf(),
        recovery,
        fence: provenFence({
          proof: [readOf(20, { state: 'terminated' }), readOf(21, { state: 'terminated' })],
        }),
      },
    ],
  ])('remembers nothing of a host that %s', async (_, patch) => {
    const world = createWorld();
    await world.given(patch);
    await close(world);
    expect(await world.ledger.quarantines('prod')).toEqual([]);
    expect(world.book.calls).toEqual([]);
  });

  it('closes although the tag for people cannot be written, and logs it', async () => {
    const world = createWorld();
    await world.given({ facts: factsOf(), fence: provenFence(), recovery });
    world.book.fail('CreateTags', new CloudUnavailableError('CreateTags', '503'));
    expect(await close(world)).toMatchObject({ status: 'recovered' });
    expect(await world.ledger.quarantines('prod')).toHaveLength(1);
    expect(world.logged).toContain('fenced machine not tagged');
  });

  it('tags no machine that is not the cluster’s any more', async () => {
    const world = createWorld();
    await world.given({ facts: factsOf(), fence: provenFence(), recovery });
    world.cloud.setInstance(ids.failed, { tags: [] });
    await close(world);
    expect(world.book.calls).toEqual([]);
  });

  it('calls it recovered when a returned host was quarantined, and says that it was not fenced', async () => {
    const world = createWorld();
    const run = { launchTime: ids.relaunched, at: t(0), agentIds: [ids.agent] };
    await world.given({ facts: factsOf({ volumes: [] }), quarantine: run });
    const closed = await close(world);
    expect(closed.status).toBe('recovered');
    expect(closed.summary).toMatch(/quarantined, not fenced: no work for a1b2-S7/);
    expect(await world.ledger.quarantines('prod')).toEqual([]);
  });

  it('ends a suspension of the whole group', async () => {
    const world = createWorld();
    await world.given({ protection: suspended, recovery });
    await close(world);
    expect(world.book.calls).toMatchObject([
      { call: 'ResumeProcesses', target: 'agents', intended: true },
    ]);
  });

  it('does not close while the suspension is not ended', async () => {
    const world = createWorld();
    await world.given({ protection: suspended, recovery });
    world.book.fail('ResumeProcesses', new CloudUnavailableError('ResumeProcesses', '503'));
    await expect(close(world)).rejects.toThrow(CloudUnavailableError);
    expect((await world.incident()).status).toBe('open');
    expect((await close(world)).status).toBe('recovered');
  });

  it('answers the same, and changes nothing, when it closed the incident before', async () => {
    const world = createWorld();
    await world.given({ protection: suspended, recovery });
    const first = await close(world);
    const over = await world.incident();
    world.clock.advance(1_000);
    expect(await close(world)).toEqual(first);
    expect(world.book.names).toEqual(['ResumeProcesses']);
    expect((await world.incident()).closedAt).toBe(over.closedAt);
  });

  it('opens the gate for the next incident of the instance', async () => {
    const world = createWorld();
    await world.given({ facts: factsOf() });
    await close(world);
    expect(await world.ledger.openIncidentOf(ids.failed)).toBeUndefined();
    expect(await world.ledger.openIncidents('prod')).toEqual([]);
  });
});
