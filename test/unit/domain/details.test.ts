import { describe, expect, it } from 'vitest';
import { detailsOf, settledAs, taken, untold } from '../../../src/domain/details.ts';
import type { Story } from '../../../src/domain/timeline.ts';
import {
  detachOf,
  factsOf,
  ids,
  incidentOf,
  provenFence,
  readOf,
  recordOf,
  t,
} from '../../support/build.ts';

const verdict = { kind: 'Impaired', at: t(1), why: ['it hangs'], whyNot: [] } as const;
const storyOf = (change: Partial<Story> = {}): Story => ({
  incident: incidentOf({ verdict, facts: factsOf({ at: t(1) }) }),
  calls: [],
  orders: [],
  ownerships: [],
  at: t(100),
  ...change,
});
const linesOf = (story: Story) => detailsOf(story).map(({ line }) => line);
const keysOf = (story: Story) => detailsOf(story).map(({ key }) => key);

describe('the details of an incident', () => {
  it('are what was read, each call with its outcome, and how long each phase took', () => {
    const fence = provenFence({ proof: [readOf(19), readOf(20)] });
    const story = storyOf({
      incident: incidentOf({ verdict, facts: factsOf({ at: t(1) }), fence }),
      calls: [detachOf(21, { outcome: { kind: 'accepted', at: t(22), requestId: 'r-1' } })],
      ownerships: [recordOf({ state: 'released', releasedAt: t(23) })],
    });
    expect(linesOf(story)).toEqual([
      expect.stringMatching(/^\+0\.0 s opened: incident /),
      expect.stringMatching(/^\+0\.0 s signal: /),
      '+1.0 s verdict: Impaired: it hangs',
      '+1.0 s facts: 1 volume to move, 1 task on it',
      '+2.0 s phase: assess took 2.0 s',
      expect.stringMatching(/^\+19\.0 s proof: EC2 says stopped/),
      expect.stringMatching(/^\+20\.0 s proof: EC2 says stopped/),
      '+20.0 s phase: fence took 18.0 s',
      `+21.0 s call: ReleaseVolume: DetachVolume ${ids.data}: accepted, request r-1`,
      expect.stringMatching(/^\+23\.0 s release: mysql/),
      '+23.0 s phase: release took 3.0 s',
    ]);
    expect(new Set(keysOf(story)).size).toBe(keysOf(story).length);
  });

  it('leave a call out until its outcome is known, or nobody will write one', () => {
    const { outcome: _lost, ...call } = detachOf(21);
    const calls = [call];
    expect(linesOf(storyOf({ calls })).join()).not.toContain('DetachVolume');
    const over = incidentOf({ status: 'cancelled', closedAt: t(30) });
    expect(linesOf(storyOf({ calls, incident: over })).join()).toContain(
      'DetachVolume vol-000000000000000d1: no outcome is on record',
    );
  });

  it('are the same when the same is read again, by whichever execution', () => {
    const looked = (why: string) =>
      storyOf({
        incident: incidentOf({
          token: 2,
          verdict: { ...verdict, at: t(5), why: [why] },
          facts: factsOf({ at: t(5) }),
        }),
      });
    const first = keysOf(
      storyOf({
        incident: incidentOf({
          verdict: { ...verdict, why: ['for 90 s'] },
          facts: factsOf({ at: t(1) }),
        }),
      }),
    );
    expect(keysOf(looked('for 95 s'))).toEqual(first);
    const other = keysOf(looked('EC2 says stopped')).filter((key) => !first.includes(key));
    expect(other).toEqual([expect.stringMatching(/^verdict:/)]);
  });
});

describe('what the thread says already', () => {
  it('is told by whoever takes it, for as long as that one may live', () => {
    const told = taken({}, ['a', 'b'], t(0));
    expect(untold(told, ['a', 'b', 'c'], t(59))).toEqual(['c']);
    expect(untold(told, ['a', 'b'], t(61))).toEqual(['a', 'b']);
  });

  it('stays told, and what could not be told is anybody’s again', () => {
    const told = settledAs(settledAs(taken({}, ['a', 'b'], t(0)), ['a'], 'told'), ['b'], 'untold');
    expect(untold(told, ['a', 'b'], t(1))).toEqual(['b']);
    expect(untold(told, ['a'], t(10_000))).toEqual([]);
  });
});
