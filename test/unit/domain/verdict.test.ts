import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { actOn } from '../../../src/domain/act-on.ts';
import type { Verdict } from '../../../src/domain/incident.ts';
import type { InstanceState } from '../../../src/domain/machine.ts';
import { limits } from '../../../src/domain/policy.ts';
import {
  type ChecksWitness,
  type Ec2Witness,
  type Evidence,
  judge,
  type MastersWitness,
  type MesosWitness,
  mayFence,
  mayFencePartitioned,
  missingMax,
  orderIn,
  rules,
  sayHeld,
} from '../../../src/domain/verdict.ts';
import { checksOf, ids, instanceOf, policyOf, signalOf, t } from '../../support/build.ts';

const seen = (state: InstanceState): Ec2Witness => ({
  kind: 'seen',
  instance: instanceOf({ state }),
});
const impairedFor = (seconds: number): ChecksWitness => ({
  kind: 'seen',
  checks: checksOf({ instance: 'impaired', impairedSince: t(1000 - seconds) }),
});
const ok: ChecksWitness = { kind: 'seen', checks: checksOf() };
const silent: MesosWitness = { kind: 'silent', agentId: ids.agent, probes: 2 };
const working: MesosWitness = { kind: 'working', agentId: ids.agent, how: 'it answers' };
const inactive: MesosWitness = { kind: 'inactive', agentId: ids.agent };
const unclear: MesosWitness = { kind: 'unclear', agentId: ids.agent, answering: 1 };
const mastersGone: MesosWitness = { kind: 'masters-unreachable', why: 'ECONNREFUSED' };

/** A hung kernel, two minutes on: the one case of a running instance that is fenced. */
const hung: Evidence = {
  at: t(1000),
  ec2: seen('running'),
  checks: impairedFor(120),
  mesos: silent,
};

const verdictOf = (change: Partial<Evidence>, before?: Verdict): Verdict =>
  judge({ ...hung, ...change }, policyOf(), undefined, before);

/** The look before saw it lost already, so many seconds ago. */
const lostFor = (seconds: number): Verdict => ({
  kind: 'Suspect',
  at: t(990),
  why: ['lost'],
  whyNot: [],
  lostSince: t(1000 - seconds),
});
const missing = (count: number, known = 100): MastersWitness => ({
  kind: 'counted',
  known,
  missing: count,
});

/** Cut off from the masters for five minutes, and nothing wrong with the machine. */
const cutOff: Evidence = {
  at: t(1000),
  ec2: seen('running'),
  checks: ok,
  mesos: { kind: 'not-listed' },
  masters: missing(1),
};
const partitionOf = (change: Partial<Evidence>, before?: Verdict): Verdict =>
  judge({ ...cutOff, ...change }, policyOf(), undefined, before ?? lostFor(300));

