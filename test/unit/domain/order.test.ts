import { describe, expect, it } from 'vitest';
import { actOn } from '../../../src/domain/act-on.ts';
import type { Signal } from '../../../src/domain/incident.ts';
import type { Instance } from '../../../src/domain/machine.ts';
import { type Evidence, judge, mayFence, orderIn } from '../../../src/domain/verdict.ts';
import { checksOf, ids, instanceOf, policyOf, t } from '../../support/build.ts';

const order = 'an operator asked for a failover: drill';
const healthy: Evidence = {
  at: t(1000),
  ec2: { kind: 'seen', instance: instanceOf({ state: 'running' }) },
  checks: { kind: 'seen', checks: checksOf() },
  mesos: { kind: 'working', agentId: ids.agent, how: 'it answers' },
};
const inState = (state: Instance['state']): Evidence => ({
  ...healthy,
  ec2: { kind: 'seen', instance: instanceOf({ state }) },
});
const given = (change: Partial<Evidence>) => judge({ ...healthy, ...change }, policyOf(), order);

describe('the order of a person', () => {
  it('lets a healthy agent be fenced, and keeps what spoke against it', () => {
    const verdict = given({});
    expect(verdict.kind).toBe('Ordered');
    expect(verdict.why).toEqual([order]);
    expect(verdict.whyNot).toEqual(judge(healthy, policyOf()).why);
    expect(actOn(verdict, 0)).toEqual({ kind: 'act' });
    expect(mayFence(verdict)).toBe(true);
  });

  it('decides where one witness alone is not enough', () => {
    const mesos = { kind: 'inactive', agentId: ids.agent } as const;
    expect(judge({ ...healthy, mesos }, policyOf()).kind).toBe('Suspect');
    expect(given({ mesos }).kind).toBe('Ordered');
  });

  it.each<[string, Partial<Evidence>]>([
    ['the masters cannot be asked', { mesos: { kind: 'masters-unreachable', why: 'timeout' } }],
    ['too few agents answer', { mesos: { kind: 'unclear', agentId: ids.agent, answering: 1 } }],
    ['EC2 reports no checks', { checks: { kind: 'none' } }],
    ['EC2 cannot be read', { ec2: { kind: 'unreadable', why: 'timeout' } }],
    ['EC2 does not know the instance', { ec2: { kind: 'unknown-instance' } }],
  ])('opens no eyes: blind stays blind while %s', (_, change) => {
    expect(given(change).kind).toBe('Blind');
    expect(mayFence(given(change))).toBe(false);
  });

  it('waits for a machine that is still being started', () => {
    expect(given(inState('pending')).kind).toBe('Suspect');
  });

  it('is not needed for a machine that is down', () => {
    expect(given(inState('stopped'))).toEqual(judge(inState('stopped'), policyOf()));
  });
});

describe('orderIn', () => {
  const signal = (source: Signal['source'], seconds: number): Signal => ({
    key: `${source}:${seconds}`,
    source,
    instanceId: ids.failed,
    says: `${source} at ${seconds}`,
    receivedAt: t(seconds),
  });

  it('takes the newest word of a person, whatever came after it from elsewhere', () => {
    const signals = [signal('operator', 1), signal('operator', 2), signal('ec2-state', 3)];
    expect(orderIn(signals)).toBe('operator at 2');
  });

  it('finds none in what machines say', () => {
    expect(orderIn([signal('ec2-state', 1), signal('status-alarm', 2)])).toBeUndefined();
  });
});
