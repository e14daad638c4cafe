import { describe, expect, it } from 'vitest';
import {
  chainOf,
  downtimeOf,
  heldSpansOf,
  isSameStart,
  milestonesOf,
} from '../../../cli/report/findings.ts';
import { odditiesOf } from '../../../cli/report/oddities.ts';
import type { IncidentDocument } from '../../../src/contracts/incident-document.ts';
import { at, incidentOf } from '../documents.ts';
import { badDay, openedAt, wholeIncident } from './whole.ts';

const verdictOf = (kind: string): Partial<IncidentDocument> => ({
  verdict: { kind, at: openedAt + 700, why: [], whyNot: [] },
});
const without = (...names: (keyof IncidentDocument)[]): IncidentDocument =>
  Object.fromEntries(
    Object.entries(wholeIncident()).filter(([name]) => !(names as string[]).includes(name)),
  ) as IncidentDocument;

describe('downtime', () => {
  it('begins with the first sign of a failure, which may be older than the incident', () => {
    expect(downtimeOf(wholeIncident())).toEqual({
      from: openedAt - 2_000,
      since: 'the first sign of the failure',
      to: openedAt + 40_000,
      ms: 42_000,
    });
  });

  it.each(['Ordered', 'Retiring', 'Leaving', 'Interrupted'])(
    'of a machine that worked (%s) begins when its power is cut',
    (kind) => {
      const downtime = downtimeOf(wholeIncident(verdictOf(kind)));
      expect(downtime).toMatchObject({ from: openedAt + 1_000, ms: 39_000 });
    },
  );

  it('of a planned move begins when DC/OS is told', () => {
    const drain = { startedAt: openedAt + 2_400 };
    expect(downtimeOf(wholeIncident({ mode: 'drain', drain }))).toMatchObject({ ms: 37_600 });
  });

  it('goes on while nothing is seen back', () => {
    const open = without('recovery');
    expect(downtimeOf(open)).toMatchObject({ ms: at - (openedAt - 2_000) });
    expect(downtimeOf(open)).not.toHaveProperty('to');
  });

  it('is not claimed where nothing was taken down, or nothing was there', () => {
    expect(downtimeOf(incidentOf(verdictOf('Partitioned')))).toBeUndefined();
    expect(downtimeOf(wholeIncident({ recovery: { at, apps: [] } }))).toBeUndefined();
  });
});

describe('the chain of proof', () => {
  it('is whole on a good day', () => {
    expect(chainOf(wholeIncident()).map(({ isInOrder, says }) => [says, isInOrder])).toEqual([
      ['Last fencing command', true],
      ['First read: stopped', true],
      ['Second read: stopped', true],
      ['First volume released', true],
      ['Hand-off to Mesos and Marathon', true],
    ]);
    expect(odditiesOf(wholeIncident())).toEqual([]);
  });

  it.each<[string, Partial<IncidentDocument>, string]>([
    [
      'a read before the last command',
      {
        fence: {
          ...wholeIncident().fence,
          rungs: [{ method: 'force', launchTime: '', requestedAt: openedAt + 20_050 }],
        } as never,
      },
      'First read: stopped: before it was allowed',
    ],
    [
      'a release before the proof',
      {
        volumes: wholeIncident().volumes.map((one) => ({
          ...one,
          ...(one.now && { now: { ...one.now, releasedAt: openedAt + 20_050 } }),
        })),
      },
      'First volume released: before it was allowed',
    ],
    [
      'a hand-off before the proof',
      { handOff: { ...wholeIncident().handOff, startedAt: openedAt + 5_000 } as never },
      'Hand-off to Mesos and Marathon: before it was allowed',
    ],
    [
      'a proof of another start',
      { facts: { ...wholeIncident().facts, launchTime: '2026-11-22T20:30:00.000Z' } as never },
      'The proof is not of the start that was to be fenced',
    ],
  ])('shows %s, as the gravest of all', (_, change, says) => {
    const [first] = odditiesOf(wholeIncident(change));
    expect(first).toEqual({ isGrave: true, section: 'proof', says });
  });

  it('is not there without a proof', () => {
    expect(chainOf(incidentOf())).toEqual([]);
    expect(isSameStart(incidentOf())).toBe(true);
  });
});

it('milestones are in the order of time', () => {
  const told = milestonesOf(badDay());
  expect(told.map((one) => one.at)).toEqual(told.map((one) => one.at).sort((a, b) => a - b));
  expect(told[0]?.says).toBe('Incident opened');
  expect(milestonesOf(wholeIncident()).map(({ says }) => says)).toEqual([
    'Incident opened',
    'Verdict: Impaired',
    'First fencing command (skip)',
    'Power proven off',
    '1 of 1 volume free',
    'Mesos and Marathon told',
    'Apps seen back',
    'Closed: recovered',
  ]);
});

describe('what people held', () => {
  const order = (action: string, ms: number, outcome: 'done' | 'refused' = 'done') => ({
    at: openedAt + ms,
    action,
    by: 'ana',
    reason: 'x',
    parameters: {},
    outcome,
  });
  it.each([
    [[order('hold', 1), order('resume', 5)], [{ by: 'ana', from: openedAt + 1, to: openedAt + 5 }]],
    [[order('hold', 1), order('hold', 3)], [{ by: 'ana', from: openedAt + 1 }]],
    [[order('hold', 1, 'refused'), order('resume', 5)], []],
    [[order('resume', 5)], []],
  ])('%j', (orders, spans) => {
    expect(heldSpansOf(incidentOf({ orders }))).toEqual(spans);
  });

  it('ends with the incident at the latest', () => {
    const [span] = heldSpansOf(wholeIncident({ orders: [order('hold', 1)] }));
    expect(span?.to).toBe(openedAt + 40_200);
  });
});

it('on a bad day everything unusual is told, the grave first', () => {
  expect(odditiesOf(badDay()).map(({ isGrave, says }) => `${isGrave ? '!' : ' '} ${says}`)).toEqual(
    [
      '! mysql (vol-000000000000000d1) of /mysql is lost: two reads agree',
      '! The ledger has no record of log (vol-000000000000000d2)',
      '! No outcome of a call is on record, it may have been made: MARK_AGENT_GONE (3)',
      '  The fence is weak: EC2 was forced to stop it',
      '  The machine was started again 1 time and had to be fenced anew',
      '  One fencing command was not enough',
      '  Calls were refused: StopInstances (1)',
      '  The answer to a call was lost: DetachVolume (2)',
      '  Not seen healthy: /mysql',
      '  Held back at the hand-off: /web',
      '  Not all evidence spoke for the verdict',
      '  ana held it for 10.0 s',
      '  Waved through by people: flapping',
      '  3 executions worked on it, one after the other',
    ],
  );
});
