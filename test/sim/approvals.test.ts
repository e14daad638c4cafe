import { describe, expect, it } from 'vitest';
import type { Approver } from '../../emulator/sim/approver.ts';
import type { Scene } from '../../emulator/sim/fault.ts';
import { installLeanSdk } from '../../emulator/sim/lean-sdk/install.ts';
import { type Plan, planFor } from '../../emulator/sim/plan.ts';
import { playSeed } from '../../emulator/sim/seed.ts';
import { plainTraits, type Traits } from '../../emulator/sim/stage.ts';

installLeanSdk();

const patient: Approver = {
  verdicts: 'Down,Impaired,Ordered',
  waitS: 300,
  firstS: 40,
  laterS: 5,
  how: 'once',
};

/** One failure, nothing beside it, and a person who is asked. */
const askedIn = (
  scene: Scene,
  approver: Partial<Approver>,
  traits: Partial<Traits> = {},
): Plan => ({
  ...planFor({ seed: 7, scene, faults: [] }),
  traits: { ...plainTraits, approver: { ...patient, ...approver }, ...traits },
  safetyMs: 3_600_000,
});

const play = async (plan: Plan) => {
  const result = await playSeed(plan, { trace: true });
  const answers = result.trace.flatMap((line) => {
    const [, id, answer] = / consent .*"approvalId":"(\w+)".*"answer":"(\w+)"/.exec(line) ?? [];
    return id === undefined ? [] : [`${id} ${answer}`];
  });
  return { ...result, answers: answers.sort() };
};

describe('a world in which a person is asked', () => {
  it.each<[Scene, Approver['how'], string[]]>([
    ['hung', 'once', ['a1 done']],
    ['stopped', 'twice', ['a1 done', 'a1 unchanged']],
    ['terminated', 'old first', ['a0 refused', 'a1 done']],
  ])('%s, ends well when they answer, %s', async (scene, how, answered) => {
    const { answers, holds, incidents, served, violations } = await play(askedIn(scene, { how }));
    expect(violations).toEqual([]);
    expect(answers).toEqual(answered);
    expect(holds).toEqual(['approval']);
    expect(incidents).toEqual(['recovered']);
    expect(served).toBe(true);
  });

  it('ends well when the answer comes after nobody waits for it any more', async () => {
    const late = askedIn('hung', { waitS: 60, firstS: 600 });
    const { answers, incidents, tokens, violations } = await play(late);
    expect(violations).toEqual([]);
    expect(answers).toEqual(['a1 done']);
    expect(incidents).toEqual(['recovered']);
    expect(tokens[0]).toBeGreaterThan(1);
  });

  it('is no other world where policy asks about something else', async () => {
    const { answers, holds, incidents } = await play(askedIn('stopped', { verdicts: 'Impaired' }));
    expect(answers).toEqual([]);
    expect(holds).toEqual([]);
    expect(incidents).toEqual(['recovered']);
  });

  it('fences as few at once as ever, however late they answer', async () => {
    const two = {
      alsoFails: { scene: 'hung', afterS: 30 },
      parameters: { StormLimit: '1' },
    } as const;
    const plan = askedIn('hung', { verdicts: 'Impaired', waitS: 900, firstS: 700 }, two);
    const { incidents, violations } = await play(plan);
    expect(violations).toEqual([]);
    expect(incidents).toEqual(['recovered', 'recovered']);
  });
});

describe('random worlds', () => {
  const approvers = Array.from({ length: 1_000 }, (_, seed) => planFor({ seed })).flatMap(
    ({ traits }) => traits.approver ?? [],
  );

  it('ask a person in one of twelve, of every kind', () => {
    expect(approvers.length).toBeGreaterThan(50);
    expect(approvers.length).toBeLessThan(110);
    expect(new Set(approvers.map(({ how }) => how)).size).toBe(3);
    expect(approvers.some(({ firstS, waitS }) => firstS > waitS)).toBe(true);
  });
});
