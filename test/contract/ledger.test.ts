import { afterAll, beforeAll, describe } from 'vitest';
import { MemoryLedger } from '../fakes/memory-ledger.ts';
import { type Ledgers, ledgerContract } from './ledger.ts';
import { type Dynalite, ledgersOn, startDynalite } from './ledger-dynalite.ts';

const inMemory = async (): Promise<Ledgers> => {
  const ledger = new MemoryLedger();
  return {
    incidents: ledger,
    ownership: ledger,
    cluster: ledger,
    notifications: ledger,
    setControl: async (cluster, control) => ledger.setControl(cluster, control),
  };
};

describe('ledger contract', () => {
  let dynalite: Dynalite;
  beforeAll(async () => {
    dynalite = await startDynalite();
  });
  afterAll(() => dynalite.close());

  const onDynamoDb = async (): Promise<Ledgers> =>
    ledgersOn({ client: dynalite.client(), table: await dynalite.table() });

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
});
