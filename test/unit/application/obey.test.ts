import { describe, expect, it } from 'vitest';
import { createCloseIncident } from '../../../src/application/close-incident.ts';
import { createDrainAgent } from '../../../src/application/drain-agent.ts';
import { createProtectData } from '../../../src/application/protect-data.ts';
import { switchedSince } from '../../../src/application/switches.ts';
import { createUndoProtection } from '../../../src/application/undo-protection.ts';
import { createVerifyRecovery } from '../../../src/application/verify-recovery.ts';
import { StoppedByOperatorError } from '../../../src/domain/errors.ts';
import type { IncidentPatch } from '../../../src/domain/incident.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import { factsOf, ids, t } from '../../support/build.ts';

const keys = { incidentId: ids.incident, token: 1 };
const group = { kind: 'suspended', group: 'agents' } as const;
const shelter = { deactivatedAgentIds: [ids.agent], autoScaling: group };
const handedOff = {
  startedAt: t(0),
  completedAt: t(0),
  agentIds: [ids.agent],
  method: 'mark-gone',
  appIds: ['/mysql'],
  heldAppIds: [],
} as const;

/** Steps that change something long after they began, or that used to ask nobody. */
const steps: readonly [
  name: string,
  patch: IncidentPatch,
  run: (world: World) => Promise<unknown>,
][] = [
  ['UndoProtection', { protection: shelter }, (world) => createUndoProtection(world.deps)(keys)],
  [
    'CloseIncident',
    { protection: shelter, recovery: { apps: [], at: t(0) } },
    (world) => createCloseIncident(world.deps)(keys),
  ],
];

describe.each(steps)('%s', (_, patch, run) => {
  it.each(['paused', 'inMaintenance'] as const)('changes nothing while %s', async (stop) => {
    const world = createWorld();
    await world.given({ facts: factsOf(), ...patch });
    world[stop]();
    await expect(run(world)).rejects.toThrow(StoppedByOperatorError);
    expect(world.book.names).toEqual([]);
    expect(await world.incident()).toMatchObject({ status: 'open' });
    world.unpaused();
    await run(world);
    expect(world.book.names).not.toEqual([]);
  });
});

describe('a pause that comes while a step is at work', () => {
  it('stops the recovery from being hurried and marked', async () => {
    const world = createWorld();
    await world.given({ facts: factsOf(), handOff: handedOff });
    world.dcos.queued = [{ appId: '/mysql', delayMs: 60_000 }];
    world.clock.after(10_000, () => world.paused());
    let before = 0;
    world.clock.after(12_500, () => {
      before = world.book.names.length;
      world.dcos.queued = [{ appId: '/mysql', delayMs: 60_000 }];
    });
    await expect(createVerifyRecovery(world.deps)(keys)).rejects.toThrow(StoppedByOperatorError);
    expect(before).toBeGreaterThan(0);
    expect(world.book.names).toHaveLength(before);
  });

  it('stops a drain from asking Mesos', async () => {
    const world = createWorld();
    await world.given({ facts: factsOf(), mode: 'drain' });
    const { instance } = world.cloud;
    world.cloud.instance = async (id) => {
      world.clock.advance(2_500);
      world.paused();
      return instance.call(world.cloud, id);
    };
    await expect(createDrainAgent(world.deps)(keys)).rejects.toThrow(StoppedByOperatorError);
    expect(world.book.names).toEqual([]);
  });

  it('stops the protection that has only been planned', async () => {
    const world = createWorld();
    await world.given({ facts: factsOf() });
    const { instance } = world.cloud;
    world.cloud.instance = async (id) => {
      world.clock.advance(2_500);
      world.paused();
      return instance.call(world.cloud, id);
    };
    await expect(createProtectData(world.deps)(keys)).rejects.toThrow(StoppedByOperatorError);
    expect(world.book.names).toEqual([]);
  });
});

describe('the operators’ switches', () => {
  it('are read again only when they were read too long ago', async () => {
    const world = createWorld();
    const incident = await world.given();
    let reads = 0;
    const { control } = world.ledger;
    world.ledger.control = async (name) => {
      reads += 1;
      return control.call(world.ledger, name);
    };
    const deps = { ...world.deps, switches: { readAt: world.clock.now() } };
    world.clock.advance(2_000);
    await switchedSince(deps, incident);
    expect(reads).toBe(0);
    world.clock.advance(1);
    await switchedSince(deps, incident);
    await switchedSince(deps, incident);
    expect(reads).toBe(1);
  });

  it('are read by whoever cannot tell when they were', async () => {
    const world = createWorld();
    const incident = await world.given();
    world.paused();
    expect(await switchedSince(world.deps, incident)).toMatchObject({ reason: 'paused' });
  });
});
