import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type IncidentId, type InstanceId, incidentIdOf } from '../../../src/domain/ids.ts';
import {
  type Applicant,
  type BrakeView,
  brake,
  calm,
  countsOf,
  limitIn,
  queueOf,
  type Storm,
  turnsOf,
  type Waiting,
} from '../../../src/domain/storm.ts';
import { cluster, policyOf, t, zone } from '../../support/build.ts';

const machine = (n: number): InstanceId => `i-${String(n).padStart(8, '0')}` as InstanceId;
const incident = (n: number): IncidentId => incidentIdOf(cluster, machine(n), 1);
const applicant = (n: number, change: Partial<Applicant> = {}): Applicant => ({
  incidentId: incident(n),
  instanceId: machine(n),
  zone,
  group: 'workers',
  cause: 'Impaired system',
  priority: 0,
  ...change,
});
const view = (change: Partial<BrakeView> = {}): BrakeView => ({
  policy: policyOf(),
  agents: 100,
  now: t(0),
  ...change,
});

/** These were let through at the beginning. */
const letThrough = (...ns: readonly number[]): Storm => ({
  ...calm,
  version: ns.length,
  admitted: ns.map((n) => ({ ...applicant(n), at: t(0) })),
});
const waiting = (n: number, at = 0, change: Partial<Waiting> = {}): [IncidentId, Waiting] => {
  const { incidentId, ...place } = applicant(n);
  return [incidentId, { ...place, behind: 'storm', since: t(at), ...change }];
};
const withQueue = (storm: Storm, ...entries: readonly [IncidentId, Waiting][]): Storm => ({
  ...storm,
  waiting: Object.fromEntries(entries),
  began: t(0),
  joined: entries.length,
});

describe('the brake', () => {
  it('lets single failures through, up to the limit, and writes each down', () => {
    const first = brake(calm, applicant(1), view());
    expect(first).toEqual({
      kind: 'admit',
      admitted: [expect.objectContaining({ incidentId: incident(1), at: t(0) })],
    });
    expect(brake(letThrough(1, 2), applicant(3), view()).kind).toBe('admit');
    expect(brake(letThrough(1, 2, 3), applicant(4), view()).kind).toBe('wait');
  });

  it('counts from when a person said yes, who was asked meanwhile; others do not go first', () => {
    const agreed = view({ now: t(700), agreedAt: t(690) });
    const crowded = withQueue(letThrough(1, 2, 3), waiting(4, 600));
    const decision = brake(crowded, applicant(1), agreed);
    expect(decision).toMatchObject({
      kind: 'admit',
      admitted: [{ at: t(0) }, { at: t(0) }, { incidentId: incident(1), at: t(700) }],
    });
    const renewed = { ...crowded, ...(decision.kind === 'admit' && decision) };
    expect(brake(renewed, applicant(1), agreed)).toEqual({ kind: 'passes' });
    expect(brake(letThrough(1), applicant(1), view({ now: t(700) }))).toEqual({ kind: 'passes' });
  });

  it('counts each zone by itself', () => {
    expect(brake(letThrough(1, 2, 3), applicant(4, { zone: 'us-east-1b' }), view()).kind).toBe(
      'admit',
    );
  });

  it('counts a window, and no longer', () => {
    const storm = letThrough(1, 2, 3);
    expect(brake(storm, applicant(4), view({ now: t(899) })).kind).toBe('wait');
    expect(brake(storm, applicant(4), view({ now: t(900) })).kind).toBe('admit');
  });

  it('takes the smaller limit, absolute or per cent, and always lets one through', () => {
    const limits = [0, 3, 4, 5, 8, 9, 1_000].map((agents) => limitIn(zone, view({ agents })));
    expect(limits).toEqual([1, 1, 1, 2, 2, 3, 3]);
  });

  it('lets one at a time through in a zone that traffic was shifted away from', () => {
    const shifted = view({ shiftedZones: [zone] });
    expect(brake(calm, applicant(1), shifted).kind).toBe('admit');
    expect(brake(letThrough(1), applicant(2), shifted).kind).toBe('wait');
    expect(brake(letThrough(1), applicant(2, { zone: 'us-east-1b' }), shifted).kind).toBe('admit');
  });

  it('asks an incident that was let through no second time, however many came after', () => {
    expect(brake(letThrough(1, 2, 3), applicant(2), view()).kind).toBe('passes');
  });

  it('takes no second place for a machine whose last incident has one', () => {
    const again = applicant(3, { incidentId: incidentIdOf(cluster, machine(3), 2) });
    const decision = brake(letThrough(1, 2, 3), again, view());
    if (decision.kind !== 'admit') throw new Error(decision.kind);
    expect(decision.admitted.map(({ instanceId }) => instanceId)).toEqual([1, 2, 3].map(machine));
  });

  it('lets nobody through while more keeps coming, though places are free again', () => {
    const storm = withQueue(letThrough(1, 2, 3), waiting(4, 700));
    expect(brake(storm, applicant(4), view({ now: t(950) })).kind).toBe('wait');
    expect(brake(storm, applicant(5), view({ now: t(950) })).kind).toBe('wait');
    expect(brake(storm, applicant(4), view({ now: t(1_000) })).kind).toBe('admit');
  });

  it('does not hold another zone for it', () => {
    const storm = withQueue(letThrough(1, 2, 3), waiting(4, 10));
    expect(brake(storm, applicant(5, { zone: 'us-east-1b' }), view({ now: t(20) })).kind).toBe(
      'admit',
    );
  });

  it('does not hold anybody for those whom Mesos has only lost sight of', () => {
    const storm = withQueue(calm, waiting(4, 10, { behind: 'blind' }));
    expect(brake(storm, applicant(5), view({ now: t(20) })).kind).toBe('admit');
  });

  it('lets the highest priority go first, then who has waited longest', () => {
    const storm = withQueue(
      letThrough(1, 2),
      waiting(3, 0, { priority: 1 }),
      waiting(4, 1, { priority: 9 }),
      waiting(5, 2, { priority: 1 }),
    );
    const now = t(400);
    expect(queueOf(storm).map(([id]) => id)).toEqual([4, 3, 5].map(incident));
    expect(brake(storm, applicant(3, { priority: 1 }), view({ now })).kind).toBe('wait');
    expect(brake(storm, applicant(5, { priority: 1 }), view({ now })).kind).toBe('wait');
    expect(brake(storm, applicant(4, { priority: 9 }), view({ now })).kind).toBe('admit');
    // Who comes later and matters more goes before them all, and who matters less behind them.
    expect(brake(storm, applicant(6, { priority: 10 }), view({ now })).kind).toBe('admit');
    expect(brake(storm, applicant(6), view({ now })).kind).toBe('wait');
  });

  it('says how many, where, of which group and why, and what to do', () => {
    const storm = withQueue(letThrough(1, 2, 3), waiting(4, 0, { group: 'other' }));
    const decision = brake(storm, applicant(5, { priority: 7 }), view());
    if (decision.kind !== 'wait') throw new Error(decision.kind);
    expect(decision.says).toContain(`storm in ${zone}: 3 agents`);
    expect(decision.says).toContain('(limit 3), 2 wait');
    expect(decision.says).toContain('group: workers 4, other 1');
    expect(decision.says).toContain('cause: Impaired system 5');
    expect(decision.says).toContain('Priority 7');
    expect(decision.says).toContain('acknowledge');
  });
});

