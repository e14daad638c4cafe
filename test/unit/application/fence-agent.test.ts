import { describe, expect, it } from 'vitest';
import { createFenceAgent } from '../../../src/application/fence-agent.ts';
import {
  CloudAmbiguousError,
  CloudThrottledError,
  CloudUnavailableError,
  TokenLostError,
} from '../../../src/domain/errors.ts';
import type { Fence } from '../../../src/domain/incident.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import {
  agentTags,
  checksOf,
  factsOf,
  ids,
  instanceOf,
  lostRung,
  policyOf,
  provenFence,
  t,
} from '../../support/build.ts';

const input = { incidentId: ids.incident, token: 1 };
const fence = (world: World) => createFenceAgent(world.deps)(input);
const rungs = async (world: World) =>
  ((await world.incident()).fence?.rungs ?? []).map(({ method }) => method);

/** Runs it as the workflow does: again after every wait, for so long. */
const fenceFor = async (world: World, seconds: number) => {
  const until = world.clock.now() + seconds * 1000;
  for (;;) {
    const decision = await fence(world);
    if (decision.kind !== 'waiting' || world.clock.now() >= until) return decision;
    world.clock.advance(decision.waitSeconds * 1000);
  }
};

const hung = async (change: Parameters<typeof createWorld>[0] = {}): Promise<World> => {
  const world = createWorld(change);
  await world.given({ facts: factsOf() });
  world.hang();
  return world;
};

describe('a hung agent', () => {
  it('is stopped by cutting its power, once, and proven down by two reads after that', async () => {
    const world = await hung();
    expect(await fence(world)).toEqual({ kind: 'fenced', groups: [[ids.data]] });
    expect(world.book.calls).toEqual([
      { call: 'StopInstances', target: ids.failed, detail: { method: 'skip' }, intended: true },
    ]);
    const { fence: found } = await world.incident();
    expect(found).toMatchObject({ method: 'skip', strength: 'strong' });
    const acceptedAt = found?.rungs[0]?.acceptedAt ?? Number.NaN;
    for (const read of found?.proof ?? []) {
      expect(read.at).toBeGreaterThan(acceptedAt);
      expect(read).toMatchObject({ state: 'stopped', launchTime: ids.launched });
    }
    expect(found?.proof).toHaveLength(2);
  });

  it('has the outcome of the stop in the audit, under the request id', async () => {
    const world = await hung();
    await fence(world);
    expect(await world.ledger.audit(ids.incident)).toMatchObject([
      {
        call: 'StopInstances',
        token: 1,
        parameters: { method: 'skip', launchTime: ids.launched },
        outcome: { kind: 'accepted', requestId: 'req-power' },
      },
    ]);
  });

  it('is not believed down on one read: the second must agree', async () => {
    const world = await hung();
    let reads = 0;
    const { compute } = world.deps;
    const instance = compute.instance.bind(compute);
    // Every other read says stopped, as a stale one may.
    compute.instance = async (id) => {
      const read = await instance(id);
      reads += 1;
      const stale = read?.state === 'stopping' && reads % 2 === 0;
      return stale ? { ...read, state: 'stopped' } : read;
    };
    world.cloud.downMs.skip = Number.POSITIVE_INFINITY;
    world.cloud.downMs['force-skip'] = Number.POSITIVE_INFINITY;
    await fenceFor(world, 60);
    expect((await world.incident()).fence?.proof).toBeUndefined();
    expect(reads).toBeGreaterThan(50);
  });

  it('is looked at by all witnesses again when one read said stopped and the next says running', async () => {
    const world = createWorld();
    await world.given({ facts: factsOf() });
    const { compute } = world.deps;
    const instance = compute.instance.bind(compute);
    let reads = 0;
    // Nothing is wrong with the agent; the first two reads speak of a stop that never was.
    compute.instance = async (id) => {
      const read = await instance(id);
      reads += 1;
      return read !== undefined && reads <= 2 ? { ...read, state: 'stopped' } : read;
    };
    expect((await fence(world)).kind).not.toBe('fenced');
    expect(reads).toBeGreaterThan(3);
    expect(world.book.calls.filter(({ call }) => call === 'StopInstances')).toEqual([]);
  });

  it('is not believed down when the second read is of another incarnation', async () => {
    const world = await hung();
    let reads = 0;
    const { compute } = world.deps;
    compute.instance = async () => {
      reads += 1;
      const launchTime = reads % 2 === 0 ? ids.relaunched : ids.launched;
      return instanceOf({ state: 'stopped', launchTime });
    };
    expect((await fence(world)).kind).toBe('waiting');
    expect(reads).toBeGreaterThan(50);
    expect((await world.incident()).fence?.proof).toBeUndefined();
  });

  it('gets Force when the stop had its time, and the proof is weak then', async () => {
    const world = await hung();
    world.cloud.downMs.skip = Number.POSITIVE_INFINITY;
    expect(await fenceFor(world, 300)).toEqual({ kind: 'hold', reason: 'weak-fence' });
    expect(await rungs(world)).toEqual(['skip', 'force-skip']);
    expect((await world.incident()).fence).toMatchObject({
      method: 'force-skip',
      strength: 'weak',
      proof: [{ state: 'stopped' }, { state: 'stopped' }],
    });
  });

  it('is never released from a weak fence before a person agrees', async () => {
    const world = await hung();
    world.cloud.downMs.skip = Number.POSITIVE_INFINITY;
    await fenceFor(world, 300);
    expect(await fence(world)).toEqual({ kind: 'hold', reason: 'weak-fence' });
    await world.ledger.save(ids.incident, 1, { acknowledged: ['weak-fence'] }, world.clock.now());
    expect((await fenceFor(world, 300)).kind).toBe('fenced');
  });

  it('waits the settle delay out after a weak fence, where policy says so', async () => {
    const world = await hung({ weakFence: 'settle' });
    world.cloud.downMs.skip = Number.POSITIVE_INFINITY;
    expect((await fenceFor(world, 600)).kind).toBe('fenced');
    const provenAt = (await world.incident()).fence?.proof?.[1].at ?? Number.NaN;
    const { weakFenceSettleMs } = policyOf();
    expect(world.clock.now() - provenAt).toBeGreaterThanOrEqual(weakFenceSettleMs);
  });

  it('is held, and looked at, while EC2 never stops it', async () => {
    const world = await hung();
    world.cloud.downMs.skip = Number.POSITIVE_INFINITY;
    world.cloud.downMs['force-skip'] = Number.POSITIVE_INFINITY;
    expect(await fenceFor(world, 900)).toEqual({ kind: 'hold', reason: 'fence-stuck' });
    expect(world.book.names).toEqual(['StopInstances', 'StopInstances']);
    world.cloud.setInstance(ids.failed, { state: 'stopped' });
    await world.ledger.save(ids.incident, 1, { acknowledged: ['weak-fence'] }, world.clock.now());
    expect((await fenceFor(world, 300)).kind).toBe('fenced');
    expect(world.book.names).toHaveLength(2);
  });
});

