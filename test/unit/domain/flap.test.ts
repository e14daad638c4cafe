import { describe, expect, it } from 'vitest';
import { type FlapView, whyFlapping } from '../../../src/domain/flap.ts';
import { incidentBefore, incidentIdOf } from '../../../src/domain/ids.ts';
import { cluster, ids, incidentOf, recordOf, t } from '../../support/build.ts';

const second = incidentIdOf(cluster, ids.failed, 2);
const moved = recordOf({
  state: 'owned',
  owner: ids.failed,
  from: ids.spare,
  incidentId: incidentIdOf(cluster, ids.spare, 1),
  releasedAt: t(0),
});
const recovered = incidentOf({ status: 'recovered', closedAt: t(0) });
const told = (change: Partial<FlapView>): string | undefined =>
  whyFlapping({
    now: t(599),
    blockPeriodMs: 600_000,
    incident: { id: second, instanceId: ids.failed },
    earlier: undefined,
    records: [],
    ...change,
  });

describe('a second failover within the block period', () => {
  it('is one of the same agent', () => {
    expect(told({ earlier: recovered })).toContain(`${ids.failed} was failed over 599 s ago`);
  });

  it('is one of an app that was brought here by a failover of another agent', () => {
    expect(told({ records: [moved] })).toContain('mysql was failed over to this agent 599 s ago');
  });

  it.each<[string, Partial<FlapView>]>([
    ['nothing happened before', {}],
    ['the period is over for the agent', { earlier: recovered, now: t(600) }],
    ['the period is over for the app', { records: [moved], now: t(600) }],
    ['the period is off', { earlier: recovered, records: [moved], blockPeriodMs: 0 }],
    [
      'the last incident was cancelled',
      { earlier: incidentOf({ status: 'cancelled', closedAt: t(0) }) },
    ],
    ['the volume was never failed over', { records: [recordOf({ state: 'owned', epoch: 0 })] }],
    ['it was failed over by this very incident', { records: [{ ...moved, incidentId: second }] }],
    ['the volume is on another agent by now', { records: [{ ...moved, owner: ids.spare }] }],
    ['the volume is claimed by now', { records: [{ ...moved, state: 'claimed' }] }],
  ])('is none when %s', (_, change) => {
    expect(told(change)).toBeUndefined();
  });
});

it('knows the incident before one', () => {
  expect(incidentBefore(second)).toBe(ids.incident);
  expect(incidentBefore(ids.incident)).toBeUndefined();
});
