import { describe, expect, it } from 'vitest';
import { knownSince } from '../../../src/application/witnesses.ts';
import type { Verdict } from '../../../src/domain/incident.ts';
import type { Inventory } from '../../../src/domain/service.ts';
import { ids, t } from '../../support/build.ts';

/* Probes that failed before an agent was heard again say nothing about it any more. */

const inventory: Inventory = {
  launchTime: ids.launched,
  availabilityZone: 'us-east-1a',
  agentIds: [ids.agent],
  apps: [],
  tasks: [],
  volumes: [],
  seenAt: t(0),
  silence: { probes: 4, lastAt: t(10) },
};
const verdictAt = (kind: Verdict['kind'], seconds: number): Verdict => ({
  kind,
  at: t(seconds),
  why: [],
  whyNot: [],
});

describe('the silence the sweep has noted', () => {
  it.each<[string, Verdict | undefined]>([
    ['nothing was judged yet', undefined],
    ['two witnesses agreed', verdictAt('Impaired', 20)],
    ['it was noted after the doubt', verdictAt('Suspect', 9)],
  ])('counts when %s', (_, verdict) => {
    expect(knownSince(inventory, verdict)).toBe(inventory);
  });

  it.each(['Suspect', 'Blind', 'Recovered'] as const)('counts no more after %s', (kind) => {
    const { silence: _, ...rest } = inventory;
    expect(knownSince(inventory, verdictAt(kind, 20))).toEqual(rest);
  });
});
