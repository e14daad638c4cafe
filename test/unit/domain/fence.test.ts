import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type FenceStep,
  type FenceView,
  isCommitted,
  isProof,
  methodOf,
  nextFenceStep,
  proofFloor,
  rungsOn,
  strengthOf,
} from '../../../src/domain/fence.ts';
import type { EpochMs } from '../../../src/domain/ids.ts';
import type { Fence, Rung } from '../../../src/domain/incident.ts';
import type { InstanceState } from '../../../src/domain/machine.ts';
import { limits } from '../../../src/domain/policy.ts';
import {
  fenceOf,
  ids,
  instanceOf,
  lostRung,
  policyOf,
  readOf,
  rungOf,
  t,
} from '../../support/build.ts';

interface Moment {
  readonly state?: InstanceState;
  readonly at?: number;
  readonly rungs?: readonly Rung[];
  readonly launchTime?: FenceView['instance']['launchTime'];
  readonly policy?: FenceView['policy'];
}

const stepAt = ({ at = 10, rungs = [], state = 'running', ...rest }: Moment): FenceStep =>
  nextFenceStep({
    now: t(at),
    readAt: t(at),
    instance: instanceOf({ state, launchTime: rest.launchTime ?? ids.launched }),
    fence: fenceOf({ rungs }),
    policy: rest.policy ?? policyOf(),
  });

/** The step in one word: what a reader of the table wants to see. */
const word = (step: FenceStep): string => {
  if (step.kind === 'command') return step.method;
  return step.kind === 'hold' ? `hold: ${step.reason}` : step.kind;
};
const mayTerminate = policyOf({ fenceTerminate: 'when-stop-impossible' });

