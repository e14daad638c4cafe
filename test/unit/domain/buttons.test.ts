import { describe, expect, it } from 'vitest';
import { buttonsOf, stormButtons } from '../../../src/domain/buttons.ts';
import type { HoldReason, Incident } from '../../../src/domain/incident.ts';
import { messageOf } from '../../../src/domain/message.ts';
import { wayOut } from '../../../src/domain/way-out.ts';
import { ids, incidentOf, t } from '../../support/build.ts';

const heldFor = (reason: HoldReason): Partial<Incident> => ({
  status: 'held',
  hold: { reason, says: 'it says why', since: t(1), looks: 0, retryAt: t(9) },
});
const operatorHold = { by: 'ana', reason: 'look first', at: t(1) };

const approval = {
  id: 'a1',
  status: 'pending',
  plan: '',
  launchTime: ids.launched,
  askedAt: t(1),
  until: t(601),
  says: 'fence it and move mysql (Ordered: ben asked for it)',
  taskToken: 'AAAA-secret',
} as const;

describe('buttons', () => {
  it.each<[string, Partial<Incident>, string[]]>([
    ['goes on', {}, ['hold', 'explain']],
    ['is held', heldFor('no-placement'), ['resume', 'hold', 'explain']],
    ['can be waved through', heldFor('flapping'), ['acknowledge', 'resume', 'hold', 'explain']],
    ['is held by a person', { ...heldFor('operator-hold'), operatorHold }, ['resume', 'explain']],
    ['is about to be held by a person', { operatorHold }, ['resume', 'explain']],
    [
      'waits for an answer',
      { ...heldFor('approval'), approval },
      ['approve', 'deny', 'hold', 'explain'],
    ],
    [
      'was denied',
      { ...heldFor('approval'), approval: { ...approval, status: 'denied' } },
      ['resume', 'hold', 'explain'],
    ],
    ['was approved', { approval: { ...approval, status: 'approved' } }, ['hold', 'explain']],
    ['is recovered', { status: 'recovered' }, ['explain']],
    ['is cancelled', { status: 'cancelled' }, ['explain']],
  ])('of an incident that %s', (_, change, actions) => {
    const buttons = buttonsOf({ ...incidentOf(), ...change });
    expect(buttons.map(({ action }) => action)).toEqual(actions);
    for (const { about } of buttons) expect(about.incidentId).toBe(ids.incident);
  });

  it('name the approval that is answered, and never the token of who waits for it', () => {
    const buttons = buttonsOf({ ...incidentOf(heldFor('approval')), approval });
    expect(buttons[0]).toMatchObject({
      about: { incidentId: ids.incident, approvalId: 'a1' },
      confirm: { title: 'Approve a1?', text: `It will ${approval.says}.` },
    });
    expect(buttons[1]).toMatchObject({ action: 'deny', about: { approvalId: 'a1' } });
    const message = messageOf({ ...incidentOf(heldFor('approval')), approval });
    expect(message.lines.join()).not.toContain('Asked:');
    const paused = messageOf({ ...incidentOf(heldFor('paused')), approval });
    expect(paused.lines).toContain(`Asked: a1: ${approval.says}: not answered yet`);
    expect(JSON.stringify(message)).not.toContain('AAAA');
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
