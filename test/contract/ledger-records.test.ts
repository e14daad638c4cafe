import { PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LedgerDeps } from '../../src/adapters/dynamodb/table.ts';
import { type IncidentId, incidentIdOf } from '../../src/domain/ids.ts';
import type { OwnershipLedger } from '../../src/ports/ledger.ts';
import type { Ledgers } from './ledger.ts';
import { contents, type Dynalite, ledgersOn, plant, startDynalite } from './ledger-dynalite.ts';
import { claimOf } from './ledger-ownership.ts';
import {
  cluster,
  inventoryAt,
  newInstanceId,
  newVolumeId,
  signalOf,
  stopCall,
  t,
} from './ledger-samples.ts';

let dynalite: Dynalite;
beforeAll(async () => {
  dynalite = await startDynalite();
});
afterAll(() => dynalite.close());

const fresh = async (): Promise<LedgerDeps> => ({
  client: dynalite.client(),
  table: await dynalite.table(),
});

const instanceId = newInstanceId();
const id = incidentIdOf(cluster, instanceId, 1);
const volumeId = newVolumeId();
const claims = [claimOf(volumeId, 1), claimOf(volumeId, 2), claimOf(volumeId, 3)] as const;

/** Three, so that an epoch has moved to an item of its own. */
const claimThrice = async (ownership: OwnershipLedger): Promise<void> => {
  for (const claim of claims) {
    await ownership.claim(await ownership.ownership(volumeId), claim, t(1));
    await ownership.advance({ ...claim, state: 'owned', owner: instanceId }, t(2));
  }
};