describe('judge', () => {
  it.each(['stopping', 'stopped', 'shutting-down', 'terminated'] as const)(
    'calls an instance down that EC2 says is %s, whatever Mesos believes',
    (state) => {
      expect(verdictOf({ ec2: seen(state), checks: { kind: 'none' }, mesos: working }).kind).toBe(
        'Down',
      );
      expect(verdictOf({ ec2: seen(state), mesos: mastersGone }).kind).toBe('Down');
    },
  );

  it('needs two independent witnesses to call a running instance impaired', () => {
    expect(verdictOf({}).kind).toBe('Impaired');
    expect(verdictOf({ mesos: inactive }).kind).toBe('Impaired');
    expect(verdictOf({ mesos: { kind: 'not-listed' } }).kind).toBe('Impaired');
  });

  // Each row takes one witness out of the hung agent's evidence.
  it.each<[string, Partial<Evidence>, Verdict['kind']]>([
    ['EC2 cannot be read', { ec2: { kind: 'unreadable', why: '503' } }, 'Blind'],
    ['EC2 does not know the instance', { ec2: { kind: 'unknown-instance' } }, 'Blind'],
    ['the instance is being started', { ec2: seen('pending') }, 'Suspect'],
    ['status checks cannot be read', { checks: { kind: 'unreadable', why: '503' } }, 'Blind'],
    ['EC2 has no status checks', { checks: { kind: 'none' } }, 'Blind'],
    ['EC2 finds nothing wrong', { checks: ok }, 'Suspect'],
    [
      'EC2 has too little data',
      { checks: { kind: 'seen', checks: checksOf({ instance: 'insufficient-data' }) } },
      'Suspect',
    ],
    [
      'EC2 does not say since when',
      { checks: { kind: 'seen', checks: checksOf({ instance: 'impaired' }) } },
      'Suspect',
    ],
    ['the grace is not over', { checks: impairedFor(59) }, 'Suspect'],
    ['the agent works', { mesos: working }, 'Suspect'],
    ['too few others answer the probe', { mesos: unclear }, 'Blind'],
    ['the masters cannot be asked', { mesos: mastersGone }, 'Blind'],
    ['both are well again', { checks: ok, mesos: working }, 'Recovered'],
  ])('does not fence while %s', (_, change, kind) => {
    const verdict = verdictOf(change);
    expect(verdict.kind).toBe(kind);
    expect(actOn(verdict, 0).kind).not.toBe('act');
  });

  it.each(['system', 'instance', 'attachedEbs'] as const)(
    'takes a failed %s check as EC2’s word that the instance is impaired',
    (check) => {
      const checks = checksOf({ [check]: 'impaired', impairedSince: t(800) });
      expect(verdictOf({ checks: { kind: 'seen', checks } }).kind).toBe('Impaired');
    },
  );

  it('counts the grace from when EC2 says it began, not from our first look', () => {
    expect(verdictOf({ checks: impairedFor(60) }).kind).toBe('Impaired');
    expect(verdictOf({ checks: impairedFor(45) })).toMatchObject({
      kind: 'Suspect',
      lookAgainMs: 15_000,
    });
  });

  it('does not call it recovered while checks are only starting again', () => {
    const checks = checksOf({ system: 'initializing', instance: 'initializing' });
    expect(verdictOf({ checks: { kind: 'seen', checks }, mesos: working }).kind).toBe('Suspect');
  });

  it('says what speaks for and against in words, with the ids people search for', () => {
    const verdict = verdictOf({ checks: impairedFor(30) });
    expect(verdict.why.join('; ')).toContain(ids.agent);
    expect(verdict.why.join('; ')).toContain('status check: instance');
    expect(verdict.whyNot.join('; ')).toContain('grace of 60 s');
    const stopped = instanceOf({
      state: 'stopped',
      stateReasonCode: 'Client.UserInitiatedShutdown',
    });
    expect(verdictOf({ ec2: { kind: 'seen', instance: stopped } }).why).toEqual([
      'EC2 says stopped (Client.UserInitiatedShutdown)',
    ]);
  });
});