describe('refusals', () => {
  it('lets a Xen instance shut down with Force', async () => {
    const world = await hung();
    world.cloud.refusals.set('skip', 'skip-unsupported');
    expect(await fenceFor(world, 120)).toEqual({ kind: 'hold', reason: 'weak-fence' });
    expect(await rungs(world)).toEqual(['skip', 'force']);
  });

  it('terminates a Xen spot instance, where policy says so', async () => {
    const world = await hung({ fenceTerminate: 'when-stop-impossible' });
    world.cloud.refusals.set('skip', 'stop-unsupported').set('terminate', 'skip-unsupported');
    await fenceFor(world, 120);
    expect(world.book.calls.map(({ detail }) => detail)).toEqual([
      { method: 'skip' },
      { method: 'terminate' },
      { method: 'terminate-force' },
    ]);
    expect((await world.incident()).fence).toMatchObject({
      strength: 'weak',
      proof: [{ state: 'terminated' }, { state: 'terminated' }],
    });
  });

  it('does not terminate while a volume in scope would be deleted with it', async () => {
    const world = await hung({ fenceTerminate: 'when-stop-impossible' });
    world.cloud.refusals.set('skip', 'stop-unsupported');
    const devices = instanceOf().devices.map((d) => ({ ...d, deleteOnTermination: true }));
    world.cloud.setInstance(ids.failed, { devices });
    expect(await fenceFor(world, 60)).toEqual({
      kind: 'hold',
      reason: 'terminate-would-delete-data',
    });
    expect(world.book.names).toEqual(['StopInstances']);
  });

  it('does not mind that the root volume is deleted with it', async () => {
    const world = await hung({ fenceTerminate: 'when-stop-impossible' });
    world.cloud.refusals.set('skip', 'stop-unsupported');
    expect((await fenceFor(world, 60)).kind).toBe('fenced');
    expect((await world.incident()).fence).toMatchObject({
      method: 'terminate',
      strength: 'strong',
    });
  });

  it('never terminates without policy', async () => {
    const world = await hung();
    world.cloud.refusals.set('skip', 'stop-unsupported');
    expect(await fence(world)).toEqual({ kind: 'hold', reason: 'cannot-be-stopped' });
    expect(world.book.names).toEqual(['StopInstances']);
  });

  it('goes on when a person has taken the stop protection off', async () => {
    const world = await hung();
    world.cloud.refusals.set('skip', 'protected');
    expect(await fence(world)).toEqual({ kind: 'hold', reason: 'protected-from-stop' });
    world.cloud.refusals.clear();
    expect(await fence(world)).toEqual({ kind: 'hold', reason: 'protected-from-stop' });
    world.clock.advance(300_000);
    expect((await fenceFor(world, 60)).kind).toBe('fenced');
  });

  it('does not send a command to an instance that left the cluster meanwhile', async () => {
    const world = await hung();
    world.cloud.setInstance(ids.failed, { tags: agentTags.slice(1) });
    expect(await fence(world)).toEqual({ kind: 'hold', reason: 'ambiguous-scope' });
    expect(world.book.calls).toEqual([]);
  });
});

