import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { alertOf, stormAlertOf, subjectOf } from '../../../src/domain/alert.ts';
import type { IncidentId } from '../../../src/domain/ids.ts';
import type { HoldReason } from '../../../src/domain/incident.ts';
import { calm, type Storm, type Waiting } from '../../../src/domain/storm.ts';
import { factsOf, ids, incidentOf, t, zone } from '../../support/build.ts';

const alone = { isInStorm: false, told: [] };
const heldBy = (reason: HoldReason, looks = 0) =>
  incidentOf({
    status: 'held',
    facts: factsOf(),
    hold: { reason, says: 'It took Force.', since: t(0), looks, retryAt: t(60) },
  });

describe('an alert', () => {
  it('of a hold says why, what to do next and where, in plain text', () => {
    const alert = alertOf(heldBy('weak-fence'), 'held', alone);
    expect(alert?.kind).toBe('held:weak-fence');
    expect(alert?.subject).toBe(`[prod] ${ids.failed} is held: weak-fence`);
    const text = alert?.lines.join('\n');
    expect(text).toContain('It took Force.');
    expect(text).toContain('docs/runbook.md, section "weak-fence"');
    expect(text).toContain(`npx ebs-failover show '${ids.incident}'`);
    expect(text).not.toMatch(/[<>*_`]/);
  });

  it.each<HoldReason>(['maintenance', 'operator-hold', 'not-due', 'another-move', 'storm'])(
    'is not raised for %s, which nobody has to end',
    (reason) => {
      expect(alertOf(heldBy(reason, 1000), 'held', alone)).toBeUndefined();
    },
  );

  it.each<HoldReason>(['proof-void', 'orchestrator-unavailable', 'unknown-incarnation'])(
    'is raised for %s only when it does not pass',
    (reason) => {
      expect(alertOf(heldBy(reason, 4), 'held', alone)).toBeUndefined();
      expect(alertOf(heldBy(reason, 8), 'held', alone)?.kind).toBe(`held:${reason}`);
    },
  );

  it('is not raised for one of many that the digest of a storm tells of', () => {
    const inStorm = { isInStorm: true, told: [] };
    expect(alertOf(heldBy('blind'), 'held', inStorm)).toBeUndefined();
    expect(alertOf(heldBy('blind'), 'held', alone)?.kind).toBe('held:blind');
  });

  it('is raised for a recovery, and for a cancelled incident only if one was raised before', () => {
    expect(alertOf(incidentOf({ status: 'recovered' }), 'recovered', alone)?.kind).toBe(
      'recovered',
    );
    const cancelled = incidentOf({ status: 'cancelled' });
    expect(alertOf(cancelled, 'cancelled', alone)).toBeUndefined();
    const told = { isInStorm: false, told: ['alert held:blind'] };
    expect(alertOf(cancelled, 'cancelled', told)?.kind).toBe('cancelled');
  });

  it('is raised for an execution that failed, and not for one that works', () => {
    expect(alertOf(incidentOf(), 'failed', alone)?.kind).toBe('failed');
    expect(alertOf(incidentOf(), 'held', alone)).toBeUndefined();
  });
});

describe('the digest of a storm', () => {
  const one = (n: number): [IncidentId, Waiting] => [
    `${ids.incident}${n}` as IncidentId,
    { instanceId: ids.failed, zone, cause: 'impaired', behind: 'storm', priority: 0, since: t(n) },
  ];
  const stormOf = (count: number): Storm => ({
    ...calm,
    began: t(0),
    joined: count,
    waiting: Object.fromEntries(Array.from({ length: count }, (_, n) => one(n))),
  });

  it('is one for all that wait, however many', () => {
    const alert = stormAlertOf('prod', stormOf(300), []);
    expect(alert?.subject).toBe('[prod] storm: 300 agents wait');
    expect(alert?.lines.join('\n')).toContain('and 280 more');
  });

  it('ends with one more, if it was told', () => {
    expect(stormAlertOf('prod', stormOf(0), [])).toBeUndefined();
    expect(stormAlertOf('prod', stormOf(0), ['alert storm'])?.kind).toBe('storm-over');
  });
});

describe('a subject', () => {
  it('is what SNS takes, whatever it is made of', () => {
    const anything = fc.string({ unit: 'binary', maxLength: 300 });
    fc.assert(
      fc.property(anything, (text) => {
        expect(subjectOf(`[prod] ${text}`)).toMatch(/^[\x21-\x7e][\x20-\x7e]{0,98}$/);
      }),
    );
  });
});
