import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EpochMs } from '../../../src/domain/ids.ts';
import type { AuditRecord } from '../../../src/domain/incident.ts';
import type { InstanceState, Volume } from '../../../src/domain/machine.ts';
import { limits } from '../../../src/domain/policy.ts';
import {
  nextReleaseStep,
  type ReleaseStep,
  type ReleaseView,
} from '../../../src/domain/release.ts';
import {
  attachmentOf,
  detachOf,
  freeVolume,
  ids,
  instanceOf,
  policyOf,
  t,
  volumeOf,
} from '../../support/build.ts';

const viewAt = (seconds: number, change: Partial<ReleaseView> = {}): ReleaseView => ({
  now: t(seconds),
  volume: volumeOf(),
  instance: instanceOf({ state: 'stopped' }),
  instanceId: ids.failed,
  provenLaunchTime: ids.launched,
  provenAt: t(20),
  detaches: [],
  policy: policyOf(),
  ...change,
});

/** The step in a few words. */
const word = (step: ReleaseStep): string => {
  if (step.kind === 'detach') return step.force ? 'detach by force' : 'detach';
  return step.kind === 'held' ? `held: ${step.reason}` : step.kind;
};
const stepAt = (seconds: number, change: Partial<ReleaseView> = {}): string =>
  word(nextReleaseStep(viewAt(seconds, change)));

const mayForce = policyOf({ forceDetach: 'after-proof' });
const refused = (atSeconds: number): AuditRecord =>
  detachOf(atSeconds, { outcome: { kind: 'refused', at: t(atSeconds), error: 'IncorrectState' } });
const unanswered = (atSeconds: number): AuditRecord => {
  const { outcome: _, ...intent } = detachOf(atSeconds);
  return intent;
};
const forced = (atSeconds: number): AuditRecord =>
  detachOf(atSeconds, { parameters: { instanceId: ids.failed, force: true } });
const elsewhere = attachmentOf({ instanceId: ids.other });

describe('the state of the volume', () => {
  it.each<[string, Partial<ReleaseView>, string]>([
    ['is detached while the proven instance holds it', {}, 'detach'],
    ['is free when EC2 says available and nothing holds it', { volume: freeVolume() }, 'free'],
    [
      'is not free while EC2 still shows a holder',
      { volume: volumeOf({ state: 'available' }), detaches: [detachOf(20)] },
      'look',
    ],
    ['is not free while EC2 still says in-use', { volume: volumeOf({ attachments: [] }) }, 'look'],
    [
      'is not free while its last attachment is only just detached',
      { volume: volumeOf({ attachments: [attachmentOf({ state: 'detached' })] }) },
      'look',
    ],
    ['is lost when EC2 has no such volume', { volume: undefined }, 'lost'],
    ['is lost when it is being deleted', { volume: volumeOf({ state: 'deleting' }) }, 'lost'],
    ['is lost when it was deleted', { volume: volumeOf({ state: 'deleted' }) }, 'lost'],
    [
      'is left where it is when somebody attached it elsewhere',
      { volume: volumeOf({ attachments: [elsewhere] }) },
      'held: volume-attached-elsewhere',
    ],
    [
      'is left alone when two instances hold it',
      { volume: volumeOf({ attachments: [attachmentOf(), elsewhere] }) },
      'held: volume-attached-elsewhere',
    ],
    [
      'is left alone while it is only being attached elsewhere',
      { volume: volumeOf({ attachments: [attachmentOf({ ...elsewhere, state: 'attaching' })] }) },
      'held: volume-attached-elsewhere',
    ],
    [
      'is held in error',
      { volume: volumeOf({ state: 'error', attachments: [] }) },
      'held: volume-not-usable',
    ],
    [
      'is held when EC2 has forgotten the instance that holds it: not found proves nothing',
      { instance: undefined },
      'held: volume-stuck',
    ],
    [
      'is detached although EC2 calls it busy, for the guest is proven down',
      { volume: volumeOf({ attachments: [attachmentOf({ state: 'busy' })] }) },
      'detach',
    ],
  ])('%s', (_, change, expected) => {
    expect(stepAt(21, change)).toBe(expected);
  });
});