describe('answers that were lost', () => {
  it('reads before it repeats a stop whose answer was lost', async () => {
    const world = await hung();
    world.book.fail(
      'StopInstances',
      new CloudAmbiguousError('StopInstances', 'ECONNRESET'),
      'after',
    );
    await expect(fence(world)).rejects.toThrow(CloudAmbiguousError);
    expect((await world.ledger.audit(ids.incident))[0]?.outcome).toMatchObject({ kind: 'unknown' });
    expect((await fenceFor(world, 60)).kind).toBe('fenced');
    expect(world.book.names).toEqual(['StopInstances']);
    expect((await world.incident()).fence).toMatchObject({ method: 'skip', strength: 'strong' });
  });

  it('repeats a stop that never arrived', async () => {
    const world = await hung();
    world.book.fail('StopInstances', new CloudUnavailableError('StopInstances', 'ETIMEDOUT'));
    await expect(fence(world)).rejects.toThrow(CloudUnavailableError);
    expect((await fenceFor(world, 60)).kind).toBe('fenced');
    expect(world.book.names).toEqual(['StopInstances', 'StopInstances']);
    expect(await rungs(world)).toEqual(['skip']);
  });

  it('counts a Force whose answer was lost as used: the fence is weak', async () => {
    const world = await hung();
    world.cloud.downMs.skip = Number.POSITIVE_INFINITY;
    world.book.onCall = ({ detail }) => {
      if ((detail as { method: string }).method !== 'force-skip') return;
      world.book.fail(
        'StopInstances',
        new CloudAmbiguousError('StopInstances', 'ECONNRESET'),
        'after',
      );
    };
    await expect(fenceFor(world, 300)).rejects.toThrow(CloudAmbiguousError);
    expect(await fenceFor(world, 60)).toEqual({ kind: 'hold', reason: 'weak-fence' });
  });

  it('does not count a stop that EC2 throttled: nothing was done', async () => {
    const world = await hung();
    world.book.fail(
      'StopInstances',
      new CloudThrottledError('StopInstances', 'RequestLimitExceeded'),
    );
    await expect(fence(world)).rejects.toThrow(CloudThrottledError);
    expect(await rungs(world)).toEqual([]);
    expect((await fenceFor(world, 60)).kind).toBe('fenced');
    expect(world.book.names).toEqual(['StopInstances', 'StopInstances']);
  });
});

