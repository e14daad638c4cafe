import { describe, expect, it } from 'vitest';
import { emits, looseEnds } from '../support/alarms.ts';

describe('what code emits', () => {
  it('is what it names, and not what a comment does', () => {
    const of = (text: string) => [{ path: 'functions/x.ts', text: `x({ name: 'X' });\n${text}` }];
    expect(emits(of("metrics.count('Counted');"), 'X', 'Counted')).toBe(true);
    expect(emits(of("// metrics.count('Counted');"), 'X', 'Counted')).toBe(false);
    expect(emits(of("metrics.count('Counted');"), 'Y', 'Counted')).toBe(false);
  });

  it('has no loose ends in an expression', () => {
    const metric = { Namespace: 'n', MetricName: 'm', Dimensions: [] };
    const query = (Id: string) => ({ Id, MetricStat: { Metric: metric, Period: 60 } });
    const of = (Expression: string, ...ids: string[]) =>
      looseEnds({
        AlarmActions: [1],
        AlarmDescription: 'd',
        TreatMissingData: 'breaching',
        Metrics: [{ Id: 'sum', Expression }, ...ids.map(query)],
      });
    expect(of('FILL(a, 0) + FILL(b, 0)', 'a', 'b')).toEqual([]);
    expect(of('FILL(a, 0)', 'a', 'b')).toEqual(['b']);
    expect(of('FILL(a, 0) + c', 'a')).toEqual(['c']);
  });
});