describe('the ladder', () => {
  it.each<[string, Moment, string]>([
    ['cuts the power of a running instance first', {}, 'skip'],
    ['cuts the power of one that is being started', { state: 'pending' }, 'skip'],
    ['waits for what it commanded', { rungs: [rungOf('skip', 2)], at: 60 }, 'look'],
    [
      'does not add Force while the stop has its time',
      { state: 'stopping', rungs: [rungOf('skip', 2)], at: 91 },
      'look',
    ],
    [
      'adds Force when the stop has had its time',
      { state: 'stopping', rungs: [rungOf('skip', 2)], at: 92 },
      'force-skip',
    ],
    [
      'adds Force once',
      { state: 'stopping', rungs: [rungOf('skip', 2), rungOf('force-skip', 92)], at: 400 },
      'look',
    ],
    [
      'pages after ten minutes of stopping',
      { state: 'stopping', rungs: [rungOf('skip', 2), rungOf('force-skip', 92)], at: 602 },
      'hold: fence-stuck',
    ],
    ['leaves a stop that somebody else began its time', { state: 'stopping', at: 59 }, 'look'],
    ['cuts power when that stop has had its time', { state: 'stopping', at: 60 }, 'skip'],
    [
      'lets Xen shut down with Force instead of skip',
      { rungs: [rungOf('skip', 2, { refused: 'skip-unsupported' })] },
      'force',
    ],
    [
      'waits for Xen',
      { rungs: [rungOf('skip', 2, { refused: 'skip-unsupported' }), rungOf('force', 3)], at: 602 },
      'look',
    ],
    [
      'pages about Xen too',
      { rungs: [rungOf('skip', 2, { refused: 'skip-unsupported' }), rungOf('force', 3)], at: 603 },
      'hold: fence-stuck',
    ],
    [
      'never takes stop protection off by itself',
      { rungs: [rungOf('skip', 2, { refused: 'protected' })], policy: mayTerminate },
      'hold: protected-from-stop',
    ],
    [
      'tries again when a person may have taken the protection off',
      { rungs: [rungOf('skip', 2, { refused: 'protected' })], at: 302 },
      'skip',
    ],
    [
      'does not terminate what cannot be stopped unless policy says so',
      { rungs: [rungOf('skip', 2, { refused: 'stop-unsupported' })] },
      'hold: cannot-be-stopped',
    ],
    [
      'terminates what cannot be stopped where policy says so',
      { rungs: [rungOf('skip', 2, { refused: 'stop-unsupported' })], policy: mayTerminate },
      'terminate',
    ],
    [
      'terminates a Xen spot instance with Force alone',
      {
        rungs: [
          rungOf('skip', 2, { refused: 'stop-unsupported' }),
          rungOf('terminate', 3, { refused: 'skip-unsupported' }),
        ],
        policy: mayTerminate,
      },
      'terminate-force',
    ],
    [
      'terminates it with Force once',
      {
        rungs: [
          rungOf('skip', 2, { refused: 'stop-unsupported' }),
          rungOf('terminate', 3, { refused: 'skip-unsupported' }),
          rungOf('terminate-force', 4),
        ],
        policy: mayTerminate,
        at: 603,
      },
      'look',
    ],
    [
      'never takes termination protection off by itself',
      {
        rungs: [
          rungOf('skip', 2, { refused: 'stop-unsupported' }),
          rungOf('terminate', 3, { refused: 'protected' }),
        ],
        policy: mayTerminate,
      },
      'hold: protected-from-stop',
    ],
    [
      'terminates once, then waits',
      {
        rungs: [rungOf('skip', 2, { refused: 'stop-unsupported' }), rungOf('terminate', 3)],
        policy: mayTerminate,
        at: 602,
      },
      'look',
    ],
    [
      'pages about a termination that does nothing',
      {
        rungs: [rungOf('skip', 2, { refused: 'stop-unsupported' }), rungOf('terminate', 3)],
        policy: mayTerminate,
        at: 603,
      },
      'hold: fence-stuck',
    ],
    ['does not stop what is being terminated', { state: 'shutting-down', at: 599 }, 'look'],
    [
      'pages about a termination that hangs, where policy forbids the rest',
      { state: 'shutting-down', at: 600 },
      'hold: fence-stuck',
    ],
    [
      'forces a termination that hangs, where policy allows it',
      { state: 'shutting-down', at: 600, policy: mayTerminate },
      'terminate-force',
    ],
    [
      'forces it once',
      {
        state: 'shutting-down',
        at: 700,
        rungs: [rungOf('terminate-force', 600)],
        policy: mayTerminate,
      },
      'hold: fence-stuck',
    ],
  ])('%s', (_, moment, expected) => {
    expect(word(stepAt(moment))).toBe(expected);
  });

  it('gives a command to the incarnation it has just read', () => {
    expect(stepAt({})).toEqual({ kind: 'command', method: 'skip', launchTime: ids.launched });
  });

  it('starts anew on a new incarnation, whatever the old one was told', () => {
    const rungs = [rungOf('skip', 2), rungOf('force-skip', 92)];
    expect(stepAt({ at: 100, rungs, launchTime: ids.relaunched })).toEqual({
      kind: 'command',
      method: 'skip',
      launchTime: ids.relaunched,
    });
  });

  it('says which protection is on, so that the right one is taken off', () => {
    const stop = stepAt({ rungs: [rungOf('skip', 2, { refused: 'protected' })] });
    expect(stop).toMatchObject({ says: expect.stringContaining('Stop protection') });
    const rungs = [
      rungOf('skip', 2, { refused: 'stop-unsupported' }),
      rungOf('terminate', 3, { refused: 'protected' }),
    ];
    expect(stepAt({ rungs, policy: mayTerminate })).toMatchObject({
      says: expect.stringContaining('Termination protection'),
    });
  });
});

