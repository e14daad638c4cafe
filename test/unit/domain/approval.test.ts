import { describe, expect, it } from 'vitest';
import { approvalStep } from '../../../src/domain/approval.ts';
import type { EpochMs } from '../../../src/domain/ids.ts';
import type { Approval, Facts, VerdictKind } from '../../../src/domain/incident.ts';
import { factsOf, ids, t } from '../../support/build.ts';

const policy = { verdicts: ['Impaired', 'Ordered'] as const, waitMs: 600_000 };
const verdictOf = (kind: VerdictKind) => ({ kind, at: t(0), why: ['it is odd'], whyNot: [] });
const step = (approval?: Approval, facts: Facts = factsOf(), now = t(1), kind?: VerdictKind) => {
  const incident = approval === undefined ? {} : { approval };
  return approvalStep(policy, incident, verdictOf(kind ?? 'Impaired'), facts, now);
};
const first = (): Approval => {
  const asked = step();
  if (asked.kind !== 'ask') throw new RangeError('nobody was asked');
  return asked.approval;
};
const answered = (status: 'approved' | 'denied'): Approval => ({
  ...first(),
  status,
  by: 'ana',
  reason: 'I looked',
  decidedAt: t(5),
});

describe('an approval', () => {
  it('is asked for once, with what is to be done, by the verdicts of the policy', () => {
    expect(step()).toMatchObject({
      kind: 'ask',
      waitMs: 600_000,
      approval: {
        id: 'a1',
        status: 'pending',
        launchTime: ids.launched,
        until: t(601),
        says: 'fence it and move mysql (Impaired: it is odd)',
      },
    });
    expect(step(undefined, factsOf(), t(1), 'Down')).toEqual({ kind: 'go' });
    expect(step(first())).toMatchObject({ kind: 'wait', waitMs: 600_000 });
  });

  it('given lets exactly this be done', () => {
    expect(step(answered('approved'))).toEqual({ kind: 'go' });
  });

  it.each<[string, Facts]>([
    ['another start of the machine', factsOf({ launchTime: ids.relaunched })],
    ['a volume less', factsOf({ volumes: [] })],
    ['an app less', factsOf({ apps: [] })],
  ])('is void for %s, whatever was answered, and asked again', (_, facts) => {
    for (const before of [first(), answered('approved'), answered('denied')]) {
      expect(step(before, facts)).toMatchObject({ kind: 'ask', approval: { id: 'a2' } });
    }
  });

  it('that is denied stops it, and says who and why', () => {
    expect(step(answered('denied'))).toEqual({
      kind: 'stop',
      says: 'ana has denied a1: I looked. Nothing is done; resume it to be asked again.',
    });
  });

  it('that nobody answers is no yes', () => {
    const { until } = first();
    expect(step(first(), factsOf(), (until - 1) as EpochMs)).toMatchObject({ kind: 'wait' });
    expect(step(first(), factsOf(), until)).toMatchObject({ kind: 'stop' });
    expect(step(answered('approved'), factsOf(), (until + 1) as EpochMs)).toEqual({ kind: 'go' });
  });
});
