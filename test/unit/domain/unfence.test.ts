import { describe, expect, it } from 'vitest';
import { type UnfenceView, whyStillFenced } from '../../../src/domain/unfence.ts';
import {
  agentOf,
  agentTags,
  before,
  ids,
  instanceOf,
  newAgentId,
  quarantineOf,
  recordOf,
  scope,
  spareAgent,
  volumeOf,
} from '../../support/build.ts';

/** The host is back under a new agent id, its volume the spare agent's. */
const view = (change: Partial<UnfenceView> = {}): UnfenceView => ({
  quarantine: quarantineOf(),
  instance: instanceOf({ launchTime: before.relaunched }),
  volumes: [],
  agents: [agentOf({ agentId: newAgentId, deactivated: true }), spareAgent()],
  records: [recordOf({ state: 'owned', owner: ids.spare })],
  scope,
  ...change,
});

describe('a fenced host may work again', () => {
  it('when its agent is another, nothing is on it, and its volume is owned elsewhere', () => {
    expect(whyStillFenced(view())).toEqual([]);
  });

  it('while it is still stopped, so that its start is no return', () => {
    const instance = instanceOf({ state: 'stopped', launchTime: before.launched });
    expect(whyStillFenced(view({ instance, agents: [spareAgent()] }))).toEqual([]);
  });

  it('when its volume has had later incidents since', () => {
    const records = [recordOf({ state: 'owned', owner: ids.other, epoch: 5 })];
    expect(whyStillFenced(view({ records }))).toEqual([]);
  });
});

describe('a fenced host may not work yet', () => {
  it.each<[string, Partial<UnfenceView>, RegExp]>([
    ['EC2 does not know it', { instance: undefined }, /EC2 does not know i-/],
    ['it is starting', { instance: instanceOf({ state: 'pending' }) }, /is pending: wait/],
    ['it is terminated', { instance: instanceOf({ state: 'terminated' }) }, /is terminated: wait/],
    [
      'a read shows it running since before the fence',
      { instance: instanceOf({ launchTime: before.launched }) },
      /since before it was fenced/,
    ],
    [
      'it belongs to nobody any more',
      {
        instance: instanceOf({
          launchTime: before.relaunched,
          tags: agentTags.filter(({ key }) => key === 'role'),
        }),
      },
      /carries no ebs-failover:cluster tag/,
    ],
    [
      'Mesos has forgotten that its old agent is gone, and let it in again',
      { agents: [agentOf(), spareAgent()] },
      /fenced agent a1b2-S7 again: wipe/,
    ],
    ['a volume of the cluster is attached to it', { volumes: [volumeOf()] }, /is attached to it/],
    ['the ledger knows nothing of its volume', { records: [undefined] }, /knows nothing of vol-/],
    [
      'the ledger was restored from before the fence',
      { records: [recordOf({ epoch: 0, state: 'owned', owner: ids.spare })] },
      /has epoch 0 and was taken from it under 1/,
    ],
    [
      'its volume was released and nobody has it',
      { records: [recordOf({ state: 'released' })] },
      /\(mysql\) is released, and nobody owns it yet/,
    ],
    [
      'its volume is on record as its own',
      { records: [recordOf({ state: 'owned', owner: ids.failed })] },
      /on record as its own/,
    ],
  ])('while %s', (_, change, sentence) => {
    const why = whyStillFenced(view(change));
    expect(why).toHaveLength(1);
    expect(why[0]).toMatch(sentence);
  });

  it('and everything that speaks against it is told at once', () => {
    const all = { agents: [agentOf()], volumes: [volumeOf()], records: [undefined] };
    expect(whyStillFenced(view(all))).toHaveLength(3);
  });
});
