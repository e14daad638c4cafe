import { describe, expect, it } from 'vitest';
import { type Explored, explore } from './explore.ts';
import { type Rules, shipped } from './rules.ts';
import type { State } from './state.ts';

/**
 * The protocol of tokens, epochs and proofs, explored exhaustively: executions of one incident,
 * one volume, an old and a new instance, every interleaving, every crash (an execution that is
 * never thawed), with the decisions that ship.
 */
const calm: State['left'] = {
  executions: 1,
  duplicates: 0,
  starts: 0,
  stops: 0,
  recoveries: 0,
  staleReads: 0,
  restores: 0,
  deadlines: 0,
};

const told = ({ states, transitions, violation }: Explored): string =>
  [
    `${states} states, ${transitions} transitions`,
    ...(violation === undefined ? [] : [violation.law, ...violation.path]),
  ].join('\n  ');

/** What else happens beside two executions, and how many states that makes at least. */
const troubles: [string, Partial<State['left']>, number][] = [
  ['a restart by an operator and a stale read', { starts: 1, staleReads: 1 }, 40_000],
  ['a duplicate signal', { duplicates: 1 }, 20_000],
  ['a recovery, a stop and a deadline', { recoveries: 1, stops: 1, deadlines: 1 }, 20_000],
  ['a ledger restored after the incident', { restores: 1 }, 2_500],
];

describe('the protocol, explored exhaustively', () => {
  it.each(troubles)('keeps the law through %s', (title, trouble, floor) => {
    const explored = explore({ rules: shipped, left: { ...calm, ...trouble } });
    console.info(`${title}: ${told(explored)}`);
    expect(explored.violation).toBeUndefined();
    expect(explored.states).toBeGreaterThan(floor);
    expect(explored.recovered).toBeGreaterThan(0);
  });

  it('cannot tell a ledger restored in the middle of an incident from one that is behind', () => {
    // The mark is one ahead of the ledger both before and after the first use of an epoch.
    const left = { ...calm, restores: 1 };
    const { violation } = explore({ rules: shipped, left, restoresMidway: true });
    expect(violation?.law).toBe('S4: epoch 1 was claimed a second time');
  });
});

/** A rule broken on purpose, what it takes to show it, and the law that must be seen to break. */
const planted: [string, Partial<Rules>, Partial<State['left']>, RegExp][] = [
  ['one read is taken for a proof', { readsTwice: false }, { staleReads: 1 }, /^S2/],
  ['a claim is made without its condition', { claimsConditionally: false }, {}, /^S4/],
  [
    'an epoch is used again',
    {
      decideClaim: (current, incidentId, mark) => {
        const decision = shipped.decideClaim(current, incidentId, mark);
        return decision.kind === 'claim'
          ? { kind: 'claim', epoch: Math.max(1, decision.epoch - 1) }
          : decision;
      },
    },
    { executions: 1 },
    /^S4/,
  ],
  [
    'a mark far ahead of the ledger is not noticed',
    { decideClaim: (current, incidentId) => shipped.decideClaim(current, incidentId, 0) },
    { restores: 1 },
    /^S4/,
  ],
  ['a volume is released without a proof', { needsProof: false }, { stops: 1 }, /^S3/],
  ['a takeover leaves the token as it is', { raisesToken: false }, {}, /^S5/],
  ['a stale token is not noticed', { checksToken: false }, {}, /^S[45]/],
  ['nobody looks again before the Stop', { revalidates: false }, { recoveries: 1 }, /^S8/],
  ['DetachVolume names no instance', { namesInstance: false }, {}, /^S1/],
  [
    'the launch time of the proof is not compared',
    {
      nextReleaseStep: (view) =>
        shipped.nextReleaseStep({
          ...view,
          provenLaunchTime: view.instance?.launchTime ?? view.provenLaunchTime,
        }),
    },
    { starts: 1, stops: 1 },
    /^S10/,
  ],
  [
    'Mesos is told whatever became of the volume',
    { readyToHandOff: () => ({ kind: 'ready', appIds: [], heldAppIds: [] }) },
    { deadlines: 1 },
    /^S13/,
  ],
];

describe('a planted violation is found, by the shortest way', () => {
  it.each(planted)('%s', (title, broken, trouble, law) => {
    const rules = { ...shipped, ...broken };
    const explored = explore({ rules, left: { ...calm, ...trouble } });
    console.info(`${title}: ${told(explored)}`);
    expect(explored.violation?.law).toMatch(law);
    expect(explored.violation?.path.length).toBeGreaterThan(2);
  });
});