describe('a partition', () => {
  it.each<[string, MesosWitness]>([
    ['does not list it', { kind: 'not-listed' }],
    ['lists it inactive', inactive],
    ['lists it, but it is silent while others answer', silent],
  ])('is an agent that EC2 finds well, when the master %s', (_, mesos) => {
    const verdict = partitionOf({ mesos });
    expect(verdict.kind).toBe('Partitioned');
    expect(verdict.why.join('; ')).toContain('for 300 s');
    expect(verdict.why.join('; ')).toContain('Mesos has lost 1 of 100 agents');
    expect(verdict.whyNot).toEqual(['EC2 status checks: system ok, instance ok']);
    expect(sayHeld(verdict)).toContain('acknowledge to fence it');
  });

  // Each row changes one witness of a partition.
  it.each<[string, Partial<Evidence>, Verdict['kind']]>([
    ['EC2 cannot be read', { ec2: { kind: 'unreadable', why: '503' } }, 'Blind'],
    ['EC2 says down', { ec2: seen('stopped') }, 'Down'],
    ['there are no status checks', { checks: { kind: 'none' } }, 'Blind'],
    [
      'the checks have only begun',
      { checks: { kind: 'seen', checks: checksOf({ system: 'initializing' }) } },
      'Suspect',
    ],
    ['EC2 calls it impaired', { checks: impairedFor(120) }, 'Impaired'],
    ['the agent works', { mesos: working }, 'Recovered'],
    ['too few others answer the probe', { mesos: unclear }, 'Blind'],
    ['the masters cannot be asked', { mesos: mastersGone }, 'Blind'],
    ['Mesos has lost three others', { masters: missing(4) }, 'Blind'],
    [
      'Mesos has lost many, and EC2 cannot be asked about them',
      { masters: { kind: 'uncounted', known: 100, why: '503' } },
      'Blind',
    ],
  ])('is none while %s', (_, change, kind) => {
    expect(partitionOf(change).kind).toBe(kind);
  });

  it('is none before it was lost for the grace, by looks one after the other', () => {
    expect(judge(cutOff, policyOf())).toMatchObject({ kind: 'Suspect', lostSince: t(1000) });
    expect(partitionOf({}, lostFor(119))).toMatchObject({ kind: 'Suspect', lookAgainMs: 1_000 });
    expect(partitionOf({}, lostFor(120)).kind).toBe('Partitioned');
    const { lostSince: _, ...answered } = lostFor(300);
    expect(partitionOf({}, answered)).toMatchObject({ kind: 'Suspect', lostSince: t(1000) });
  });

  it('forgets since when it was lost as soon as it works', () => {
    expect(partitionOf({ mesos: working })).not.toHaveProperty('lostSince');
  });

  it('is asked about, unless policy, an acknowledgement or an order says fence', () => {
    const verdict = partitionOf({});
    expect(mayFence(verdict)).toBe(false);
    expect(actOn(verdict, 0)).toEqual({ kind: 'hold', reason: 'partitioned' });
    expect(mayFencePartitioned({ partitionedAgent: 'ask' })).toBe(false);
    expect(mayFencePartitioned({ partitionedAgent: 'ask' }, ['storm'])).toBe(false);
    for (const may of [
      mayFencePartitioned({ partitionedAgent: 'fence' }),
      mayFencePartitioned({ partitionedAgent: 'ask' }, ['partitioned']),
    ]) {
      expect(mayFence(verdict, may)).toBe(true);
      expect(actOn(verdict, 0, may).kind).toBe('act');
    }
    expect(judge(cutOff, policyOf(), 'ops asked', lostFor(300)).kind).toBe('Ordered');
  });

  it('gives no leave to fence anything else', () => {
    for (const kind of ['Suspect', 'Blind', 'Recovered'] as const) {
      expect(mayFence({ kind, at: t(0), why: [], whyNot: [] }, true)).toBe(false);
    }
  });
});

describe('too many that look dead at once', () => {
  it('make it blind, whatever EC2 says of this one, unless it is down', () => {
    const masters = missing(30);
    expect(verdictOf({ masters }).kind).toBe('Blind');
    expect(verdictOf({ masters }).why).toEqual([
      'Mesos has lost 30 of 100 agents that EC2 runs and does not call impaired',
    ]);
    expect(partitionOf({ masters }).kind).toBe('Blind');
    expect(verdictOf({ masters, ec2: seen('stopped') }).kind).toBe('Down');
    expect(judge({ ...hung, masters }, policyOf(), 'ops asked').kind).toBe('Blind');
  });

  it('say nothing against an agent that answers', () => {
    expect(partitionOf({ masters: missing(30), mesos: working }).kind).toBe('Recovered');
  });

  it('are more than the limit, absolute and per cent, and of few agents more than one', () => {
    const limit = { blindLimit: 3, blindLimitPercent: 25 };
    expect([0, 1, 4, 5, 8, 9, 1_000].map((known) => missingMax(known, limit))).toEqual([
      1, 1, 1, 2, 2, 3, 3,
    ]);
    expect(verdictOf({ masters: missing(3) }).kind).toBe('Impaired');
    expect(verdictOf({ masters: missing(4) }).kind).toBe('Blind');
    expect(verdictOf({ masters: missing(1, 4) }).kind).toBe('Impaired');
    expect(verdictOf({ masters: missing(2, 4) }).kind).toBe('Blind');
  });
});

