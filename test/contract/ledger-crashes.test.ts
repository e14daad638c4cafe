import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LedgerDeps } from '../../src/adapters/dynamodb/table.ts';
import { LedgerUnavailableError } from '../../src/domain/errors.ts';
import { incidentIdOf } from '../../src/domain/ids.ts';
import type { Ledgers } from './ledger.ts';
import { contents, type Dynalite, intercept, ledgersOn, startDynalite } from './ledger-dynalite.ts';
import { claimOf } from './ledger-ownership.ts';
import {
  cluster,
  detachCall,
  everyFacet,
  inventoryAt,
  newInstanceId,
  newVolumeId,
  signalOf,
  stopCall,
  t,
} from './ledger-samples.ts';

/** The process dies at its k-th write: before DynamoDB has it, or before the answer arrives. */
type Death = 'before the write' | 'after the write';

let dynalite: Dynalite;
beforeAll(async () => {
  dynalite = await startDynalite();
});
afterAll(() => dynalite.close());

const fresh = async (): Promise<LedgerDeps> => ({
  client: dynalite.client(),
  table: await dynalite.table(),
});

/** Ledgers that answer nothing after their k-th write, and how many writes were tried. */
const mortal = (table: string, k: number, death: Death) => {
  const seen = { writes: 0 };
  const gone = () => new Error('socket hang up');
  const client = intercept(dynalite.client(), async ({ isWrite }, send) => {
    if (seen.writes >= k) throw gone();
    if (isWrite) seen.writes += 1;
    if (!isWrite || seen.writes < k) return send();
    if (death === 'after the write') await send();
    throw gone();
  });
  return { ledgers: ledgersOn({ client, table }), seen };
};

const instanceId = newInstanceId();
const id = incidentIdOf(cluster, instanceId, 1);
const volumeId = newVolumeId();
const facets = everyFacet(instanceId, volumeId);
const inventory = inventoryAt(t(5));
const claims = [claimOf(volumeId, 1), claimOf(volumeId, 2), claimOf(volumeId, 3)] as const;

const open = ({ incidents }: Ledgers) => incidents.admit(cluster, signalOf(instanceId));
const close = async ({ incidents }: Ledgers) => {
  await incidents.close(id, 1, { ...facets, status: 'recovered' }, t(60));
  await incidents.unlist(cluster, id);
};
const own = async ({ ownership }: Ledgers, n: 0 | 1 | 2) => {
  const owned = { ...claims[n], state: 'owned', owner: instanceId } as const;
  await ownership.claim(await ownership.ownership(volumeId), claims[n], t(n));
  await ownership.advance(owned, t(n));
  return owned;
};

interface Story {
  readonly act: string;
  readonly given?: (ledgers: Ledgers) => Promise<unknown>;
  readonly run: (ledgers: Ledgers) => Promise<unknown>;
}

