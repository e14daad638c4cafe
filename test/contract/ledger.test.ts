import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MemoryLedger } from '../fakes/memory-ledger.ts';
import { MemoryTelling } from '../fakes/memory-telling.ts';
import { type Ledgers, ledgerContract } from './ledger.ts';
import {
  type Dynalite,
  intercept,
  ledgersOn,
  offenceOf,
  startDynalite,
} from './ledger-dynalite.ts';

const inMemory = async (): Promise<Ledgers> => {
  const ledger = new MemoryLedger();
  return {
    incidents: ledger,
    ownership: ledger,
    cluster: ledger,
    notifications: ledger,
    storms: ledger,
    quarantines: ledger,
    drift: ledger,
    orders: ledger,
    telling: new MemoryTelling(),
    setControl: async (cluster, control) => ledger.setControl(cluster, control),
  };
};

describe('ledger contract', () => {
  let dynalite: Dynalite;
  beforeAll(async () => {
    dynalite = await startDynalite();
  });
  afterAll(() => dynalite.close());

  const asked: { readonly name: string; readonly offence: string | undefined }[] = [];
  const onDynamoDb = async (): Promise<Ledgers> => {
    const client = intercept(dynalite.client(), (request, send) => {
      asked.push({ name: request.name, offence: offenceOf(request) });
      return send();
    });
    return ledgersOn({ client, table: await dynalite.table() });
  };

  describe.each([
    { on: 'memory', make: inMemory },
    { on: 'DynamoDB', make: onDynamoDb },
  ])('on $on', ({ make }) => {
    let ledgers: Ledgers;
    beforeAll(async () => {
      ledgers = await make();
    });
    ledgerContract(() => ledgers);
  });

  it('is kept with consistent reads and conditional single-item writes alone', () => {
    expect(new Set(asked.map(({ name }) => name)).size).toBe(5);
    // The operator's put by hand is the one offender, and shows that offenders are seen.
    expect(asked.flatMap(({ offence }) => offence ?? [])).toEqual([
      'PutItemCommand without a condition',
    ]);
  });
});
