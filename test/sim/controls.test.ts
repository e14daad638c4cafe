import { describe, expect, it } from 'vitest';
import { compare, table } from '../../emulator/sim/controls/compare.ts';
import { type GroundRule, groundRules } from '../../emulator/sim/controls/ground-rules.ts';
import { playControl } from '../../emulator/sim/controls/play.ts';
import { type SystemName, systemNames } from '../../emulator/sim/controls/systems.ts';
import { type Plan, planFor } from '../../emulator/sim/plan.ts';
import { plainTraits } from '../../emulator/sim/stage.ts';

/** Two worlds in which the peers do wrong, each with what every system breaks in it. */
const forged: Plan = {
  ...planFor({ seed: 4, scene: 'hung', faults: ['SE-01'] }),
  traits: { ...plainTraits, neighbourStopsS: 30 },
};
const replaced: Plan = {
  ...planFor({ seed: 2, scene: 'hung', faults: [] }),
  traits: { ...plainTraits, group: true, deleteOnTermination: true },
};
const witnessed: [SystemName, GroundRule[], GroundRule[]][] = [
  ['naive', ['S1', 'S3', 'S6', 'S8'], ['S7']],
  ['fence-then-script', ['S6', 'S8'], ['S7']],
  ['rexray-preempt', ['S1', 'S3'], ['S1', 'S3']],
  ['stock', [], []],
  ['ebs-failover', [], []],
];

describe.each(witnessed)('%s', (system, inForged, inReplaced) => {
  it(`breaks ${inForged.join(', ') || 'nothing'} when a forged event names what is well and a neighbour stops`, async () => {
    const { broken, promises } = await playControl(forged, system);
    expect(Object.keys(broken).sort()).toEqual(inForged);
    expect(promises).toEqual([]);
  });

  it(`breaks ${inReplaced.join(', ') || 'nothing'} in a group that replaces stopped machines`, async () => {
    const { broken, lostRows, promises } = await playControl(replaced, system);
    expect(Object.keys(broken).sort()).toEqual(inReplaced);
    expect(lostRows > 0).toBe(inReplaced.includes('S7'));
    expect(promises).toEqual([]);
  });
});

it('has a witness for every rule, so that none of them is blind', () => {
  const seen = new Set(witnessed.flatMap(([, a, b]) => [...a, ...b]));
  expect([...seen].sort()).toEqual(Object.keys(groundRules));
});

describe('a peer stands where the service would', () => {
  it.each(['EV-01', 'EC-01', 'EC-04', 'LM-T', 'OP-02'])('%s strikes it too', async (id) => {
    const plan = planFor({ seed: 6, scene: 'hung', faults: [id] });
    expect((await playControl(plan, 'naive')).struck).toEqual([id]);
  });

  it('plays a world the same way twice', async () => {
    const twice = [await playControl(forged, 'naive'), await playControl(forged, 'naive')];
    expect(twice[0]).toEqual(twice[1]);
  });
});

const SEEDS = 12;

describe(`${SEEDS} random worlds, by each system`, async () => {
  const rows = await compare({ from: 1, to: SEEDS });
  const rowOf = (name: SystemName) => rows.find(({ system }) => system === name);

  it('end with violations of the naive function and none of ebs-failover', () => {
    const { S1 = 0, S3 = 0 } = rowOf('naive')?.violations ?? {};
    expect(S1 + S3).toBeGreaterThan(0);
    expect(rowOf('ebs-failover')).toMatchObject({
      seeds: SEEDS,
      violations: { S1: 0, S3: 0, S6: 0, S7: 0, S8: 0 },
      lostRows: 0,
      promises: [],
    });
  });

  it('end with the app back soonest with ebs-failover of all that let the old owner finish', () => {
    // Who tears a volume from a machine that still writes need not wait for anything.
    const patient = systemNames.filter((name) => rowOf(name)?.violations.S3 === 0);
    const downtimes = patient.map((name) => rowOf(name)?.downtimeMs?.p50 ?? 0);
    expect(patient).toContain('ebs-failover');
    expect(patient.length).toBeGreaterThan(1);
    expect(rowOf('ebs-failover')?.downtimeMs?.p50).toBe(Math.min(...downtimes));
    expect(rowOf('stock')?.downAtEnd).toBeGreaterThan(500);
  });

  it('are told in a table, one line a system', () => {
    for (const name of systemNames) {
      expect(table(rows)).toMatch(new RegExp(`^${name} +${SEEDS} `, 'm'));
    }
  });
});
