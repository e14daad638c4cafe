import { describe, expect, it } from 'vitest';
import type { Announced } from '../../../src/domain/announced.ts';
import {
  graceFor,
  isUnderWay,
  lookBy,
  type MoveView,
  needsTurn,
  nextMoveStep,
} from '../../../src/domain/drain.ts';
import type { VerdictKind } from '../../../src/domain/incident.ts';
import { limits } from '../../../src/domain/policy.ts';
import { t } from '../../support/build.ts';

const announced = (change: Partial<Announced> = {}): Announced => ({
  notice: { kind: 'retiring', action: 'stop' },
  confirmation: { kind: 'confirmed', says: 'EC2 says so' },
  deadline: t(3_600),
  ...change,
});
const view = (change: Partial<MoveView> = {}): MoveView => ({
  now: t(0),
  openedAt: t(0),
  verdict: { kind: 'Retiring', at: t(0), why: ['it'], whyNot: [] },
  announced: announced(),
  works: true,
  policy: { leadMs: 7_200_000, graceMs: 60_000 },
  ...change,
});
const judged = (kind: VerdictKind): MoveView['verdict'] => ({
  kind,
  at: t(0),
  why: ['it'],
  whyNot: [],
});
const watch = { kind: 'watch', waitMs: limits.announcedLookMs };
const long = { now: t(limits.watchMs / 1000) };
const spot = announced({ notice: { kind: 'interrupted', action: 'terminate' }, deadline: t(120) });

describe('a planned move', () => {
  it.each([
    ['works, and it is time', {}, { kind: 'move' }],
    ['has failed', { verdict: judged('Impaired') }, { kind: 'failover' }],
    ['is down', { verdict: judged('Down') }, { kind: 'failover' }],
    ['is ordered down', { verdict: judged('Ordered') }, { kind: 'failover' }],
    ['cannot be seen', { verdict: judged('Blind') }, { kind: 'hold', reason: 'blind' }],
    ['was never announced', { announced: undefined }, { kind: 'failover' }],
    [
      'has no time left',
      { verdict: { ...judged('Retiring'), fenceFrom: t(0) } },
      { kind: 'time-is-up' },
    ],
    [
      'is announced, and nobody can read it',
      { announced: announced({ confirmation: { kind: 'unread', says: '' } }) },
      watch,
    ],
    [
      'is announced, and it does not show yet',
      { announced: announced({ confirmation: { kind: 'gone', says: '' } }) },
      watch,
    ],
    [
      'is not announced any more',
      { ...long, announced: announced({ confirmation: { kind: 'gone', says: '' } }) },
      { kind: 'cancel' },
    ],
    ['does not answer', { works: false }, watch],
    [
      'does not answer for long',
      { ...long, works: false },
      { kind: 'hold', reason: 'cannot-drain' },
    ],
    [
      'has its window ahead',
      { announced: announced({ deadline: t(7_201) }) },
      { kind: 'hold', reason: 'not-due', until: t(1) },
    ],
    ['is scheduled without a time', { announced: noTime() }, { kind: 'move' }],
    ['is a Spot machine', { announced: spot }, { kind: 'move' }],
  ] as const)('of a machine that %s', (_, change, step) => {
    expect(nextMoveStep(view(change as Partial<MoveView>))).toMatchObject(step);
  });
});

function noTime(): Announced {
  const { deadline: _none, ...rest } = announced();
  return rest;
}

describe('the turn of a move', () => {
  it('is waited for by what is scheduled, until little time is left', () => {
    expect(needsTurn(announced(), t(0), 60_000)).toBe(true);
    expect(needsTurn(announced({ deadline: t(120) }), t(0), 60_000)).toBe(false);
    expect(needsTurn(noTime(), t(0), 60_000)).toBe(true);
  });

  it('is not waited for by what ends soon', () => {
    expect(needsTurn(spot, t(0), 60_000)).toBe(false);
    const leaving = announced({ notice: { kind: 'leaving', action: 'terminate' } });
    expect(needsTurn(leaving, t(0), 60_000)).toBe(false);
  });
});

describe('time', () => {
  const policy = { leadMs: 0, graceMs: 60_000 };

  it('for tasks to end never reaches into what a failover needs', () => {
    expect(graceFor(announced(), t(0), 60_000, policy)).toBe(60_000);
    expect(graceFor(spot, t(0), 90_000, policy)).toBe(30_000);
    expect(graceFor(spot, t(100), 90_000, policy)).toBe(0);
    expect(graceFor(undefined, t(0), 60_000, policy)).toBe(60_000);
  });

  it('of the next look at a held move is before a failover would be late', () => {
    expect(lookBy(spot, t(0), 60_000)).toBe(t(60));
    expect(lookBy(spot, t(90), 60_000)).toBe(t(90));
    expect(lookBy(noTime(), t(0), 60_000)).toBeUndefined();
  });
});

describe('the point of no return of a move', () => {
  it('is the first command', () => {
    expect(isUnderWay({})).toBe(false);
    expect(isUnderWay({ drain: { heartbeatAt: t(1) } })).toBe(false);
    expect(isUnderWay({ drain: { startedAt: t(1) } })).toBe(true);
  });
});