describe('records this version cannot read', () => {
  const numbered = (text: string) => incidentIdOf(cluster, instanceId, Number(text));

  it.each([
    ['STATE', { token: '1' }],
    ['STATE', { id: numbered('2') }],
    ['STATE', { fence: { since: 1, rungs: [], voided: [], proof: [{ at: 1 }] } }],
    ['STATE', { status: 'done' }],
    ['OWNER', { epoch: 1.5 }],
    ['OWNER', { epoch: -1 }],
    ['OWNER', { owner: 'somebody' }],
  ])('are refused by name: %s with %o', async (sk, damage) => {
    const deps = await fresh();
    const { incidents, ownership } = ledgersOn(deps);
    const { incident } = await incidents.admit(cluster, signalOf(instanceId));
    const { signals: _, ...rest } = incident;
    await ownership.claim(undefined, claims[0], t(1));
    const [pk, good] =
      sk === 'STATE'
        ? [`INCIDENT#${id}`, { ...rest, signals: {} }]
        : [`VOLUME#${volumeId}`, claims[0]];
    await plant(deps, { pk, sk, schema: 1, ...good, ...damage });
    const read = sk === 'STATE' ? incidents.incident(id) : ownership.ownership(volumeId);
    await expect(read).rejects.toMatchObject({
      name: 'CorruptRecordError',
      details: { key: `${pk}/${sk}` },
    });
  });

  /** Every kind of item, how it is read, and the writes that must leave a later schema alone. */
  const kinds: readonly {
    readonly sk: string;
    readonly uses: (ledgers: Ledgers) => Promise<unknown>[];
  }[] = [
    {
      sk: 'STATE',
      uses: ({ incidents }) => [
        incidents.incident(id),
        incidents.openIncidentOf(instanceId),
        incidents.admit(cluster, signalOf(instanceId, 'event-2')),
        incidents.takeOver(id, 1, t(9)),
        incidents.bindExecution(id, 1, 'arn:b', t(9)),
        incidents.save(id, 1, { status: 'held' }, t(9)),
        incidents.intend(id, 1, 'fence-agent', [stopCall(instanceId)], t(9)),
        incidents.close(id, 1, { status: 'cancelled' }, t(9)),
      ],
    },
    {
      sk: 'OPEN',
      uses: ({ incidents }) => [
        incidents.openIncidentOf(instanceId),
        incidents.admit(cluster, signalOf(instanceId, 'event-2')),
      ],
    },
    { sk: `OPEN#${id}`, uses: ({ incidents }) => [incidents.openIncidents(cluster)] },
    {
      sk: 'STEP#000001',
      uses: ({ incidents }) => [
        incidents.audit(id),
        incidents.conclude(id, 1, { kind: 'accepted', at: t(9) }),
      ],
    },
    {
      sk: 'OWNER',
      uses: ({ ownership }) => [
        ownership.ownership(volumeId),
        ownership.history(volumeId),
        ownership.claim(claims[1], claims[2], t(9)),
        ownership.advance({ ...claims[1], state: 'held' }, t(9)),
      ],
    },
    { sk: 'EPOCH#000001', uses: ({ ownership }) => [ownership.history(volumeId)] },
    {
      sk: 'INVENTORY',
      uses: (ledgers) => [
        ledgers.cluster.inventory(instanceId),
        ledgers.cluster.recordInventory(instanceId, inventoryAt(t(99))),
      ],
    },
    { sk: `AGENT#${instanceId}`, uses: (ledgers) => [ledgers.cluster.watched(cluster)] },
    {
      sk: 'CONTROL',
      uses: (ledgers) => [
        ledgers.cluster.control(cluster),
        ledgers.cluster.rememberZoneShift(cluster, {
          key: 'euc1-az1 autoshift',
          zoneId: 'euc1-az1',
          away: true,
          at: t(9),
          says: 'x',
        }),
      ],
    },
    {
      sk: 'DRAIN',
      uses: (ledgers) => [
        ledgers.cluster.takeSlot(cluster, id),
        ledgers.cluster.takeSlot(cluster, `${id}0` as IncidentId, id),
      ],
    },
    {
      sk: 'TELLING#message',
      uses: ({ telling }) => [telling.claimTelling(id, 'message', t(90), t(135))],
    },
    {
      sk: 'QUIET',
      uses: ({ telling }) => [telling.quietUntil(cluster)],
    },
    {
      sk: 'MESSAGE',
      uses: ({ notifications }) => [
        notifications.message(id),
        notifications.recordMessage(id, 'C2', '2.2'),
      ],
    },
    {
      sk: 'DETAILS',
      uses: ({ notifications }) => [
        notifications.takeDetails(id, ['b'], t(2)),
        notifications.settleDetails(id, ['a'], 'told'),
      ],
    },
  ];

  it.each(kinds)('are left alone when a later version wrote them: $sk', async ({ sk, uses }) => {
    const deps = await fresh();
    const ledgers = ledgersOn(deps);
    await ledgers.incidents.admit(cluster, signalOf(instanceId));
    await ledgers.incidents.intend(id, 1, 'fence-agent', [stopCall(instanceId)], t(1));
    await ledgers.cluster.recordInventory(instanceId, inventoryAt(t(5)));
    await ledgers.cluster.watch(cluster, instanceId);
    await ledgers.cluster.takeSlot(cluster, id);
    await ledgers.notifications.recordMessage(id, 'C1', '1.1');
    await ledgers.notifications.takeDetails(id, ['a'], t(1));
    await ledgers.telling.claimTelling(id, 'message', t(0), t(45));
    await ledgers.telling.keepQuiet(cluster, t(30));
    await ledgers.setControl(cluster, { maintenance: {} });
    await claimThrice(ledgers.ownership);
    const found = (await contents(deps)).find((item) => item.sk?.S === sk);
    await deps.client.send(
      new PutItemCommand({ TableName: deps.table, Item: { ...found, schema: { N: '2' } } }),
    );
    const before = await contents(deps);
    for (const use of await Promise.allSettled(uses(ledgers))) {
      expect(use).toMatchObject({
        status: 'rejected',
        reason: { name: 'CorruptRecordError', details: { key: `${found?.pk?.S}/${sk}` } },
      });
    }
    expect(await contents(deps)).toEqual(before);
  });
});