describe('the table', () => {
  const decidedBy = (change: Partial<Evidence>, lostMs: number): string | undefined => {
    const impairedMs = 120_000;
    const look = { ...hung, ...change, policy: policyOf(), impairedMs, lostMs };
    return rules.find(({ fits }) => fits(look))?.name;
  };

  it('has no rule that never decides', () => {
    const decided = [
      decidedBy({ checks: { kind: 'none' } }, 0),
      decidedBy({ mesos: mastersGone }, 0),
      decidedBy({ masters: missing(30) }, 0),
      decidedBy({ mesos: working }, 0),
      rules.find(({ fits }) => fits({ ...hung, policy: policyOf(), impairedMs: 59_000, lostMs: 0 }))
        ?.name,
      decidedBy({}, 0),
      decidedBy({ checks: ok, mesos: working }, 0),
      decidedBy({ checks: ok }, 120_000),
      decidedBy({ checks: ok }, 119_000),
      decidedBy(
        { checks: { kind: 'seen', checks: checksOf({ system: 'initializing' }) } },
        300_000,
      ),
    ];
    expect(decided).toEqual(rules.map(({ name }) => name));
  });

  it.each(rules.map(({ name }) => [name] as const))('needs the rule "%s"', (name) => {
    const evidences: readonly (readonly [Partial<Evidence>, number, number])[] = [
      [{ checks: { kind: 'none' } }, 120_000, 0],
      [{ mesos: mastersGone }, 120_000, 0],
      [{ masters: missing(30) }, 120_000, 0],
      [{ mesos: working }, 120_000, 0],
      [{}, 59_000, 0],
      [{}, 120_000, 0],
      [{ checks: ok, mesos: working }, 0, 0],
      [{ checks: ok }, 0, 120_000],
      [{ checks: ok }, 0, 119_000],
      [{ checks: { kind: 'seen', checks: checksOf({ system: 'initializing' }) } }, 0, 300_000],
    ];
    const without = rules.filter((rule) => rule.name !== name);
    const differs = evidences.some(([change, impairedMs, lostMs]) => {
      const look = { ...hung, ...change, policy: policyOf(), impairedMs, lostMs };
      const told = (from: typeof rules): unknown => {
        const rule = from.find(({ fits }) => fits(look));
        return rule && [rule.kind, rule.why(look), rule.whyNot(look), rule.lookAgainMs?.(look)];
      };
      return JSON.stringify(told(rules)) !== JSON.stringify(told(without));
    });
    expect(differs).toBe(true);
  });
});

describe('a person’s order', () => {
  const order = 'ops asked for a failover';
  const ordered = (change: Partial<Evidence>): Verdict =>
    judge({ ...hung, ...change }, policyOf(), order);

  it('fences a running machine that looks well, and says what spoke against it', () => {
    const verdict = ordered({ checks: ok, mesos: working });
    expect(verdict).toMatchObject({ kind: 'Ordered', why: [order] });
    expect(verdict.whyNot.join('; ')).toContain('it answers');
    expect(mayFence(verdict)).toBe(true);
  });

  it('fences on one soft witness', () => {
    expect(ordered({ mesos: working }).kind).toBe('Ordered');
  });

  it.each<[string, Partial<Evidence>]>([
    ['EC2 cannot be read', { ec2: { kind: 'unreadable', why: '503' } }],
    ['EC2 does not know the instance', { ec2: { kind: 'unknown-instance' } }],
    ['the masters cannot be asked', { mesos: mastersGone }],
    ['there are no status checks', { checks: { kind: 'none' } }],
  ])('does not make anybody act blind: %s', (_, change) => {
    const verdict = ordered(change);
    expect(verdict.kind).toBe('Blind');
    expect(mayFence(verdict)).toBe(false);
  });

  it('is not needed, and not named, where the evidence is enough', () => {
    expect(ordered({}).kind).toBe('Impaired');
    expect(ordered({ ec2: seen('stopped') }).kind).toBe('Down');
  });

  it('is the newest signal of an operator, not of any machine', () => {
    const machine = signalOf({ key: 'alarm', source: 'status-alarm', says: 'alarm' });
    const first = signalOf({ key: 'op-1', source: 'operator', says: 'first' });
    const second = signalOf({ key: 'op-2', source: 'operator', says: 'second' });
    expect(orderIn([first, second, machine])).toBe('second');
    expect(orderIn([machine])).toBeUndefined();
  });
});

