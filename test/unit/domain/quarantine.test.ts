import { describe, expect, it } from 'vitest';
import type { InstanceState } from '../../../src/domain/machine.ts';
import {
  dataOn,
  hasReturned,
  isTaggedQuarantined,
  takenFrom,
  withReturn,
} from '../../../src/domain/quarantine.ts';
import { type Evidence, judge } from '../../../src/domain/verdict.ts';
import {
  agentTags,
  attachmentOf,
  before,
  checksOf,
  freeVolume,
  ids,
  instanceOf,
  policyOf,
  quarantineOf,
  t,
  volumeOf,
} from '../../support/build.ts';

const lifted = quarantineOf({ lifted: { by: 'ana', reason: 'repaired', at: t(0) } });
const back = (state: InstanceState = 'running') =>
  instanceOf({ launchTime: before.relaunched, state });

describe('a fenced host has returned', () => {
  it.each<InstanceState>(['running', 'pending'])('when it is %s as a later start', (state) => {
    expect(hasReturned(quarantineOf(), back(state))).toBe(true);
  });

  it.each<InstanceState>(['stopping', 'stopped', 'shutting-down', 'terminated'])(
    'not while it is %s',
    (state) => {
      expect(hasReturned(quarantineOf(), back(state))).toBe(false);
    },
  );

  it('not by a read of the very start that was proven off: that read is behind', () => {
    expect(hasReturned(quarantineOf(), instanceOf({ launchTime: before.launched }))).toBe(false);
  });

  it('not if nobody had fenced it, nor once it is being un-fenced', () => {
    expect(hasReturned(undefined, back())).toBe(false);
    expect(hasReturned(lifted, back())).toBe(false);
  });
});

describe('data on a host', () => {
  it.each([
    ['a volume of the cluster, attached', volumeOf(), 1],
    [
      'one that is being attached',
      volumeOf({ attachments: [attachmentOf({ state: 'attaching' })] }),
      1,
    ],
    [
      'one of another cluster',
      volumeOf({ tags: [{ key: 'ebs-failover:cluster', value: 'x' }] }),
      0,
    ],
    ['one nobody adopted', volumeOf({ tags: [] }), 0],
    ['its root disk', volumeOf({ attachments: [attachmentOf({ device: '/dev/xvda' })] }), 0],
    [
      'one that is with another',
      volumeOf({ attachments: [attachmentOf({ instanceId: ids.spare })] }),
      0,
    ],
    ['a free one', freeVolume(), 0],
  ])('is %s', (_, volume, count) => {
    expect(dataOn(instanceOf(), [volume], 'prod')).toHaveLength(count);
  });
});

describe('what was taken from a host', () => {
  it('is not remembered as its own while it is in quarantine', () => {
    expect(takenFrom(quarantineOf())).toEqual([ids.data]);
    expect(takenFrom(undefined)).toEqual([]);
    expect(takenFrom(lifted)).toEqual([]);
  });
});

describe('the tag', () => {
  it('is seen whatever it says', () => {
    const tags = [...agentTags, { key: 'ebs-failover:quarantined', value: 'prod#i-1#1' }];
    expect(isTaggedQuarantined(instanceOf({ tags }))).toBe(true);
    expect(isTaggedQuarantined(instanceOf())).toBe(false);
  });
});

describe('the verdict on a returned host', () => {
  const evidence = (change: Partial<Evidence> = {}): Evidence => ({
    at: t(0),
    ec2: { kind: 'seen', instance: back() },
    checks: { kind: 'seen', checks: checksOf() },
    mesos: { kind: 'not-listed' },
    ...change,
  });
  const kindOf = (of: Evidence, quarantine = quarantineOf()) =>
    withReturn(judge(of, policyOf()), of, quarantine).kind;

  it.each<[string, Partial<Evidence>]>([
    ['it is well', { mesos: { kind: 'working', agentId: ids.agent, how: 'it answers' } }],
    ['no agent registers there', {}],
    ['EC2 has no status checks of it yet', { checks: { kind: 'none' } }],
    ['it is being started', { ec2: { kind: 'seen', instance: back('pending') } }],
    [
      'it hangs',
      {
        checks: {
          kind: 'seen',
          checks: checksOf({ instance: 'impaired', impairedSince: t(-999) }),
        },
      },
    ],
  ])('is Returned although, or because, %s', (_, change) => {
    expect(kindOf(evidence(change))).toBe('Returned');
  });

  it('names the incident that had fenced it', () => {
    const of = evidence();
    const { why } = withReturn(judge(of, policyOf()), of, quarantineOf());
    expect(why.join('; ')).toContain(quarantineOf().incidentId);
  });

  it.each<[string, Partial<Evidence>, string]>([
    [
      'the masters cannot be asked',
      { mesos: { kind: 'masters-unreachable', why: '503' } },
      'Blind',
    ],
    ['EC2 cannot be read', { ec2: { kind: 'unreadable', why: '503' } }, 'Blind'],
    ['EC2 does not know it', { ec2: { kind: 'unknown-instance' } }, 'Blind'],
    ['it is off again', { ec2: { kind: 'seen', instance: back('stopped') } }, 'Down'],
  ])('stays what it is while %s', (_, change, kind) => {
    expect(kindOf(evidence(change))).toBe(kind);
  });

  it('stays what it is for a host that was un-fenced', () => {
    expect(kindOf(evidence(), lifted)).not.toBe('Returned');
  });
});
