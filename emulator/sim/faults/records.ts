import type { AttributeValue, Item } from '../../services/dynamodb/attribute-value.ts';
import { type FaultKind, fault } from '../fault.ts';
import type { Site } from '../site.ts';
import { afterStart } from './moments.ts';

const tableOf = ({ world }: Site): string => world.infra.resource('LedgerTable').ref;
const keyOf = ({ pk, sk }: Item): string =>
  pk && 'S' in pk && sk && 'S' in sk ? `${pk.S} ${sk.S}` : '';

/** The records of this failure: its open incident, or the permissions of its volumes. */
const concerns = ({ stage }: Site, item: Item, record: string): boolean => {
  const key = keyOf(item);
  return record === 'STATE'
    ? key.endsWith(' STATE') && key.includes(stage.failing.instanceId)
    : stage.app.volumeIds.some((id) => key === `VOLUME#${id} OWNER`);
};

/** One attribute of a record is not what it was, until somebody puts it right. */
const edited = (
  site: Site,
  id: string,
  edit: { record: string; attribute: string; value: AttributeValue; forS: number },
): void => {
  const { record, attribute, value, forS } = edit;
  const before = new Map<string, AttributeValue>();
  const text = JSON.stringify(value);
  site.world.dynamodb.edit(tableOf(site), (item) => {
    const was = item[attribute];
    if (was === undefined || !concerns(site, item, record)) return item;
    site.hit(id);
    before.set(keyOf(item), was);
    return { ...item, [attribute]: value };
  });
  const putRight = (): void =>
    site.world.dynamodb.edit(tableOf(site), (item) => {
      const was = before.get(keyOf(item));
      // What has been written since is not ours to undo.
      return was && JSON.stringify(item[attribute]) === text ? { ...item, [attribute]: was } : item;
    });
  site.later(forS * 1000, putRight);
  site.heal(putRight);
};

const UNREADABLE = {
  'a later version of the incident': {
    record: 'STATE',
    attribute: 'schema',
    value: { N: '2' },
  },
  'facts torn': { record: 'STATE', attribute: 'facts', value: { S: '?' } },
  'a later version of the owner': { record: 'OWNER', attribute: 'schema', value: { N: '2' } },
  'an epoch in words': { record: 'OWNER', attribute: 'epoch', value: { S: 'one' } },
} as const;

const BY_HAND = {
  'a token that nobody was given': { record: 'STATE', attribute: 'token', value: { N: '7' } },
  'another incident’s volume': {
    record: 'OWNER',
    attribute: 'incidentId',
    value: { S: 'demo#i-00000000000000000#9' },
  },
  'an epoch that is no number': { record: 'OWNER', attribute: 'epoch', value: { S: '1 ' } },
  'a state that does not exist': { record: 'OWNER', attribute: 'state', value: { S: 'free' } },
} as const;

const editing = (
  id: string,
  edits: Readonly<Record<string, { record: string; attribute: string; value: AttributeValue }>>,
): FaultKind =>
  fault(id, {
    draw: (rng) => ({
      what: rng.pick(Object.keys(edits)),
      afterMs: rng.int(0, 20_000),
      forS: rng.int(30, 300),
    }),
    arm: (site, { what, afterMs, forS }) => {
      const edit = edits[what];
      if (edit === undefined) throw new RangeError(`no edit '${what}'`);
      afterStart(site, afterMs / 1000, () => edited(site, id, { ...edit, forS }));
    },
  });

/** Of one of these volumes: who may have it, and the epochs that are over. */
const isOwnership = (item: Item, volumeIds: readonly string[]): boolean =>
  volumeIds.some((volumeId) => keyOf(item).startsWith(`VOLUME#${volumeId}`));

/** The epoch tag of a volume that has changed hands once: one ahead. */
const MARK_AFTER_ONE = 2;
/** By then every read shows it, the most stale one too. */
const MARK_SEEN_MS = 30_000;

/**
 * Once the app's incident is over its volumes' records are put back from a copy made before it, and then
 * their new machine fails too. Their epochs are two behind the tags; a copy from the middle of an
 * incident is one behind, and cannot be told from a claim that was cut short.
 */
const restored = fault('DB-09', {
  scenes: ['stopped', 'hung'],
  mayHold: ['ledger-rewound'],
  mayStayDown: true,
  draw: (rng) => ({ afterS: rng.int(5, 40) }),
  arm: (site, { afterS }) => {
    const { world, stage } = site;
    const { volumeIds } = stage.app;
    const saved = new Map<string, Item>();
    let copied = false;
    const copy = (): void => {
      copied = true;
      world.dynamodb.edit(tableOf(site), (item) => {
        if (isOwnership(item, volumeIds)) saved.set(keyOf(item), item);
        return item;
      });
    };
    // Where no mark could be written, nothing tells that the table is older than it says.
    const areMarked = (): boolean =>
      [...world.ec2.live().volumes]
        .filter(({ volumeId }) => volumeIds.includes(volumeId))
        .every(({ tags }) => Number(tags['ebs-failover:epoch'] ?? 0) >= MARK_AFTER_ONE);
    let done = false;
    world.states.onStatus(({ status, input, output }) => {
      const isIts = input.includes(stage.failing.instanceId);
      if (isIts && status === 'RUNNING' && !copied) copy();
      if (done || !isIts || status !== 'SUCCEEDED' || !output?.includes('"recovered"')) return;
      done = true;
      site.later(MARK_SEEN_MS + afterS * 1000, () => {
        if (!areMarked()) return;
        world.dynamodb.edit(tableOf(site), (item) =>
          isOwnership(item, volumeIds) ? saved.get(keyOf(item)) : item,
        );
        const tasks = world.dcos.truth().tasks.filter(({ appId }) => appId === stage.app.id);
        const home = tasks.find(({ state }) => state === 'TASK_RUNNING')?.instanceId;
        if (home === undefined || home === stage.failing.instanceId) return;
        site.hit('DB-09');
        world.ec2.stop(home, { skipOsShutdown: true });
      });
    });
  },
});

export const recordFaults: readonly FaultKind[] = [
  editing('DB-08', UNREADABLE),
  editing('OP-09', BY_HAND),
  restored,
];