describe('lost answers and refusals that pass', () => {
  it('gives a command again whose answer was lost while the instance runs', () => {
    expect(word(stepAt({ rungs: [lostRung('skip', 2)], at: 12 }))).toBe('skip');
    const rungs = [rungOf('skip', 2, { refused: 'skip-unsupported' }), lostRung('force', 3)];
    expect(word(stepAt({ rungs, at: 13 }))).toBe('force');
  });

  it('gives what was lost ten seconds to arrive before it is sent again', () => {
    expect(word(stepAt({ rungs: [lostRung('skip', 2)], at: 11.9 }))).toBe('look');
    const rungs = [rungOf('skip', 2, { refused: 'stop-unsupported' }), lostRung('terminate', 3)];
    expect(word(stepAt({ rungs, policy: mayTerminate, at: 12.9 }))).toBe('look');
  });

  it('gives a lost termination again', () => {
    const rungs = [rungOf('skip', 2, { refused: 'stop-unsupported' }), lostRung('terminate', 3)];
    expect(word(stepAt({ rungs, policy: mayTerminate, at: 13 }))).toBe('terminate');
  });

  it('does not repeat a command whose answer was lost while it visibly works', () => {
    expect(word(stepAt({ state: 'stopping', rungs: [lostRung('skip', 2)], at: 91 }))).toBe('look');
  });

  it.each(['wrong-state', 'not-found'])(
    'does not climb to Force because EC2 answered %s: that rung did nothing',
    (refused) => {
      const rungs = [rungOf('skip', 2, { refused })];
      expect(word(stepAt({ rungs, at: 11 }))).toBe('look');
      expect(word(stepAt({ rungs, at: 12 }))).toBe('skip');
      expect(word(stepAt({ rungs: [rungOf('skip', 200, { refused })], at: 300 }))).toBe('skip');
    },
  );

  it('pages while no answer comes for ten minutes, and keeps trying', () => {
    const rungs = [lostRung('skip', 600)];
    expect(word(stepAt({ rungs, at: 609 }))).toBe('hold: fence-stuck');
    expect(word(stepAt({ rungs, at: 610 }))).toBe('skip');
  });

  it('pages while EC2 refuses for ten minutes, and keeps trying', () => {
    const rungs = [rungOf('skip', 600, { refused: 'wrong-state' })];
    expect(word(stepAt({ rungs, at: 609 }))).toBe('hold: fence-stuck');
    expect(word(stepAt({ rungs, at: 610 }))).toBe('skip');
  });

  it('asks again, before it adds Force, where the answer was lost', () => {
    const at = (seconds: number, asked: number) =>
      word(stepAt({ state: 'stopping', rungs: [lostRung('skip', asked)], at: seconds }));
    expect(at(91, 2)).toBe('look');
    expect(at(92, 2)).toBe('skip');
    expect(at(181, 92)).toBe('look');
    expect(at(182, 92)).toBe('skip');
    expect(at(272, 182)).toBe('force-skip');
  });

  it('asks again, before it adds Force, where it was refused while stopping', () => {
    const at = (seconds: number, asked: number) => {
      const rungs = [rungOf('skip', asked, { refused: 'wrong-state' })];
      return word(stepAt({ state: 'stopping', rungs, at: seconds }));
    };
    expect(at(149, 60)).toBe('look');
    expect(at(150, 60)).toBe('skip');
    expect(at(239, 150)).toBe('look');
    expect(at(240, 150)).toBe('skip');
    expect(at(330, 240)).toBe('force-skip');
  });
});

describe('what counts as down', () => {
  it.each(['stopped', 'terminated'] as const)('is EC2’s own %s', (state) => {
    expect(stepAt({ state })).toEqual({ kind: 'down', read: readOf(10, { state }) });
  });

  it('is a read issued after the last command was accepted, not one in the same moment', () => {
    const rungs = [rungOf('skip', 2, { acceptedAt: t(5) })];
    expect(stepAt({ state: 'stopped', rungs, at: 4 }).kind).toBe('look');
    expect(stepAt({ state: 'stopped', rungs, at: 5 }).kind).toBe('look');
    expect(stepAt({ state: 'stopped', rungs, at: 5.001 }).kind).toBe('down');
  });

  it('is the read that found it down, where nobody had to command anything', () => {
    expect(stepAt({ state: 'stopped', at: 0 }).kind).toBe('down');
  });

  it('is no read older than the look at it', () => {
    expect(stepAt({ state: 'stopped', at: -1 }).kind).toBe('look');
  });

  it('does not wait for a command that EC2 refused', () => {
    const rungs = [rungOf('skip', 2), rungOf('force-skip', 92, { refused: 'wrong-state' })];
    expect(proofFloor(fenceOf({ rungs }), ids.launched)).toBe(t(3));
    expect(stepAt({ state: 'stopped', rungs, at: 92 }).kind).toBe('down');
  });

  it('counts from the request where the answer was lost', () => {
    expect(proofFloor(fenceOf({ rungs: [lostRung('skip', 2)] }), ids.launched)).toBe(t(2));
  });

  it('is never an incarnation that was started again since and commanded anew', () => {
    const rungs = [rungOf('skip', 2), rungOf('skip', 50, { launchTime: ids.relaunched })];
    expect(stepAt({ state: 'stopped', rungs, at: 60 }).kind).toBe('look');
    expect(stepAt({ state: 'running', rungs, at: 60 }).kind).toBe('look');
    expect(stepAt({ state: 'stopped', rungs, at: 60, launchTime: ids.relaunched }).kind).toBe(
      'down',
    );
  });
});