describe('the proof', () => {
  it.each<InstanceState>(['pending', 'running', 'stopping', 'shutting-down'])(
    'is void when the instance reads %s: no volume is detached',
    (state) => {
      expect(stepAt(21, { instance: instanceOf({ state }) })).toBe('proof-void');
    },
  );

  it('is void when the instance was started and stopped again since', () => {
    const instance = instanceOf({ state: 'stopped', launchTime: ids.relaunched });
    expect(stepAt(21, { instance })).toBe('proof-void');
  });

  it('does not matter any more for a volume that nothing holds', () => {
    expect(stepAt(21, { volume: freeVolume(), instance: instanceOf() })).toBe('free');
  });
});

describe('the release ladder', () => {
  it('lets a terminated instance let go by itself first', () => {
    const instance = instanceOf({ state: 'terminated' });
    expect(stepAt(34, { instance })).toBe('look');
    expect(stepAt(35, { instance })).toBe('detach');
  });

  it.each<[string, number, readonly AuditRecord[], string]>([
    ['looks after a detach', 21, [detachOf(20)], 'look'],
    ['asks once more after a minute, without force', 80, [detachOf(20)], 'detach'],
    ['waits again then', 139, [detachOf(20), detachOf(80)], 'look'],
    ['forces when both had their time', 140, [detachOf(20), detachOf(80)], 'detach by force'],
    ['gives a late repeat its time before force', 170, [detachOf(20), detachOf(140)], 'look'],
    ['forces once', 199, [detachOf(20), detachOf(80), forced(140)], 'look'],
    [
      'holds it after three minutes',
      200,
      [detachOf(20), detachOf(80), forced(140)],
      'held: volume-stuck',
    ],
  ])('%s', (_, at, detaches, expected) => {
    expect(stepAt(at, { detaches, policy: mayForce })).toBe(expected);
  });

  it('never forces where policy forbids it', () => {
    const detaches = [detachOf(20), detachOf(80)];
    expect(stepAt(199, { detaches })).toBe('look');
    expect(stepAt(200, { detaches })).toBe('held: volume-stuck');
  });

  it('goes on as soon as a held volume is let go', () => {
    const detaches = [detachOf(20), detachOf(80), forced(140)];
    expect(stepAt(900, { detaches, volume: freeVolume() })).toBe('free');
  });

  it('makes good an intent whose call may never have been made, a few times', () => {
    expect(stepAt(20.5, { detaches: [unanswered(20)] })).toBe('look');
    expect(stepAt(21, { detaches: [unanswered(20)] })).toBe('detach');
    const three = [unanswered(20), unanswered(21), unanswered(22)];
    expect(stepAt(30, { detaches: three })).toBe('look');
  });

  it('asks again, without force, for as long as nothing shows that any of them arrived', () => {
    const three = [unanswered(20), unanswered(21), unanswered(22)];
    expect(stepAt(82, { detaches: three, policy: mayForce })).toBe('detach');
    const later = [...three, unanswered(300)];
    expect(stepAt(359, { detaches: later, policy: mayForce })).toBe('held: volume-stuck');
    expect(stepAt(360, { detaches: later, policy: mayForce })).toBe('detach');
    const attachments = [attachmentOf({ instanceId: ids.failed, state: 'detaching' })];
    const volume = volumeOf({ attachments });
    expect(stepAt(82, { detaches: three, volume })).toBe('look');
  });

  it('asks ever more rarely what EC2 refuses, then holds the volume and still asks', () => {
    expect(stepAt(21, { detaches: [refused(20)] })).toBe('look');
    expect(stepAt(22, { detaches: [refused(20)] })).toBe('detach');
    expect(stepAt(25, { detaches: [refused(20), refused(22)] })).toBe('look');
    expect(stepAt(26, { detaches: [refused(20), refused(22)] })).toBe('detach');
    const many = Array.from({ length: 60 }, (_, i) => refused(20 + i * 4));
    expect(stepAt(300, { detaches: many })).toBe('held: volume-stuck');
    expect(stepAt(316, { detaches: many })).toBe('detach');
  });

  it('does not take a refusal for the plain detach that force must wait for', () => {
    const detaches = [refused(20), refused(22), refused(26)];
    expect(stepAt(400, { detaches, policy: mayForce })).toBe('detach');
  });

  it('does not repeat a detach that EC2 refuses because our read is old', () => {
    const detaches = [detachOf(20), refused(80)];
    expect(stepAt(81, { detaches })).toBe('look');
  });
});

