import { describe, expect, it } from 'vitest';
import { phasesOf, type Story, timelineOf } from '../../../src/domain/timeline.ts';
import {
  detachOf,
  factsOf,
  ids,
  incidentOf,
  provenFence,
  readOf,
  recordOf,
  rungOf,
  t,
} from '../../support/build.ts';

const storyOf = (change: Partial<Story> = {}): Story => ({
  incident: incidentOf(),
  calls: [],
  orders: [],
  ownerships: [],
  at: t(100),
  ...change,
});

/** Stopped at 2 s, proven at 20 s, free at 23 s, handed off at 25 s, back at 40 s. */
const recovered = storyOf({
  incident: incidentOf({
    status: 'recovered',
    verdict: { kind: 'Impaired', at: t(1), why: ['it hangs'], whyNot: [] },
    facts: factsOf({ at: t(1) }),
    fence: provenFence({ proof: [readOf(19), readOf(20)] }),
    handOff: {
      startedAt: t(24),
      completedAt: t(25),
      agentIds: [ids.agent],
      method: 'mark-gone',
      appIds: ['/mysql'],
      heldAppIds: [],
    },
    recovery: {
      at: t(40),
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
    },
    closedAt: t(41),
  }),
  calls: [detachOf(21, { outcome: { kind: 'accepted', at: t(22), requestId: 'r-1' } })],
  ownerships: [recordOf({ state: 'owned', owner: ids.spare, releasedAt: t(23) })],
});
const over = { ...recovered.incident };

describe('phases', () => {
  it('of a failover follow each other to the end', () => {
    expect(phasesOf(recovered)).toEqual([
      { phase: 'assess', from: t(0), to: t(2), tookMs: 2_000 },
      { phase: 'fence', from: t(2), to: t(20), tookMs: 18_000 },
      { phase: 'release', from: t(20), to: t(23), tookMs: 3_000 },
      { phase: 'hand-off', from: t(24), to: t(25), tookMs: 1_000 },
      { phase: 'verify', from: t(25), to: t(40), tookMs: 15_000 },
    ]);
  });

  it('go on until now where nothing has ended them', () => {
    expect(phasesOf(storyOf())).toEqual([{ phase: 'assess', from: t(0), tookMs: 100_000 }]);
    const { recovery: _, closedAt: __, ...rest } = over;
    const working = { ...recovered, incident: { ...rest, status: 'open' as const } };
    expect(phasesOf(working).at(-1)).toEqual({ phase: 'verify', from: t(25), tookMs: 75_000 });
  });

  it('end with the incident at the latest', () => {
    const cancelled = incidentOf({ status: 'cancelled', closedAt: t(9) });
    expect(phasesOf(storyOf({ incident: cancelled }))).toEqual([
      { phase: 'assess', from: t(0), to: t(9), tookMs: 9_000 },
    ]);
  });

  it('do not call a release over while one volume is not free', () => {
    const held = { ...recovered, ownerships: [recordOf({ state: 'held' })] };
    const { closedAt: _, recovery: __, handOff: ___, ...rest } = over;
    const story = { ...held, incident: { ...rest, status: 'held' as const } };
    expect(phasesOf(story).at(-1)).toEqual({ phase: 'release', from: t(20), tookMs: 80_000 });
  });

  it('have no release where there was nothing to release', () => {
    const incident = { ...over, facts: factsOf({ volumes: [] }) };
    const names = phasesOf({ ...recovered, incident }).map(({ phase }) => phase);
    expect(names).toEqual(['assess', 'fence', 'hand-off', 'verify']);
  });

  it('of a planned move that turns into a failover end the drain with the first command', () => {
    const incident = incidentOf({
      mode: 'drain',
      drain: { startedAt: t(3) },
      fence: { since: t(8), rungs: [rungOf('skip', 9)], voided: [] },
    });
    expect(phasesOf(storyOf({ incident })).slice(0, 2)).toEqual([
      { phase: 'assess', from: t(0), to: t(3), tookMs: 3_000 },
      { phase: 'drain', from: t(3), to: t(9), tookMs: 6_000 },
    ]);
  });
});

describe('the timeline', () => {
  it('tells everything on record in the order of time', () => {
    const told = timelineOf(recovered).map(({ afterMs, kind, says }) => [afterMs, kind, says]);
    expect(told).toEqual([
      [0, 'opened', `incident ${ids.incident} is opened`],
      [0, 'signal', 'ec2-state: EC2 says stopped'],
      [1_000, 'verdict', 'Impaired: it hangs'],
      [1_000, 'facts', '1 volume to move, 1 task on it'],
      [19_000, 'proof', `EC2 says stopped, of the start at ${ids.launched}`],
      [20_000, 'proof', `EC2 says stopped, of the start at ${ids.launched}`],
      [21_000, 'call', `ReleaseVolume: DetachVolume ${ids.data}: accepted, request r-1`],
      [23_000, 'release', `mysql (${ids.data}) is free under epoch 1`],
      [24_000, 'hand-off', 'hand-off begins (mark-gone)'],
      [25_000, 'hand-off', 'handed off: /mysql'],
      [40_000, 'recovery', '/mysql runs on 10.0.0.8'],
      [41_000, 'closed', 'closed: recovered'],
    ]);
  });

  it.each([
    [undefined, 'no outcome is on record'],
    [{ kind: 'refused', at: t(22), error: 'IncorrectState' } as const, 'refused: IncorrectState'],
    [{ kind: 'unknown', at: t(22), error: 'ETIMEDOUT' } as const, 'its answer was lost: ETIMEDOUT'],
    [{ kind: 'accepted', at: t(22) } as const, 'accepted'],
  ])('says of a call what became of it: %j', (outcome, words) => {
    const { outcome: _, ...call } = detachOf(21);
    const calls = [outcome === undefined ? call : { ...call, outcome }];
    const told = timelineOf(storyOf({ calls })).find(({ kind }) => kind === 'call');
    expect(told?.says).toBe(`ReleaseVolume: DetachVolume ${ids.data}: ${words}`);
  });

  it.each([
    [undefined, 'ana: hold (look first): no outcome is on record'],
    [{ kind: 'done', says: 'held' } as const, 'ana: hold (look first): held'],
    [
      { kind: 'refused', says: 'it is over' } as const,
      'ana: hold (look first): refused: it is over',
    ],
  ])('tells what a person asked for, and what became of it: %j', (outcome, words) => {
    const order = {
      at: t(3),
      action: 'hold',
      by: 'ana',
      reason: 'look first',
      parameters: {},
    } as const;
    const orders = [outcome === undefined ? order : { ...order, outcome }];
    const told = timelineOf(storyOf({ orders })).find(({ kind }) => kind === 'order');
    expect(told).toEqual({ at: t(3), afterMs: 3_000, kind: 'order', says: words });
  });

  it('leaves out what another incident has released', () => {
    const other = recordOf({ incidentId: `${ids.incident}0` as typeof ids.incident });
    const ownerships = [{ ...other, releasedAt: t(5) }];
    expect(timelineOf(storyOf({ ownerships })).map(({ kind }) => kind)).not.toContain('release');
  });

  it('says why it is held, and that a host came back', () => {
    const incident = incidentOf({
      status: 'held',
      hold: { reason: 'blind', says: 'no masters', since: t(4), looks: 0, retryAt: t(9) },
      quarantine: { launchTime: ids.relaunched, at: t(3), agentIds: [] },
    });
    const told = timelineOf(storyOf({ incident })).map(({ says }) => says);
    expect(told).toContain('held (blind): no masters');
    expect(told).toContain('the host came back and is given no work');
  });
});
