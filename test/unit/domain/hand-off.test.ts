import { describe, expect, it } from 'vitest';
import {
  type HandOffView,
  handOffMethod,
  readyToHandOff,
  tasksLeft,
} from '../../../src/domain/hand-off.ts';
import type { AgentId, VolumeId } from '../../../src/domain/ids.ts';
import type { Facts } from '../../../src/domain/incident.ts';
import type { MesosAgent } from '../../../src/domain/service.ts';
import {
  agentOf,
  attachmentOf,
  dcosOf,
  factsOf,
  fenceOf,
  ids,
  incidentVolumeOf,
  policyOf,
  provenFence,
  recordOf,
  spareAgent,
  t,
  taskOf,
  volumeOf,
} from '../../support/build.ts';

const second = 'vol-000000000000000d2' as VolumeId;
const two: Facts = factsOf({
  volumes: [incidentVolumeOf(), incidentVolumeOf({ volumeId: second, appIds: ['/postgres'] })],
});
const released = recordOf({ state: 'released' });
const stuck = recordOf({ volumeId: second });
/** Proven at 20 s; the second volume does not come free. */
const halfReleased = (atSeconds: number, change: Partial<HandOffView> = {}): HandOffView => ({
  now: t(atSeconds),
  facts: two,
  fence: provenFence(),
  records: [released, stuck],
  unreleasedVolumes: [volumeOf({ volumeId: second })],
  policy: policyOf(),
  ...change,
});
const ready = (view: HandOffView) => readyToHandOff(view, ids.failed);

describe('readyToHandOff', () => {
  it('hands over every app once every volume is released', () => {
    const records = [released, recordOf({ volumeId: second, state: 'released' })];
    expect(ready(halfReleased(21, { records }))).toEqual({
      kind: 'ready',
      appIds: ['/mysql', '/postgres'],
      heldAppIds: [],
    });
  });

  it('tells nobody without a fence proof, however free the volumes are', () => {
    const { proof: _, ...fence } = provenFence();
    expect(ready(halfReleased(21, { fence, records: [released] }))).toMatchObject({
      kind: 'hold',
      reason: 'proof-void',
    });
    expect(ready(halfReleased(999, { fence: fenceOf() }))).toMatchObject({ kind: 'hold' });
  });

  it('waits for the last volume until the partial deadline', () => {
    expect(ready(halfReleased(21))).toEqual({ kind: 'wait', waitMs: 59_000 });
    expect(ready(halfReleased(79.999)).kind).toBe('wait');
    expect(ready(halfReleased(80)).kind).toBe('ready');
  });

  it('then hands over the apps whose volumes are all released, and lists the others as held', () => {
    expect(ready(halfReleased(80))).toEqual({
      kind: 'ready',
      appIds: ['/mysql'],
      heldAppIds: ['/postgres'],
    });
  });

  it('holds an app while one of its two volumes is not released', () => {
    const volumes = [incidentVolumeOf(), incidentVolumeOf({ volumeId: second })];
    expect(ready(halfReleased(80, { facts: factsOf({ volumes }) }))).toMatchObject({
      kind: 'hold',
      reason: 'volume-stuck',
    });
  });

  it.each<[string, Partial<HandOffView>]>([
    ['REX-Ray would force it away', { policy: policyOf({ rexrayPreempt: 'on' }) }],
    [
      'it is attached to another instance as well',
      {
        unreleasedVolumes: [
          volumeOf({
            volumeId: second,
            attachments: [attachmentOf(), attachmentOf({ instanceId: ids.other })],
          }),
        ],
      },
    ],
    [
      'it is free but not recorded as released',
      {
        unreleasedVolumes: [volumeOf({ volumeId: second, attachments: [] })],
      },
    ],
    ['EC2 shows no such volume', { unreleasedVolumes: [] }],
  ])('does not go past an unreleased volume when %s', (_, change) => {
    expect(ready(halfReleased(80, change))).toMatchObject({
      kind: 'hold',
      reason: 'volume-stuck',
      says: expect.stringContaining(second),
    });
  });

  it('counts a volume as moved on that another instance alone took after the proof', () => {
    const taken = volumeOf({
      volumeId: second,
      attachments: [attachmentOf({ instanceId: ids.other })],
    });
    expect(ready(halfReleased(21, { unreleasedVolumes: [taken] }))).toEqual({
      kind: 'ready',
      appIds: ['/mysql', '/postgres'],
      heldAppIds: [],
    });
  });

  it.each(['claimed', 'held'] as const)(
    'does not take a volume that is %s for released',
    (state) => {
      const records = [released, recordOf({ volumeId: second, state })];
      expect(ready(halfReleased(21, { records })).kind).toBe('wait');
    },
  );

  it('is held at once by a volume that EC2 has lost', () => {
    const records = [released, recordOf({ volumeId: second, state: 'lost', says: 'gone' })];
    expect(ready(halfReleased(21, { records }))).toMatchObject({
      kind: 'hold',
      reason: 'volume-lost',
      says: expect.stringContaining(second),
    });
  });

  it('is held at once by a volume in error: its app would get an empty one instead', () => {
    const broken = volumeOf({ volumeId: second, state: 'error', attachments: [] });
    expect(ready(halfReleased(21, { unreleasedVolumes: [broken] }))).toMatchObject({
      kind: 'hold',
      reason: 'volume-not-usable',
      says: expect.stringContaining(second),
    });
  });

  it('names the AWS service that keeps the only volume, once the others had their time', () => {
    const view = {
      facts: factsOf({ volumes: [incidentVolumeOf({ volumeId: second })] }),
      records: [stuck],
      unreleasedVolumes: [volumeOf({ volumeId: second, managedBy: 'eks.amazonaws.com' })],
    };
    expect(ready(halfReleased(21, view)).kind).toBe('wait');
    expect(ready(halfReleased(90, view))).toMatchObject({
      kind: 'hold',
      reason: 'managed-volume',
      says: expect.stringContaining('eks.amazonaws.com'),
    });
  });

  it('does not take a volume without a record for released', () => {
    expect(ready(halfReleased(21, { records: [released, undefined] })).kind).toBe('wait');
  });

  it('takes a volume for released that has its new owner, not one that was never claimed', () => {
    const owned = (owner: typeof ids.failed) =>
      recordOf({ volumeId: second, state: 'owned', owner });
    expect(ready(halfReleased(21, { records: [released, owned(ids.spare)] })).kind).toBe('ready');
    expect(ready(halfReleased(21, { records: [released, owned(ids.failed)] })).kind).toBe('wait');
  });
});

