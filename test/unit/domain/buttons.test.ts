import { describe, expect, it } from 'vitest';
import { buttonsOf, stormButtons } from '../../../src/domain/buttons.ts';
import type { HoldReason, Incident } from '../../../src/domain/incident.ts';
import { wayOut } from '../../../src/domain/way-out.ts';
import { ids, incidentOf, t } from '../../support/build.ts';

const heldFor = (reason: HoldReason): Partial<Incident> => ({
  status: 'held',
  hold: { reason, says: 'it says why', since: t(1), looks: 0, retryAt: t(9) },
});
const operatorHold = { by: 'ana', reason: 'look first', at: t(1) };

describe('buttons', () => {
  it.each<[string, Partial<Incident>, string[]]>([
    ['goes on', {}, ['hold', 'explain']],
    ['is held', heldFor('no-placement'), ['resume', 'hold', 'explain']],
    ['can be waved through', heldFor('flapping'), ['acknowledge', 'resume', 'hold', 'explain']],
    ['is held by a person', { ...heldFor('operator-hold'), operatorHold }, ['resume', 'explain']],
    ['is about to be held by a person', { operatorHold }, ['resume', 'explain']],
    ['is recovered', { status: 'recovered' }, ['explain']],
    ['is cancelled', { status: 'cancelled' }, ['explain']],
  ])('of an incident that %s', (_, change, actions) => {
    const buttons = buttonsOf(incidentOf(change));
    expect(buttons.map(({ action }) => action)).toEqual(actions);
    for (const { about } of buttons) expect(about.incidentId).toBe(ids.incident);
  });

  it('name the hold that is waved through, and ask first', () => {
    const [acknowledge] = buttonsOf(incidentOf(heldFor('weak-fence')));
    expect(acknowledge).toMatchObject({
      about: { incidentId: ids.incident, hold: 'weak-fence' },
      confirm: {
        title: 'Acknowledge weak-fence?',
        text: 'Then the volumes may be released although the stop needed Force.',
      },
    });
  });

  it('let a storm through only for a while, and ask first', () => {
    expect(stormButtons('prod')).toMatchObject([
      { action: 'acknowledge-storm', confirm: { text: expect.stringContaining('15 minutes') } },
    ]);
  });
});

it('every hold has a way out in words', () => {
  const reasons = Object.keys(wayOut);
  expect(reasons.length).toBeGreaterThan(30);
  for (const reason of reasons) {
    expect(wayOut[reason as HoldReason].length).toBeGreaterThan(10);
  }
});