/** One look: what EC2 shows, how it answers if a detach follows, how long until the next one. */
const look = fc.record({
  holders: fc.subarray([ids.failed, ids.other]),
  attachment: fc.constantFrom('attaching', 'attached', 'detaching', 'busy' as const),
  volume: fc.constantFrom<Volume['state'] | 'gone'>('in-use', 'available', 'error', 'gone'),
  instance: fc.constantFrom<InstanceState | 'gone'>(
    'running',
    'stopping',
    'stopped',
    'terminated',
    'gone',
  ),
  relaunched: fc.boolean(),
  answer: fc.constantFrom('accepted', 'refused', 'unknown' as const),
  waitMs: fc.integer({ min: 200, max: 90_000 }),
});
type Look = typeof look extends fc.Arbitrary<infer T> ? T : never;

const play = (looks: readonly Look[], onStep: (view: ReleaseView, step: ReleaseStep) => void) => {
  const detaches: AuditRecord[] = [];
  let now: EpochMs = t(20);
  for (const { answer, attachment, holders, instance, relaunched, volume, waitMs } of looks) {
    const attachments = holders.map((instanceId) =>
      attachmentOf({ instanceId, state: attachment }),
    );
    const launchTime = relaunched ? ids.relaunched : ids.launched;
    const view = viewAt(0, {
      now,
      volume: volume === 'gone' ? undefined : volumeOf({ state: volume, attachments }),
      instance: instance === 'gone' ? undefined : instanceOf({ state: instance, launchTime }),
      detaches: [...detaches],
      policy: mayForce,
    });
    const step = nextReleaseStep(view);
    onStep(view, step);
    if (step.kind === 'detach') {
      const outcome =
        answer === 'accepted' ? { kind: answer, at: now } : { kind: answer, at: now, error: 'x' };
      const parameters = { instanceId: ids.failed, force: step.force };
      detaches.push(detachOf(0, { intendedAt: now, parameters, outcome }));
    }
    now = (now + waitMs) as EpochMs;
  }
  return detaches;
};

describe('any sequence of reads and answers', () => {
  const looks = fc.array(look, { maxLength: 60 });

  it('detaches only from the proven incarnation, down, and the only holder', () => {
    fc.assert(
      fc.property(looks, (given) => {
        play(given, ({ instance, instanceId, provenLaunchTime, volume }, step) => {
          if (step.kind !== 'detach') return;
          expect(['stopped', 'terminated']).toContain(instance?.state);
          expect(instance?.launchTime).toBe(provenLaunchTime);
          expect(volume?.attachments.map((a) => a.instanceId)).toEqual([instanceId]);
        });
      }),
    );
  });

  it('takes for free only what EC2 calls available with no holder', () => {
    fc.assert(
      fc.property(looks, (given) => {
        play(given, ({ volume }, step) => {
          if (step.kind !== 'free') return;
          expect(volume).toMatchObject({ state: 'available', attachments: [] });
        });
      }),
    );
  });

  it('forces once, and not before two plain detaches and the deadline', () => {
    fc.assert(
      fc.property(looks, (given) => {
        const made = play(given, ({ detaches, now }, step) => {
          if (step.kind !== 'detach' || !step.force) return;
          const before = detaches.filter((d) => d.outcome?.kind !== 'refused');
          expect(before.filter((d) => d.parameters.force === false).length).toBeGreaterThan(1);
          expect(now - (before[0]?.intendedAt ?? now)).toBeGreaterThanOrEqual(limits.detachForceMs);
        }).filter((d) => d.outcome?.kind !== 'refused');
        expect(made.filter((d) => d.parameters.force === true).length).toBeLessThanOrEqual(1);
      }),
    );
  });

  it('makes a bounded number of calls that EC2 may have accepted', () => {
    fc.assert(
      fc.property(looks, (given) => {
        const made = play(given, () => undefined).filter((d) => d.outcome?.kind !== 'refused');
        expect(made.length).toBeLessThanOrEqual(4);
      }),
    );
  });
});
