import { describe, expect, it } from 'vitest';
import { createChecker } from '../../emulator/sim/checker.ts';
import type { SimEvent } from '../../emulator/sim/events.ts';
import { judgeLiveness } from '../../emulator/sim/liveness.ts';
import type { RunEnd } from '../../emulator/sim/run-end.ts';
import { plainTraits } from '../../emulator/sim/stage.ts';
import {
  AGENT,
  call,
  fencedThenBack,
  good,
  keptFromWork,
  letIn,
  machine,
  OTHER,
  owner,
  question,
  type Story,
  second,
  state,
  VOLUME,
  volume,
} from './story.ts';

const HOUR = 3_600_000;

interface Ending {
  story?: Story;
  /** Events instead of the good story. */
  events?: readonly SimEvent[];
  /** When Slack was told, ms. */
  told?: readonly number[];
  faults?: readonly string[];
  background?: number;
  crowd?: number;
  /** Where the app runs. */
  home?: string;
  /** When the machine hung, ms. */
  failedAt?: number;
}

/** A run that is over, as far as liveness asks. */
const endOf = (ending: Ending) => {
  const { story, events, told = [6_000], faults = [], home = OTHER, failedAt, ...traits } = ending;
  const { memory, see } = createChecker({});
  const all = events ?? (Object.values({ ...good, ...story }).flat() as SimEvent[]);
  for (const event of all) see(event);
  const app = { id: '/mysql', instanceId: AGENT, volumeIds: [VOLUME] };
  const tasks = [{ appId: '/mysql', state: 'TASK_RUNNING', instanceId: home }];
  const world = {
    time: { now: () => HOUR },
    durations: { stopMs: () => 1_000, detachMs: () => 1_000 },
    slack: { messages: () => told.map((postedAt) => ({ postedAt, updatedAt: [] })) },
    infra: { ofType: () => [] },
    sqs: { messages: () => [] },
    states: { executions: () => [] },
    dcos: { truth: () => ({ tasks, agents: [] }) },
  };
  return {
    plan: {
      seed: 1,
      scene: 'hung',
      traits: { ...plainTraits, ...traits },
      faults: faults.map((id) => ({ id, params: {} })),
      safetyMs: 0,
    },
    world,
    stage: { failing: { instanceId: AGENT }, app, apps: [app] },
    checker: { memory },
    failedAt: failedAt ?? 0,
  } as unknown as RunEnd;
};

const brokenBy = (ending: Ending): string[] => [
  ...new Set(judgeLiveness(endOf(ending)).map(({ invariant }) => invariant)),
];

const held = (at: number, reason: string): SimEvent =>
  state(at, { status: 'held', hold: { reason } });

/** Off only after a quarter of an hour, and whatever is said meanwhile. */
const stuckStop = (...meanwhile: SimEvent[]): Story => ({
  off: [...meanwhile, machine(900_000, { state: 'stopped', powered: false })],
});

const stuckDetach = (...meanwhile: SimEvent[]): Story => ({
  free: [...meanwhile, volume(400_000, [])],
  release: [owner(400_100, { state: 'released' })],
});

const planted: readonly (readonly [string, string, Ending])[] = [
  ['L1', 'an incident is open at the bound', { story: { close: [] } }],
  [
    'L2',
    'a volume is released seconds later than EC2 could',
    { story: { release: [owner(9_000, { state: 'released' })] } },
  ],
  ['L3', 'the app is back nowhere', { home: 'nowhere' }],
  ['L4', 'nobody ever opened an incident', { events: good.world, home: 'nowhere' }],
  ['L4', 'a failure is found minutes after it could be', { failedAt: -400_000 }],
  [
    'L4',
    'a volume is left on the machine that was fenced',
    { story: { back: [volume(5_000, [AGENT])] } },
  ],
  ['L5', 'a stop is stuck and nothing is held', { story: stuckStop(), faults: ['EC-11'] }],
  [
    'L5',
    'a stop is stuck and held, and nobody is told',
    { story: stuckStop(held(601_000, 'fence-stuck')), faults: ['EC-11'] },
  ],
  ['L5', 'a detach is stuck and nothing is held', { story: stuckDetach(), faults: ['EB-03'] }],
  [
    'L5',
    'what was stuck is never looked at again',
    { story: { close: [held(700_000, 'fence-stuck')] } },
  ],
  ['L1', 'a person was asked in vain', { story: { close: [held(6_000, 'approval')] } }],
  ['L6', 'nobody hears of the end', { told: [] }],
  [
    'S10',
    'nobody looks at a fenced machine that runs again',
    { story: { close: fencedThenBack() } },
  ],
  [
    'S10',
    'a fenced machine that runs again was looked at, and gets work all the same',
    {
      story: {
        close: [...fencedThenBack(), second(21_000, { status: 'cancelled' }), letIn(22_000)],
      },
    },
  ],
  ['L8', 'a pause that is over still holds', { story: { close: [held(6_000, 'paused')] } }],
  [
    'L8',
    'a person has let go, and it is held',
    { story: { close: [held(6_000, 'operator-hold')] } },
  ],
  [
    'L9',
    'a volume is detached again and again',
    {
      story: {
        detach: Array.from({ length: 5 }, (_, i) =>
          call(2_100 + i, 'releaseVolume', 'DetachVolume', [VOLUME, AGENT], { VolumeId: VOLUME }),
        ),
      },
    },
  ],
];