const stories: readonly Story[] = [
  { act: 'opening the first incident', run: open },
  {
    act: 'opening the next incident',
    given: async (ledgers) => {
      await open(ledgers);
      await close(ledgers);
    },
    run: ({ incidents }) => incidents.admit(cluster, signalOf(instanceId, 'event-2')),
  },
  {
    act: 'joining an incident',
    given: open,
    run: ({ incidents }) => incidents.admit(cluster, signalOf(instanceId, 'event-2')),
  },
  {
    act: 'binding an execution',
    given: open,
    run: ({ incidents }) => incidents.bindExecution(id, 1, 'arn:a', t(1)),
  },
  {
    act: 'saving facets',
    given: open,
    run: ({ incidents }) => incidents.save(id, 1, facets, t(1)),
  },
  {
    act: 'concluding a call',
    given: async (ledgers) => {
      await open(ledgers);
      await ledgers.incidents.intend(id, 1, 'fence-agent', [stopCall(instanceId)], t(1));
    },
    run: ({ incidents }) => incidents.conclude(id, 1, { kind: 'accepted', at: t(2) }),
  },
  { act: 'closing an incident', given: open, run: close },
  {
    act: 'claiming a volume for the first time',
    run: ({ ownership }) => ownership.claim(undefined, claims[0], t(1)),
  },
  {
    act: 'claiming a volume for the third time',
    given: async (ledgers) => {
      await own(ledgers, 0);
      await own(ledgers, 1);
    },
    run: ({ ownership }) => {
      const seen = { ...claims[1], state: 'owned', owner: instanceId } as const;
      return ownership.claim(seen, claims[2], t(9));
    },
  },
  {
    act: 'moving a volume on',
    given: ({ ownership }) => ownership.claim(undefined, claims[0], t(1)),
    run: ({ ownership }) => ownership.advance({ ...claims[0], state: 'held', says: 'why' }, t(2)),
  },
  {
    act: 'recording an inventory',
    run: (ledgers) => ledgers.cluster.recordInventory(instanceId, inventory),
  },
  {
    act: 'watching an agent',
    run: (ledgers) => ledgers.cluster.watch(cluster, instanceId),
  },
  {
    act: 'watching an agent no more',
    given: (ledgers) => ledgers.cluster.watch(cluster, instanceId),
    run: (ledgers) => ledgers.cluster.unwatch(cluster, instanceId),
  },
  {
    act: 'taking the slot of planned moves',
    run: (ledgers) => ledgers.cluster.takeSlot(cluster, id),
  },
  {
    act: 'freeing the slot of planned moves',
    given: (ledgers) => ledgers.cluster.takeSlot(cluster, id),
    run: (ledgers) => ledgers.cluster.freeSlot(cluster, id),
  },
  {
    act: 'recording a message',
    run: ({ notifications }) => notifications.recordMessage(id, 'C1', '1.1'),
  },
  {
    act: 'taking details to tell',
    run: ({ notifications }) => notifications.takeDetails(id, ['a', 'b'], t(1)),
  },
  {
    act: 'settling details',
    given: ({ notifications }) => notifications.takeDetails(id, ['a', 'b'], t(1)),
    run: ({ notifications }) => notifications.settleDetails(id, ['a'], 'told'),
  },
  {
    act: 'claiming what is to be told',
    run: ({ telling }) => telling.claimTelling(id, 'message', t(1), t(45)),
  },
  {
    act: 'recording that it was told',
    given: ({ telling }) => telling.claimTelling(id, 'message', t(1), t(45)),
    run: ({ telling }) => telling.recordTold(id, 'message', t(2)),
  },
  {
    act: 'giving up what could not be told',
    given: ({ telling }) => telling.claimTelling(id, 'message', t(1), t(45)),
    run: ({ telling }) => telling.giveUpTelling(id, 'message'),
  },
  {
    act: 'forgetting what was told',
    given: async ({ telling }) => {
      await telling.claimTelling(id, 'message', t(1), t(45));
      await telling.recordTold(id, 'message', t(2));
    },
    run: ({ telling }) => telling.forgetTold(id, 'message'),
  },
  {
    act: 'leaving a channel alone for longer',
    given: ({ telling }) => telling.keepQuiet(cluster, t(30)),
    run: ({ telling }) => telling.keepQuiet(cluster, t(60)),
  },
];

const deaths: readonly Death[] = ['before the write', 'after the write'];
const cases = stories.flatMap((story) => deaths.map((death) => ({ ...story, death })));