describe('actOn', () => {
  const verdict = (kind: Verdict['kind'], lookAgainMs?: number): Verdict => ({
    kind,
    at: t(0),
    why: ['because'],
    whyNot: [],
    ...(lookAgainMs === undefined ? {} : { lookAgainMs }),
  });

  it.each([
    ['Down', 'act'],
    ['Impaired', 'act'],
    ['Ordered', 'act'],
    ['Recovered', 'cancel'],
    ['Blind', 'hold'],
    ['Suspect', 'watch'],
    ['Partitioned', 'hold'],
  ] as const)('answers %s with %s', (kind, action) => {
    expect(actOn(verdict(kind), 0).kind).toBe(action);
  });

  it('holds a blind incident however long it lasts: not seeing is no reason to let go', () => {
    expect(actOn(verdict('Blind'), limits.watchMs * 100).kind).toBe('hold');
  });

  it('lets soft evidence go after a while: the next signal opens a new incident', () => {
    expect(actOn(verdict('Suspect'), limits.watchMs - 1).kind).toBe('watch');
    expect(actOn(verdict('Suspect'), limits.watchMs).kind).toBe('cancel');
  });

  it('looks again when the verdict could change, and at least every minute', () => {
    expect(actOn(verdict('Suspect', 3_000), 0)).toEqual({ kind: 'watch', waitMs: 3_000 });
    expect(actOn(verdict('Suspect', 600_000), 0)).toEqual({ kind: 'watch', waitMs: 60_000 });
  });
});

describe('any evidence', () => {
  const agentId = fc.constant(ids.agent);
  const state = fc.constantFrom<InstanceState>(
    'pending',
    'running',
    'shutting-down',
    'terminated',
    'stopping',
    'stopped',
  );
  const ec2 = fc.oneof(
    state.map(seen),
    fc.constant<Ec2Witness>({ kind: 'unknown-instance' }),
    fc.constant<Ec2Witness>({ kind: 'unreadable', why: 'timeout' }),
  );
  const check = fc.constantFrom('ok', 'impaired', 'insufficient-data', 'initializing' as const);
  const checks = fc.oneof(
    fc
      .record({
        system: check,
        instance: check,
        attachedEbs: check,
        since: fc.integer({ max: 900 }),
      })
      .map(({ since, ...rest }): ChecksWitness => {
        return { kind: 'seen', checks: { ...rest, impairedSince: t(since) } };
      }),
    fc.constant<ChecksWitness>({ kind: 'none' }),
    fc.constant<ChecksWitness>({ kind: 'unreadable', why: 'timeout' }),
  );
  const mesos: fc.Arbitrary<MesosWitness> = fc.oneof(
    fc.record({ kind: fc.constant('working' as const), agentId, how: fc.constant('it answers') }),
    fc.record({ kind: fc.constant('inactive' as const), agentId }),
    fc.constant<MesosWitness>({ kind: 'not-listed' }),
    fc.constant(silent),
    fc.constant(unclear),
    fc.constant(mastersGone),
  );
  const evidence = fc.record({ at: fc.constant(t(1000)), ec2, checks, mesos });

  it('leads to action only if EC2 itself says so, and against a running agent only with Mesos', () => {
    fc.assert(
      fc.property(evidence, (given) => {
        const verdict = judge(given, policyOf());
        if (actOn(verdict, 0).kind !== 'act') return;
        if (given.ec2.kind !== 'seen') throw new Error('acted without seeing the instance');
        if (given.ec2.instance.state !== 'running') {
          expect(['stopping', 'stopped', 'shutting-down', 'terminated']).toContain(
            given.ec2.instance.state,
          );
          return;
        }
        if (given.checks.kind !== 'seen') throw new Error('acted without status checks');
        const { impairedSince, ...each } = given.checks.checks;
        expect(Object.values(each)).toContain('impaired');
        expect(given.at - (impairedSince ?? given.at)).toBeGreaterThanOrEqual(60_000);
        expect(['silent', 'inactive', 'not-listed']).toContain(given.mesos.kind);
      }),
    );
  });

  it('always leaves a reason in words', () => {
    fc.assert(
      fc.property(evidence, (given) => {
        expect(judge(given, policyOf()).why.every((line) => line.length > 0)).toBe(true);
        expect(judge(given, policyOf()).why.length).toBeGreaterThan(0);
      }),
    );
  });
});