describe('whose turn it is', () => {
  it('is nobody’s during the storm, and after it that of as many as there are places', () => {
    const entries = [3, 4, 5].map((n) => waiting(n, 0, { priority: n }));
    const storm = withQueue(letThrough(1), ...entries);
    expect(turnsOf(storm, view({ now: t(299) }))).toEqual([]);
    expect(turnsOf(storm, view({ now: t(300) }))).toEqual([incident(5), incident(4)]);
    expect(turnsOf(calm, view())).toEqual([]);
  });

  it('is given zone by zone', () => {
    const elsewhere = waiting(9, 290, { zone: 'us-east-1b' });
    const storm = withQueue(letThrough(1, 2), waiting(3), waiting(4), elsewhere);
    expect(turnsOf(storm, view({ now: t(300) }))).toEqual([incident(3)]);
  });

  it('is exactly that of those whom the brake would let through', () => {
    const priorities = fc.array(fc.integer({ min: -2, max: 2 }), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(priorities, fc.integer({ min: 0, max: 3 }), (all, taken) => {
        const entries = all.map((priority, i) => waiting(10 + i, i % 3, { priority }));
        const storm = withQueue(letThrough(...[1, 2, 3].slice(0, taken)), ...entries);
        const now = t(400);
        const may = entries.filter(([, { priority }], i) => {
          const decision = brake(storm, applicant(10 + i, { priority }), view({ now }));
          return decision.kind === 'admit';
        });
        expect([...turnsOf(storm, view({ now }))].sort()).toEqual(may.map(([id]) => id).sort());
      }),
    );
  });
});

describe('any order of failures', () => {
  it('never has more fenced in a zone within a window than the limit', () => {
    const arrivals = fc.array(fc.record({ n: fc.nat(20), afterS: fc.nat(120) }), { maxLength: 60 });
    fc.assert(
      fc.property(arrivals, fc.integer({ min: 1, max: 4 }), (all, stormLimit) => {
        let storm = calm;
        let now = 0;
        const fenced: { n: number; at: number }[] = [];
        for (const { n, afterS } of all) {
          now += afterS;
          const at = view({ now: t(now), policy: policyOf({ stormLimit }) });
          const decision = brake(storm, applicant(n), at);
          if (decision.kind === 'admit') {
            const { [incident(n)]: _, ...rest } = storm.waiting;
            storm = { ...storm, admitted: decision.admitted, waiting: rest };
            fenced.push({ n, at: now });
          } else if (decision.kind === 'wait' && storm.waiting[incident(n)] === undefined) {
            const [id, entry] = waiting(n, now);
            storm = { ...storm, waiting: { ...storm.waiting, [id]: entry } };
          }
          const recent = fenced.filter((one) => now - one.at < 900).map((one) => one.n);
          expect(new Set(recent).size).toBeLessThanOrEqual(stormLimit);
        }
      }),
    );
  });
});

it('counts by zone, group and cause', () => {
  const places = [applicant(1), applicant(2, { cause: 'Partitioned' })];
  const { group: _, ...alone } = applicant(3);
  expect(countsOf([...places, alone])).toEqual([
    `zone: ${zone} 3`,
    'group: workers 2, none 1',
    'cause: Impaired system 2, Partitioned 1',
  ]);
});