describe('doubt', () => {
  it('cancels when the agent works again before anything was done', async () => {
    const world = await hung();
    world.cloud.checks.set(ids.failed, checksOf());
    world.dcos.silent.clear();
    expect(await fence(world)).toEqual({ kind: 'cancelled' });
    expect(world.book.calls).toEqual([]);
  });

  it('waits while only one witness speaks against the agent', async () => {
    const world = await hung();
    world.dcos.silent.clear();
    expect((await fence(world)).kind).toBe('waiting');
    expect(world.book.calls).toEqual([]);
  });

  it.each([
    [
      'EC2 cannot be read',
      (world: World) =>
        world.book.fail('instance', new CloudUnavailableError('DescribeInstances', '503')),
    ],
    [
      'the masters cannot be asked',
      (world: World) =>
        world.book.fail('agents', new CloudUnavailableError('GET_AGENTS', 'ECONNREFUSED')),
    ],
    [
      'status checks cannot be read',
      (world: World) =>
        world.book.fail('statusChecks', new CloudUnavailableError('DescribeInstanceStatus', '503')),
    ],
    [
      'nobody answers probes',
      (world: World) => void world.dcos.silent.add(ids.spareAgent).add(ids.otherAgent),
    ],
    [
      'EC2 does not know the instance',
      (world: World) => void world.cloud.instances.delete(ids.failed),
    ],
  ])('never fences a running agent while %s', async (_, trouble) => {
    const world = await hung();
    trouble(world);
    expect((await fence(world)).kind).toBe('hold');
    expect(world.book.calls).toEqual([]);
  });

  it('does not turn back once EC2 accepted the stop, though the agent looks well', async () => {
    const world = await hung();
    world.book.onCall = () => {
      world.cloud.checks.set(ids.failed, checksOf());
      world.dcos.silent.clear();
    };
    expect((await fence(world)).kind).toBe('fenced');
  });

  it('does not take an instance that EC2 has forgotten for dead', async () => {
    const world = await hung();
    world.book.onCall = () => void world.cloud.instances.delete(ids.failed);
    expect(await fence(world)).toEqual({ kind: 'hold', reason: 'unknown-incarnation' });
    expect((await world.incident()).fence?.proof).toBeUndefined();
  });
});

describe('an instance that is down already', () => {
  it('needs no command: two reads after the claim are the proof', async () => {
    const world = createWorld();
    await world.given({ facts: factsOf({ state: 'stopped' }) });
    world.cloud.setInstance(ids.failed, { state: 'stopped' });
    expect((await fence(world)).kind).toBe('fenced');
    expect(world.book.calls).toEqual([]);
    expect((await world.incident()).fence).toMatchObject({ method: 'none', strength: 'strong' });
  });

  it('gets its time when somebody else began the stop, then power is cut', async () => {
    const world = createWorld();
    await world.given({ facts: factsOf({ state: 'stopping' }) });
    world.cloud.setInstance(ids.failed, { state: 'stopping' });
    const since = world.clock.now();
    let commandedAt = Number.NaN;
    world.book.onCall = () => {
      commandedAt = world.clock.now();
    };
    expect((await fenceFor(world, 120)).kind).toBe('fenced');
    expect(world.book.calls.map(({ detail }) => detail)).toEqual([{ method: 'skip' }]);
    expect(commandedAt - since).toBeGreaterThanOrEqual(60_000);
  });
});

describe('another incarnation', () => {
  it('is fenced anew when somebody starts the instance in the middle', async () => {
    const world = await hung();
    world.book.onCall = () => {
      world.book.onCall = undefined;
      world.clock.after(1_000, () => world.cloud.restart(ids.failed, ids.relaunched));
    };
    expect((await fenceFor(world, 120)).kind).toBe('fenced');
    expect(world.book.calls.map(({ detail }) => detail)).toEqual([
      { method: 'skip' },
      { method: 'skip' },
    ]);
    const { fence: found } = await world.incident();
    expect(found?.proof?.map(({ launchTime }) => launchTime)).toEqual([
      ids.relaunched,
      ids.relaunched,
    ]);
  });
});

describe('what was done before', () => {
  it('is believed: a proven fence is not proven again', async () => {
    const world = createWorld();
    await world.given({ facts: factsOf(), fence: provenFence() });
    expect(await fence(world)).toEqual({ kind: 'fenced', groups: [[ids.data]] });
    expect(world.book.calls).toEqual([]);
  });

  it('is finished: a stop whose execution died before the answer is read first', async () => {
    const world = await hung();
    const begun: Fence = { since: t(0), rungs: [lostRung('skip', 0)], voided: [] };
    await world.ledger.save(ids.incident, 1, { fence: begun }, t(0));
    world.cloud.setInstance(ids.failed, { state: 'stopped' });
    world.clock.advance(1);
    expect((await fence(world)).kind).toBe('fenced');
    expect(world.book.calls).toEqual([]);
    expect((await world.incident()).fence).toMatchObject({ method: 'skip', strength: 'strong' });
  });

  it('goes under the token that is current: an execution that lost it calls nothing', async () => {
    const world = await hung();
    await world.takenOver();
    await expect(fence(world)).rejects.toThrow(TokenLostError);
    expect(world.book.calls).toEqual([]);
  });

  it('stops an execution that loses its token while it looks', async () => {
    const world = await hung();
    const { compute } = world.deps;
    const instance = compute.instance.bind(compute);
    compute.instance = async (id) => {
      await world.takenOver();
      return instance(id);
    };
    await expect(fence(world)).rejects.toThrow(TokenLostError);
    expect(world.book.calls).toEqual([]);
  });
});
