import { describe, expect, it } from 'vitest';
import { actOn } from '../../../src/domain/act-on.ts';
import {
  type Announced,
  deadlineOf,
  foreseenIn,
  hookIn,
  noticesIn,
  recalled,
  withAnnounced,
} from '../../../src/domain/announced.ts';
import type { LaunchTime } from '../../../src/domain/ids.ts';
import type { Notice, Verdict, VerdictKind } from '../../../src/domain/incident.ts';
import { limits } from '../../../src/domain/policy.ts';
import { mayFence, orderIn } from '../../../src/domain/verdict.ts';
import { ids, signalOf, t } from '../../support/build.ts';

const reserveMs = 60_000;
const verdict = (kind: VerdictKind): Verdict => ({ kind, at: t(0), why: ['it'], whyNot: [] });
const confirmed = { kind: 'confirmed', says: 'EC2 says so' } as const;
const announced = (change: Partial<Announced> = {}): Announced => ({
  notice: { kind: 'retiring', action: 'stop' },
  confirmation: confirmed,
  deadline: t(600),
  ...change,
});
const judged = (kind: VerdictKind, change: Partial<Announced> = {}): Verdict =>
  withAnnounced(verdict(kind), announced(change), reserveMs);

describe('an announcement and the verdict on a machine that runs', () => {
  it.each([
    ['retiring', 'Retiring'],
    ['interrupted', 'Interrupted'],
    ['leaving', 'Leaving'],
  ] as const)('%s, seen by a read, is %s', (kind, is) => {
    const found = judged('Recovered', { notice: { kind, action: 'terminate' } });
    expect(found).toMatchObject({ kind: is, fenceFrom: t(540), whyNot: ['it'] });
  });

  it.each(['Down', 'Impaired', 'Ordered', 'Blind'] as const)('changes nothing of %s', (kind) => {
    expect(judged(kind)).toEqual(verdict(kind));
  });

  it.each([
    ['was called off', { confirmation: { kind: 'gone', says: 'nothing' } }],
    ['is a wish of a person', { notice: { kind: 'asked', action: 'maintenance' } }],
  ] as const)('changes nothing if it %s', (_, change) => {
    expect(judged('Recovered', change)).toEqual(verdict('Recovered'));
  });

  it('changes nothing where there is none', () => {
    expect(withAnnounced(verdict('Recovered'), undefined, reserveMs)).toEqual(verdict('Recovered'));
  });
});

describe('leave to fence what works', () => {
  const late = { deadline: t(60) };

  it('begins with the reserve before the time AWS names, and not sooner', () => {
    expect(mayFence(judged('Recovered', { deadline: t(61) }))).toBe(false);
    expect(mayFence(judged('Recovered', late))).toBe(true);
  });

  it.each([
    ['nobody has seen it by a read', { confirmation: { kind: 'unread', says: 'no answer' } }],
    ['AWS names no time', { deadline: undefined }],
    ['it is a reboot', { notice: { kind: 'retiring', action: 'reboot' } }],
    ['it is a maintenance', { notice: { kind: 'retiring', action: 'maintenance' } }],
    ['a person asked for the move', { notice: { kind: 'asked', action: 'stop' } }],
    ['it was called off', { confirmation: { kind: 'gone', says: 'nothing' } }],
  ] as const)('is not given if %s', (_, change) => {
    const { deadline, ...rest } = announced({ ...late, ...(change as Partial<Announced>) });
    const given = deadline === undefined ? rest : { ...rest, deadline };
    expect(mayFence(withAnnounced(verdict('Recovered'), given, reserveMs))).toBe(false);
  });

  it('leads to action, and without it only to a plan', () => {
    expect(actOn(judged('Recovered', late), 0)).toEqual({ kind: 'act' });
    expect(actOn(judged('Recovered'), 0)).toEqual({ kind: 'plan' });
  });

  it('is not given by a verdict that only carries such a time', () => {
    expect(mayFence({ ...verdict('Recovered'), fenceFrom: t(-1) })).toBe(false);
  });
});

describe('what the signals tell', () => {
  const of = (key: string, notice?: Notice) =>
    signalOf({ key, ...(notice === undefined ? {} : { notice }) });
  const hook = { group: 'agents', hook: 'first', token: 'x' };
  const retiring: Notice = { kind: 'retiring', action: 'stop', deadline: t(900) };
  const later: Notice = { kind: 'retiring', action: 'stop', deadline: t(1_800) };
  const leaving: Notice = { kind: 'leaving', action: 'terminate', hook };

  it('is the newest notice of each kind, the most urgent first', () => {
    const signals = [of('a', leaving), of('b', retiring), of('c'), of('d', later)];
    expect(noticesIn(signals)).toEqual([leaving, later]);
    expect(hookIn(signals)).toEqual(hook);
    expect(hookIn([of('b', retiring)])).toBeUndefined();
  });

  it('is no order where a person asks for a move', () => {
    const asked = signalOf({
      source: 'operator',
      says: 'ana asked for a drain',
      notice: { kind: 'asked', action: 'maintenance' },
    });
    expect(orderIn([asked])).toBeUndefined();
    expect(orderIn([asked, signalOf({ source: 'operator', says: 'now' })])).toBe('now');
  });

  it('ends when a read says, else when the notice says, and a hook after a while', () => {
    expect(deadlineOf(retiring, { ...confirmed, deadline: t(5) }, t(0))).toBe(t(5));
    expect(deadlineOf(retiring, confirmed, t(0))).toBe(t(900));
    expect(deadlineOf(leaving, confirmed, t(0))).toBe(t(0) + limits.leavingMs);
    expect(deadlineOf({ kind: 'asked', action: 'maintenance' }, confirmed, t(0))).toBeUndefined();
  });
});

describe('what is written down for a failover', () => {
  const leaving = announced({ notice: { kind: 'leaving', action: 'terminate' } });
  const foreseen = foreseenIn(leaving, ids.launched, t(1));
  const drain = { ...(foreseen && { foreseen }) };

  it('is what nothing takes back, if it was seen', () => {
    expect(foreseen).toMatchObject({ kind: 'leaving', at: t(1), deadline: t(600) });
    expect(foreseenIn(announced(), ids.launched, t(1))).toBeUndefined();
    const unread = { ...leaving, confirmation: { kind: 'unread', says: '' } } as const;
    expect(foreseenIn(unread, ids.launched, t(1))).toBeUndefined();
  });

  it('counts for the very start of the machine it was seen of, and for its own kind', () => {
    expect(recalled({ drain }, 'leaving', ids.launched)).toMatchObject({ kind: 'confirmed' });
    const again = '2027-01-01T00:00:00.000Z' as LaunchTime;
    expect(recalled({ drain }, 'leaving', again)).toMatchObject({ kind: 'unread' });
    expect(recalled({ drain }, 'interrupted', ids.launched)).toMatchObject({ kind: 'unread' });
    expect(recalled({}, 'leaving', ids.launched)).toMatchObject({ kind: 'unread' });
  });
});
