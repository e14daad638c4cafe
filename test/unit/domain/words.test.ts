import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { executionNameOf, isInstanceId, isVolumeId } from '../../../src/domain/ids.ts';
import type { Incident } from '../../../src/domain/incident.ts';
import { messageOf } from '../../../src/domain/message.ts';
import { limits } from '../../../src/domain/policy.ts';
import { phaseTimes, summarise } from '../../../src/domain/summary.ts';
import { factsOf, fenceOf, ids, incidentOf, provenFence, rungOf, t } from '../../support/build.ts';

const verdict: Incident['verdict'] = {
  kind: 'Impaired',
  at: t(1),
  why: ['EC2 calls it impaired for 90 s'],
  whyNot: [],
};
const hold: NonNullable<Incident['hold']> = {
  reason: 'no-placement',
  says: 'no active agent in us-east-1a. Add one.',
  since: t(30),
  looks: 0,
  retryAt: t(35),
};
const recovery: Incident['recovery'] = {
  apps: [
    {
      id: '/mysql',
      fromHost: '10.0.0.7',
      toHost: '10.0.0.8',
      toInstanceId: ids.spare,
      taskId: 'mysql.2',
      healthy: true,
    },
  ],
  at: t(65.5),
};

describe('summarise', () => {
  it('says in one sentence what happened, what was done and how it stands', () => {
    const done = incidentOf({
      status: 'recovered',
      verdict,
      facts: factsOf(),
      fence: provenFence(),
      recovery,
    });
    expect(summarise(done)).toBe(
      `${ids.failed} (incident 1): Impaired; fenced (skip, strong), 1 volume moved, ` +
        '/mysql -> 10.0.0.8 in 65.5 s',
    );
  });

  it('says of a host that came back how it was kept from work, or that it was fenced for it', () => {
    const returned = { ...verdict, kind: 'Returned', why: ['it was fenced before'] } as const;
    const run = { launchTime: ids.relaunched, at: t(9), agentIds: [] };
    const kept = incidentOf({ status: 'recovered', verdict: returned, quarantine: run });
    expect(summarise(kept)).toBe(
      `${ids.failed} (incident 1): quarantined, not fenced: no agent of it is let in; ` +
        'it was fenced before',
    );
    const fenced = incidentOf({
      status: 'recovered',
      verdict: returned,
      fence: provenFence(),
      recovery: { ...recovery, apps: [] },
    });
    expect(summarise(fenced)).toBe(
      `${ids.failed} (incident 1): Returned; fenced (skip, strong), nothing of the cluster was on ` +
        'it: it was fenced before',
    );
  });

  it('says why nothing was done', () => {
    expect(summarise(incidentOf({ status: 'cancelled', verdict }))).toContain(
      'nothing to do: Impaired: EC2 calls it impaired for 90 s',
    );
  });

  it('says what a held incident waits for', () => {
    expect(summarise(incidentOf({ status: 'held', verdict, hold }))).toContain(
      'held (no-placement): no active agent',
    );
  });

  it('does not call an incident held that goes on', () => {
    const words = summarise(incidentOf({ status: 'open', verdict, hold }));
    expect(words).not.toContain('held');
    expect(messageOf(incidentOf({ status: 'open', verdict, hold })).lines.join()).not.toContain(
      'Held',
    );
  });

  it('admits that nothing was read yet', () => {
    expect(summarise(incidentOf())).toContain('no evidence read yet');
  });
});

describe('phaseTimes', () => {
  it('measures from the first signal to the first command, to the proof, to the service', () => {
    const incident = incidentOf({ fence: provenFence(), recovery });
    expect(phaseTimes(incident)).toEqual({ detectMs: 2_000, fenceMs: 18_000, totalMs: 65_500 });
  });

  it('leaves out what was not reached', () => {
    expect(phaseTimes(incidentOf())).toEqual({});
    expect(phaseTimes(incidentOf({ fence: fenceOf({ rungs: [rungOf('skip', 2)] }) }))).toEqual({
      detectMs: 2_000,
    });
  });
});

describe('messageOf', () => {
  it.each<[string, Partial<Incident>, string, string]>([
    ['looks', {}, 'assessing', 'working'],
    [
      'protects',
      { protection: { deactivatedAgentIds: [], autoScaling: { kind: 'none' } } },
      'protecting the data',
      'working',
    ],
    ['fences', { fence: fenceOf({ rungs: [rungOf('skip', 2)] }) }, 'fencing', 'working'],
    ['moves volumes', { fence: provenFence() }, 'moving the volumes', 'working'],
    ['is held', { status: 'held', hold }, 'held', 'waiting'],
    ['is done', { status: 'recovered', recovery }, 'recovered', 'good'],
    ['found nothing to do', { status: 'cancelled' }, 'cancelled', 'calm'],
  ])('tells people that it %s', (_, change, stage, mood) => {
    const message = messageOf(incidentOf(change));
    expect(message.title).toContain(stage);
    expect(message.mood).toBe(mood);
  });

  it('names the instance, its zone, the apps and the volumes in EC2’s own ids', () => {
    const { lines, title } = messageOf(incidentOf({ facts: factsOf(), verdict }));
    expect(title).toBe(`prod: ${ids.failed} in us-east-1a: assessing`);
    expect(lines).toContain('Apps: /mysql');
    expect(lines).toContain(`Volumes: mysql (${ids.data})`);
  });

  it('shows why, what spoke against it, and the proof', () => {
    const doubtful = { ...verdict, whyNot: ['an operator'] };
    const text = messageOf(incidentOf({ verdict: doubtful, fence: provenFence() })).lines.join(
      '\n',
    );
    expect(text).toContain('Why: EC2 calls it impaired for 90 s');
    expect(text).toContain('Against: an operator');
    expect(text).toContain('Fence: skip, strong; proof: stopped after');
  });
});

describe('limits', () => {
  it('climb in the order of the ladder', () => {
    expect(limits.foreignStopBudgetMs).toBeLessThan(limits.fenceStuckMs);
    expect(limits.skipStopBudgetMs).toBeLessThan(limits.fenceStuckMs);
    expect(limits.detachRepeatMs).toBeLessThan(limits.detachForceMs);
    expect(limits.detachForceMs).toBeLessThan(limits.detachStuckMs);
    // DC/OS gives up on a silent agent after 300 s, and some builds lose the update then.
    expect(limits.agentLossMs).toBeLessThan(300_000);
  });
});

describe('ids', () => {
  it('are EC2’s, short or long, and nothing else', () => {
    expect(['i-0123abcd', ids.failed].every(isInstanceId)).toBe(true);
    expect(
      ['i-0123ABCD', 'i-123', `${ids.failed}0`, ids.data, ' i-0123abcd'].some(isInstanceId),
    ).toBe(false);
    expect(['vol-0123abcd', ids.data].every(isVolumeId)).toBe(true);
    expect(['vol-0123', ids.failed, `${ids.data}\n`].some(isVolumeId)).toBe(false);
  });

  it('make execution names that Step Functions takes', () => {
    const count = fc.integer({ min: 1, max: 1_000_000_000 });
    fc.assert(
      fc.property(count, count, (n, token) => {
        expect(executionNameOf(ids.failed, n, token)).toMatch(/^[\w-]{1,80}$/);
      }),
    );
  });
});