describe('a failover that ended well', () => {
  it('breaks no promise', () => {
    expect(brokenBy({})).toEqual([]);
  });

  it('may take its time where another fault delays it', () => {
    const story = { release: [owner(9_000, { state: 'released' })] };
    expect(brokenBy({ story, faults: ['EC-02'] })).toEqual([]);
    expect(brokenBy({ story, background: 0.3 })).toEqual([]);
    // Others fail with it: it may have to wait behind the brake.
    expect(brokenBy({ story, crowd: 4 })).toEqual([]);
    expect(brokenBy({ story, faults: ['SL-02'] })).toEqual(['L2']);
  });

  it('may take as long as the person who was asked', () => {
    const ended = { status: 'recovered', recovery: { apps: [{ toInstanceId: OTHER }] } };
    const close = [question(6_000, {}, ended)];
    const release = [owner(9_000, { state: 'released' })];
    const noted = (yesAt: number) => [question(30, { status: 'pending' }), question(yesAt)];
    expect(brokenBy({ story: { noted: noted(100), release, close } })).toEqual(['L2']);
    expect(brokenBy({ story: { noted: noted(5_000), release, close } })).toEqual([]);
  });

  it('may come late for a machine that somebody had taken out of scope', () => {
    const world = [...good.world, machine(-20_000, { ours: false })];
    expect(brokenBy({ failedAt: -400_000, story: { world } })).toEqual([]);
  });

  it('answers for no call that was sent before it began', () => {
    const before = Array.from({ length: 5 }, (_, i) =>
      call(i - 100, 'releaseVolume', 'DetachVolume', [VOLUME, AGENT], { VolumeId: VOLUME }),
    );
    expect(brokenBy({ story: { detach: [...before, ...good.detach] } })).toEqual([]);
  });

  it('need not be found sooner once a termination had let go of everything on the machine', () => {
    const gone = [volume(-120_000, [AGENT]), volume(-110_000, [])];
    const found = [...gone, machine(-110_000, { state: 'terminated', powered: false }), state(1)];
    const late = (events: readonly SimEvent[], ...faults: string[]): boolean =>
      brokenBy({ events, failedAt: -400_000, faults }).includes('L4');
    expect(late(found, 'EC-02')).toBe(false);
    // Nothing hindered the sweep, or something was still on the machine when it could be found.
    expect(late(found)).toBe(true);
    expect(late([...found, volume(-90_000, [AGENT]), volume(-80_000, [])], 'EC-02')).toBe(true);
  });

  it('may be held for a lost volume only if that is gone, and by what this world does', () => {
    const close = [held(6_000, 'volume-lost')];
    const gone = [volume(5_500, [], { state: 'deleted' })];
    const ending = { story: { back: gone, close }, faults: ['EC-07'], home: 'nowhere' };
    expect(brokenBy(ending)).toEqual([]);
    expect(brokenBy({ ...ending, faults: ['EC-02'] })).toContain('L1');
    expect(brokenBy({ ...ending, story: { back: [], close } })).toContain('L1');
  });

  it('may see the fenced machine run again, if that one gets no work or a person is asked', () => {
    const back = [...fencedThenBack(), letIn(20_500)];
    const kept = [...keptFromWork(21_000), second(22_000, { status: 'recovered' })];
    expect(brokenBy({ story: { close: [...back, ...kept] } })).not.toContain('S10');
    const held = second(22_000, { status: 'held', hold: { reason: 'returned-agent' } });
    expect(brokenBy({ story: { close: [...back, held] } })).not.toContain('S10');
    const strange = machine(21_000, { well: true, launchTime: 20_000, ours: false });
    expect(brokenBy({ story: { close: [...back, strange] } })).not.toContain('S10');
  });

  it('may be stuck, if that is held and told', () => {
    const ending = { story: stuckStop(held(601_000, 'fence-stuck')), told: [602_000, 900_000] };
    expect(brokenBy({ ...ending, faults: ['EC-11'] })).toEqual([]);
  });
});

describe('the end of a run', () => {
  it.each(planted)('breaks %s when %s', (invariant, _, ending) => {
    expect(brokenBy(ending)).toContain(invariant);
  });
});
