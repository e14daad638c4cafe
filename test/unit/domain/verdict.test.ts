import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../../src/domain/incident.ts';
import type { InstanceState } from '../../../src/domain/machine.ts';
import { limits } from '../../../src/domain/policy.ts';
import {
  actOn,
  type ChecksWitness,
  type Ec2Witness,
  type Evidence,
  judge,
  type MesosWitness,
  mayFence,
  orderIn,
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

const verdictOf = (change: Partial<Evidence>): Verdict => judge({ ...hung, ...change }, policyOf());

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