describe('isProof', () => {
  const fence = fenceOf({ rungs: [rungOf('skip', 2)] });

  it('takes two reads of one incarnation issued after the last command', () => {
    expect(isProof(fence, readOf(4), readOf(5))).toBe(true);
    expect(isProof(fence, readOf(4), readOf(4))).toBe(true);
    expect(isProof(fence, readOf(4), readOf(5, { state: 'terminated' }))).toBe(true);
  });

  it.each([
    ['the first was issued before the command was accepted', readOf(3), readOf(5)],
    ['both were', readOf(1), readOf(2)],
    ['the second is another incarnation', readOf(4), readOf(5, { launchTime: ids.relaunched })],
    ['they come in the wrong order', readOf(5), readOf(4)],
  ])('refuses them when %s', (_, first, second) => {
    expect(isProof(fence, first, second)).toBe(false);
  });

  it('takes the reads that found it down, where nobody commanded anything', () => {
    expect(isProof(fenceOf(), readOf(0), readOf(0))).toBe(true);
    expect(isProof(fenceOf(), readOf(-1), readOf(0))).toBe(false);
  });

  it('refuses reads of an incarnation after which another one was commanded', () => {
    const rungs = [rungOf('skip', 2), rungOf('skip', 50, { launchTime: ids.relaunched })];
    expect(isProof(fenceOf({ rungs }), readOf(60), readOf(61))).toBe(false);
  });

  it('asks for new reads after every further command', () => {
    const forced = fenceOf({ rungs: [rungOf('skip', 2), rungOf('force-skip', 92)] });
    expect(isProof(forced, readOf(90), readOf(95))).toBe(false);
    expect(isProof(forced, readOf(94), readOf(95))).toBe(true);
  });
});

describe('how strong it is', () => {
  it.each<[readonly Rung[], string, string]>([
    [[], 'strong', 'none'],
    [[rungOf('skip', 2)], 'strong', 'skip'],
    [[rungOf('terminate', 2)], 'strong', 'terminate'],
    [[rungOf('force', 2)], 'weak', 'force'],
    [[rungOf('skip', 2), rungOf('force-skip', 92)], 'weak', 'force-skip'],
    [[rungOf('skip', 2), lostRung('force-skip', 92)], 'weak', 'force-skip'],
    [[rungOf('skip', 2), rungOf('force-skip', 92, { refused: 'wrong-state' })], 'strong', 'skip'],
    [[rungOf('force', 2), rungOf('terminate', 9)], 'weak', 'terminate'],
    [[rungOf('terminate-force', 2)], 'weak', 'terminate-force'],
    [[rungOf('force', 2, { launchTime: ids.relaunched })], 'strong', 'none'],
  ])('%#: Force that EC2 may have accepted makes it weak', (rungs, strength, method) => {
    const fence = fenceOf({ rungs });
    expect(strengthOf(fence, ids.launched)).toBe(strength);
    expect(methodOf(fence, ids.launched)).toBe(method);
  });

  it('is past the point of no return once EC2 accepted any command', () => {
    expect(isCommitted(undefined)).toBe(false);
    expect(isCommitted(fenceOf())).toBe(false);
    expect(isCommitted(fenceOf({ rungs: [lostRung('skip', 2)] }))).toBe(false);
    expect(isCommitted(fenceOf({ rungs: [rungOf('skip', 2, { refused: 'protected' })] }))).toBe(
      false,
    );
    expect(isCommitted(fenceOf({ rungs: [rungOf('skip', 2)] }))).toBe(true);
  });
});

/** One look: what EC2 says now, how EC2 answers if a command follows, how long until the next. */
interface Look {
  readonly state: InstanceState;
  readonly relaunch: boolean;
  readonly answer: 'accepted' | 'lost' | NonNullable<Rung['refused']>;
  readonly waitMs: number;
}

const look: fc.Arbitrary<Look> = fc.record({
  state: fc.constantFrom<InstanceState>(
    'pending',
    'running',
    'stopping',
    'stopped',
    'shutting-down',
    'terminated',
  ),
  relaunch: fc.boolean(),
  answer: fc.constantFrom(
    'accepted',
    'lost',
    'protected',
    'skip-unsupported',
    'stop-unsupported',
    'wrong-state',
    'not-found',
  ),
  waitMs: fc.integer({ min: 1, max: 400_000 }),
});

