import { describe, expect, it } from 'vitest';
import { nextFenceStep } from '../../../src/domain/fence.ts';
import type { VolumeId } from '../../../src/domain/ids.ts';
import type { Wish } from '../../../src/domain/incident.ts';
import { isForced, onlyWanted, policyFor, whyNotThese, wishIn } from '../../../src/domain/wish.ts';
import { factsOf, ids, instanceOf, policyOf, signalOf, t } from '../../support/build.ts';

const said = (wish: Wish) => [signalOf(), signalOf({ key: 'op', source: 'operator', wish })];
const other = 'vol-000000000000000d2' as VolumeId;
const [data] = factsOf().volumes;
if (data === undefined) throw new RangeError('no volume');
const two = [data, { ...data, volumeId: other, appIds: ['/other'] }];

describe('how a person wants it done', () => {
  it('is what the last one said who said anything', () => {
    expect(wishIn([signalOf()])).toEqual({});
    const later = signalOf({ key: 'op2', wish: { fence: 'terminate' } });
    expect(wishIn([...said({ force: true }), later, signalOf({ key: 'z' })])).toEqual({
      fence: 'terminate',
    });
    expect(isForced(said({ force: true }))).toBe(true);
    expect(isForced(said({ force: false }))).toBe(false);
  });

  it('goes before what is said of the fence for all', () => {
    const policy = policyOf({ fenceTerminate: 'when-stop-impossible' });
    expect(policyFor(policy, said({ fence: 'stop' })).fenceTerminate).toBe('never');
    expect(policyFor(policy, said({ fence: 'terminate' })).fenceTerminate).toBe('at-once');
    expect(policyFor(policy, said({ force: true }))).toEqual(policy);
  });

  it.each([
    ['stop', 'skip'],
    ['terminate', 'terminate'],
  ] as const)('makes %s begin the ladder with %s', (fence, method) => {
    const policy = policyFor(policyOf(), said({ fence }));
    const view = { now: t(1), readAt: t(1), instance: instanceOf(), policy };
    const begun = { since: t(0), rungs: [], voided: [] };
    expect(nextFenceStep({ ...view, fence: begun })).toMatchObject({ kind: 'command', method });
  });

  it('names volumes that are there, and all of them where the machine goes down', () => {
    expect(whyNotThese([ids.data, other], two, 'failover')).toBeUndefined();
    expect(whyNotThese([ids.data], two, 'drain')).toBeUndefined();
    expect(whyNotThese([ids.data], two, 'failover')).toContain(`${other} of /other would stay`);
    for (const mode of ['failover', 'drain'] as const) {
      expect(whyNotThese([ids.root], two, mode)).toContain(`${ids.root}: not on this machine`);
    }
  });

  it('leaves the others where they are in a planned move', () => {
    const scoped = { inScope: two, leftAlone: [], problems: [] } as unknown as Parameters<
      typeof onlyWanted
    >[0];
    expect(onlyWanted(scoped, undefined)).toBe(scoped);
    expect(onlyWanted(scoped, [other])).toMatchObject({
      inScope: [{ volumeId: other }],
      leftAlone: [{ volumeId: ids.data, why: 'not among the volumes asked for' }],
    });
  });
});