describe('a crash at any write', () => {
  it.each(cases)('while $act, $death, is healed by doing it again', async (story) => {
    const { given = async () => undefined, run, death } = story;
    const whole = await fresh();
    await given(ledgersOn(whole));
    const { ledgers, seen } = mortal(whole.table, Number.POSITIVE_INFINITY, death);
    await run(ledgers);
    const expected = await contents(whole);
    expect(seen.writes).toBeGreaterThan(0);

    for (let k = 1; k <= seen.writes; k += 1) {
      const deps = await fresh();
      await given(ledgersOn(deps));
      const dying = run(mortal(deps.table, k, death).ledgers);
      await expect(dying).rejects.toThrow(LedgerUnavailableError);
      await run(ledgersOn(deps));
      expect(await contents(deps)).toEqual(expected);
    }
  });

  it.each(deaths)('while closing, %s, does not keep the next incident out', async (death) => {
    for (let k = 1; k <= 3; k += 1) {
      const deps = await fresh();
      const { incidents } = ledgersOn(deps);
      await open(ledgersOn(deps));
      await expect(close(mortal(deps.table, k, death).ledgers)).rejects.toThrow();
      const next = await incidents.admit(cluster, signalOf(instanceId, 'event-2'));
      const over = k > 1 || death === 'after the write';
      expect(next).toMatchObject({ kind: over ? 'opened' : 'joined' });
      // Listed until its end is told.
      const untold = over && !(k === 3 && death === 'after the write') ? [id] : [];
      expect(await incidents.openIncidents(cluster)).toEqual([...untold, next.incident.id]);
      expect(await incidents.openIncidentOf(instanceId)).toEqual(next.incident);
    }
  });

  it('after the gate is taken leaves an incident that the next signal, any signal, opens', async () => {
    const deps = await fresh();
    const { incidents } = ledgersOn(deps);
    await expect(open(mortal(deps.table, 2, 'before the write').ledgers)).rejects.toThrow();
    expect(await incidents.openIncidentOf(instanceId)).toBeUndefined();
    const other = signalOf(instanceId, 'sweep-1', t(60));
    const { kind, incident } = await incidents.admit(cluster, other);
    expect({ kind, incident }).toMatchObject({
      kind: 'opened',
      incident: { id, signals: [other], openedAt: t(60) },
    });
  });

  it.each(deaths)('while taking over, %s, never gives the same token again', async (death) => {
    const deps = await fresh();
    const { incidents } = ledgersOn(deps);
    await open(ledgersOn(deps));
    const dying = mortal(deps.table, 1, death).ledgers.incidents.takeOver(id, 1, t(1));
    await expect(dying).rejects.toThrow(LedgerUnavailableError);
    const again = await incidents.takeOver(id, 1, t(2));
    if (death === 'before the write') expect(again).toMatchObject({ token: 2 });
    else expect(again).toBe('lost');
    expect(await incidents.takeOver(id, 2, t(3))).toMatchObject({ token: 3 });
  });

  it.each(deaths)('while intending calls, %s, leaves gaps but no number twice', async (death) => {
    const calls = [stopCall(instanceId), detachCall(volumeId)];
    for (let k = 1; k <= 3; k += 1) {
      const deps = await fresh();
      const { incidents } = ledgersOn(deps);
      await open(ledgersOn(deps));
      const dying = mortal(deps.table, k, death).ledgers.incidents;
      await expect(dying.intend(id, 1, 'fence-agent', calls, t(1))).rejects.toThrow(
        LedgerUnavailableError,
      );
      const again = await incidents.intend(id, 1, 'fence-agent', calls, t(2));
      const audit = await incidents.audit(id);
      expect(audit.slice(-2)).toEqual(again);
      expect(new Set(audit.map(({ seq }) => seq)).size).toBe(audit.length);
    }
  });
});

describe('signals beyond the maximum', () => {
  it('are counted, where people can see it', async () => {
    const deps = await fresh();
    const { incidents } = ledgersOn(deps);
    await open(ledgersOn(deps));
    for (let i = 2; i <= 53; i += 1) {
      await incidents.admit(cluster, signalOf(instanceId, `event-${i}`, t(i)));
    }
    const state = (await contents(deps)).find(({ sk }) => sk?.S === 'STATE');
    expect(state?.signalsDropped).toEqual({ N: '3' });
  });
});