interface Command {
  readonly method: Rung['method'];
  readonly launchTime: string;
  readonly at: number;
  readonly answer: Look['answer'];
}

/** Plays the looks one after the other, as FenceAgent does. */
const play = (looks: readonly Look[], onStep: (view: FenceView, step: FenceStep) => void) => {
  let fence: Fence = fenceOf();
  let now: number = t(0);
  const commands: Command[] = [];
  for (const { answer, relaunch, state, waitMs } of looks) {
    const launchTime = relaunch ? ids.relaunched : ids.launched;
    const view: FenceView = {
      now: (now + 1) as EpochMs,
      readAt: now as EpochMs,
      instance: instanceOf({ state, launchTime }),
      fence,
      policy: mayTerminate,
    };
    const step = nextFenceStep(view);
    onStep(view, step);
    if (step.kind === 'command') {
      const { method } = step;
      const rung: Rung = {
        method,
        launchTime: step.launchTime,
        requestedAt: (now + 1) as EpochMs,
        ...(answer === 'accepted' ? { acceptedAt: (now + 2) as EpochMs } : {}),
        ...(answer === 'accepted' || answer === 'lost' ? {} : { refused: answer }),
      };
      commands.push({ method, launchTime, at: now, answer });
      const others = fence.rungs.filter((r) => r.method !== method || r.launchTime !== launchTime);
      fence = { ...fence, rungs: [...others, rung] };
    }
    now += waitMs;
  }
  return commands;
};

describe('any sequence of reads and refusals', () => {
  const looks = fc.array(look, { maxLength: 40 });

  it('never takes for down what was read before the last command, or what EC2 does not call so', () => {
    fc.assert(
      fc.property(looks, (given) => {
        play(given, ({ fence, instance, readAt }, step) => {
          if (step.kind !== 'down') return;
          expect(['stopped', 'terminated']).toContain(instance.state);
          expect(step.read).toEqual({
            at: readAt,
            state: instance.state,
            launchTime: instance.launchTime,
          });
          for (const rung of rungsOn(fence, instance.launchTime)) {
            expect(readAt).toBeGreaterThan(rung.acceptedAt ?? rung.requestedAt);
          }
        });
      }),
    );
  });

  it('gives each rung that EC2 accepted once per incarnation', () => {
    fc.assert(
      fc.property(looks, (given) => {
        const accepted = play(given, () => undefined).filter((c) => c.answer === 'accepted');
        const rungs = accepted.map((c) => `${c.method} ${c.launchTime}`);
        expect(new Set(rungs).size).toBe(rungs.length);
      }),
    );
  });

  it('never commands an instance that is down, nor stops one that is being terminated', () => {
    fc.assert(
      fc.property(looks, (given) => {
        play(given, ({ instance }, step) => {
          if (step.kind !== 'command') return;
          expect(['stopped', 'terminated']).not.toContain(instance.state);
          expect(step.launchTime).toBe(instance.launchTime);
          if (instance.state === 'shutting-down') expect(step.method).toBe('terminate-force');
        });
      }),
    );
  });

  it('uses Force only after skip had its time, on Xen, or on a termination that hangs', () => {
    fc.assert(
      fc.property(looks, (given) => {
        play(given, ({ fence, instance, now }, step) => {
          if (step.kind !== 'command') return;
          const skip = fence.rungs.find(
            (r) => r.method === 'skip' && r.launchTime === instance.launchTime,
          );
          if (step.method === 'force') expect(skip?.refused).toBe('skip-unsupported');
          if (step.method === 'force-skip') {
            expect(now - (skip?.requestedAt ?? now)).toBeGreaterThanOrEqual(
              limits.skipStopBudgetMs,
            );
          }
        });
      }),
    );
  });

  it('never terminates where policy forbids it', () => {
    fc.assert(
      fc.property(looks, (given) => {
        play(given, (view) => {
          const step = nextFenceStep({ ...view, policy: policyOf({ fenceTerminate: 'never' }) });
          expect(word(step)).not.toContain('terminate');
        });
      }),
    );
  });
});