describe('handOffMethod', () => {
  const listed = [agentOf(), spareAgent()];
  const gone = [spareAgent()];
  const recovered = [agentOf({ recovered: true, active: false }), spareAgent()];
  const broken = dcosOf({ version: '1.11.6', markGoneOfUnreachableIsLost: true });
  const old = dcosOf({ version: '1.10.11', markAgentGone: false });

  it.each<[string, typeof broken, readonly MesosAgent[], string]>([
    ['marks a registered agent gone', dcosOf(), listed, 'mark-gone'],
    ['marks an unreachable agent gone where that works', dcosOf(), gone, 'mark-gone'],
    ['marks a registered agent gone on builds with MESOS-9545', broken, listed, 'mark-gone'],
    ['tells Marathon instead once those builds lost it', broken, gone, 'wait-unreachable'],
    ['does not count an agent known only from the registry', broken, recovered, 'wait-unreachable'],
    ['tells Marathon where Mesos knows no such call', old, listed, 'wait-unreachable'],
  ])('%s', (_, dcos, agents, method) => {
    expect(handOffMethod(dcos, [ids.agent], agents)).toBe(method);
  });
});

describe('tasksLeft', () => {
  it('counts the tasks that Marathon still believes to be on the failed agent', () => {
    const here = taskOf();
    const { agentId: _, ...unplaced } = taskOf({ id: 'mysql.3', state: 'TASK_STAGING' });
    const there = taskOf({ id: 'mysql.2', agentId: ids.spareAgent });
    expect(tasksLeft([here, unplaced, there], [ids.agent, 'older' as AgentId])).toEqual([here]);
  });
});
