import { describe, expect, it } from 'vitest';
import type { AuditRecord, CallOutcome } from '../../../src/domain/incident.ts';
import { planOf, sayPlan, wouldBeAllowed } from '../../../src/domain/plan.ts';
import { factsOf, ids, incidentOf, t } from '../../support/build.ts';

const step = (call: string, outcome?: CallOutcome): AuditRecord => ({
  seq: 1,
  token: 1,
  actor: 'FenceAgent',
  intendedAt: t(0),
  call,
  target: ids.failed,
  parameters: {},
  ...(outcome === undefined ? {} : { outcome }),
});
const allowed: CallOutcome = { kind: 'refused', at: t(0), error: wouldBeAllowed };
const verdict = { kind: 'Ordered', at: t(0), why: ['ana asked'], whyNot: [] } as const;
const incident = incidentOf({ facts: factsOf(), verdict });

describe('a plan', () => {
  it('tells what EC2 would allow from what nobody can be asked, and from what fails', () => {
    const denied: CallOutcome = { kind: 'refused', at: t(0), error: 'not allowed' };
    const audit = [step('StopInstances', allowed), step('MARK_AGENT_GONE', allowed)];
    const plan = planOf(incident, [...audit, step('DetachVolume', denied), step('CreateTags')], []);
    expect(plan.calls.map((one) => one.allowed)).toEqual(['yes', 'not-asked', 'no', 'no']);
    expect(plan.calls[2]).toMatchObject({ says: 'not allowed' });
    expect(sayPlan(plan)).toContain('it would fail: DetachVolume, CreateTags is not allowed');
  });

  it('never sounds like a deed', () => {
    const plans = [
      planOf(incident, [step('StopInstances', allowed)], []),
      planOf(incident, [], []),
      planOf(incident, [], [{ reason: 'paused', says: 'ana paused it' }]),
    ];
    for (const plan of plans) {
      expect(sayPlan(plan)).toMatch(/^dry run of a failover of i-\w+, nothing was done: /);
      expect(sayPlan(plan)).not.toMatch(/fenced|recovered|moved /);
    }
  });

  it('says what holds it, and predicts nothing then', () => {
    const hold = { reason: 'blind', says: 'x', since: t(0), looks: 0, retryAt: t(5) } as const;
    const plan = planOf(
      { ...incident, status: 'held', hold },
      [step('StopInstances', allowed)],
      [],
    );
    expect(plan.holds).toEqual([{ reason: 'blind', says: 'x' }]);
    expect(plan).not.toHaveProperty('predictedSeconds');
  });

  it('can be made of what nobody has looked at yet', () => {
    const plan = planOf(incidentOf({}), [], []);
    expect(plan).toMatchObject({ agent: { instanceId: ids.failed, agentIds: [] }, volumes: [] });
    expect(sayPlan(plan)).toContain('nothing would be changed');
  });
});
