import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { catalogue } from '../../emulator/sim/catalogue.ts';
import { notInjected, pending, pendingIds } from '../../emulator/sim/pending.ts';
import { faultKinds } from '../../emulator/sim/plan.ts';
import { projectDir } from '../support/project-files.ts';

const injectable = faultKinds.map(({ id }) => id);

it('knows every fault of the failure model once', () => {
  expect(new Set(catalogue).size).toBe(145);
  expect(catalogue).toHaveLength(145);
});

it('injects each of them, or says where else it is seen to or that it is pending', () => {
  const elsewhere = Object.keys(notInjected);
  expect([...injectable, ...pendingIds, ...elsewhere].sort()).toEqual([...catalogue].sort());
});

it.each(Object.entries(notInjected))('sees to %s in %s', (id, path) => {
  expect(readFileSync(join(projectDir, path), 'utf8')).toContain(id);
});

it('lets the list of pending faults only shrink', () => {
  expect(pendingIds.length).toBeLessThanOrEqual(4);
});

it('says for each pending fault what it waits for', () => {
  expect(Object.values(pending).filter((why) => why.length < 5)).toEqual([]);
});
