import { describe, expect, it } from 'vitest';
import { countMissing, knownSince } from '../../../src/application/witnesses.ts';
import type { InstanceId } from '../../../src/domain/ids.ts';
import type { Verdict } from '../../../src/domain/incident.ts';
import type { Instance } from '../../../src/domain/machine.ts';
import type { Inventory } from '../../../src/domain/service.ts';
import { agentOf, checksOf, ids, instanceOf, policyOf, t } from '../../support/build.ts';

/* Probes that failed before an agent was heard again say nothing about it any more. */

const inventory: Inventory = {
  launchTime: ids.launched,
  availabilityZone: 'us-east-1a',
  agentIds: [ids.agent],
  apps: [],
  tasks: [],
  volumes: [],
  seenAt: t(0),
  silence: { probes: 4, lastAt: t(10) },
};
const verdictAt = (kind: Verdict['kind'], seconds: number): Verdict => ({
  kind,
  at: t(seconds),
  why: [],
  whyNot: [],
});

describe('the silence the sweep has noted', () => {
  it.each<[string, Verdict | undefined]>([
    ['nothing was judged yet', undefined],
    ['two witnesses agreed', verdictAt('Impaired', 20)],
    ['it was noted after the doubt', verdictAt('Suspect', 9)],
  ])('counts when %s', (_, verdict) => {
    expect(knownSince(inventory, verdict)).toBe(inventory);
  });

  it.each(['Suspect', 'Blind', 'Recovered'] as const)('counts no more after %s', (kind) => {
    const { silence: _, ...rest } = inventory;
    expect(knownSince(inventory, verdictAt(kind, 20))).toEqual(rest);
  });
});

/* Ten agents that were seen well once, at .0 to .9. */
const ten = Array.from({ length: 10 }, (_, i) => i);
const idOf = (i: number): InstanceId => `i-0000000${i}` as InstanceId;
const hostOf = (i: number): string => `10.0.0.${i}`;
const machineOf = (i: number, change: Partial<Instance> = {}): Instance =>
  instanceOf({ instanceId: idOf(i), privateIp: hostOf(i), ...change });
const listed = (...which: readonly number[]) => which.map((i) => agentOf({ hostname: hostOf(i) }));

const counting = async (
  agents: ReturnType<typeof listed>,
  instances: readonly Instance[] = ten.map((i) => machineOf(i)),
  impaired: readonly number[] = [],
) => {
  let asked = 0;
  const compute = {
    instancesOfCluster: async () => {
      asked += 1;
      return [...instances];
    },
    statusChecksOf: async (which: readonly InstanceId[]) =>
      new Map(
        which.map((id) => [
          id,
          checksOf(impaired.some((i) => idOf(i) === id) ? { system: 'impaired' } : {}),
        ]),
      ),
  };
  const masters = await countMissing({ compute, policy: policyOf() }, agents, ten.map(idOf));
  return { masters, asked };
};

describe('what Mesos has lost', () => {
  it('is the difference, and EC2 is not asked, while it is within the limit', async () => {
    expect(await counting(listed(...ten))).toEqual({
      masters: { kind: 'counted', known: 10, missing: 0 },
      asked: 0,
    });
    expect(await counting(listed(...ten.slice(3)))).toEqual({
      masters: { kind: 'counted', known: 10, missing: 3 },
      asked: 0,
    });
  });

  it('are those that EC2 runs and does not call impaired, when it is more', async () => {
    const { masters, asked } = await counting(listed(...ten.slice(5)));
    expect({ masters, asked }).toEqual({
      masters: { kind: 'counted', known: 10, missing: 5 },
      asked: 1,
    });
  });

  it('is not what EC2 says is down, impaired, or gone', async () => {
    const instances = [
      machineOf(0, { state: 'stopped' }),
      machineOf(1, { state: 'terminated' }),
      ...ten.slice(3).map((i) => machineOf(i)),
    ];
    const { masters } = await counting(listed(...ten.slice(6)), instances, [3]);
    expect(masters).toEqual({ kind: 'counted', known: 10, missing: 2 });
  });

  it('is what is recovered only, and not what we deactivated ourselves', async () => {
    const recovered = ten.slice(0, 5).map((i) => agentOf({ hostname: hostOf(i), recovered: true }));
    const ours = agentOf({ hostname: hostOf(5), active: false, deactivated: true });
    const { masters } = await counting([...recovered, ours, ...listed(6, 7, 8, 9)]);
    expect(masters).toEqual({ kind: 'counted', known: 10, missing: 5 });
  });

  it('is unknown where EC2 cannot be asked', async () => {
    const compute = {
      instancesOfCluster: () => Promise.reject(new Error('503')),
      statusChecksOf: async () => new Map(),
    };
    const masters = await countMissing({ compute, policy: policyOf() }, [], ten.map(idOf));
    expect(masters).toEqual({ kind: 'uncounted', known: 10, why: '503' });
  });
});
