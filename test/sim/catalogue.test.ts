import { expect, it } from 'vitest';
import { catalogue } from '../../emulator/sim/catalogue.ts';
import { pending, pendingIds } from '../../emulator/sim/pending.ts';
import { faultKinds } from '../../emulator/sim/plan.ts';

const injectable = faultKinds.map(({ id }) => id);

it('knows every fault of the failure model once', () => {
  expect(new Set(catalogue).size).toBe(145);
  expect(catalogue).toHaveLength(145);
});

it('injects or names as pending each of them, and none both ways', () => {
  expect([...injectable, ...pendingIds].sort()).toEqual([...catalogue].sort());
});

it('lets the list of pending faults only shrink', () => {
  expect(pendingIds.length).toBeLessThanOrEqual(16);
});

it('says for each pending fault what it waits for', () => {
  expect(Object.values(pending).filter((why) => why.length < 5)).toEqual([]);
});
