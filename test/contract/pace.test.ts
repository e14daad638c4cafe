import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPace } from '../../src/adapters/dynamodb/pace-ledger.ts';
import type { LedgerDeps } from '../../src/adapters/dynamodb/table.ts';
import { CorruptRecordError, LedgerUnavailableError } from '../../src/domain/errors.ts';
import { MemoryPace } from '../fakes/memory-pace.ts';
import { type Dynalite, plant, startDynalite } from './ledger-dynalite.ts';
import { t } from './ledger-samples.ts';
import { paceContract } from './pace.ts';

let server: Dynalite;
let table: LedgerDeps;
beforeAll(async () => {
  server = await startDynalite();
  table = { client: server.client(), table: await server.table() };
});
afterAll(() => server.close());

let clusters = 0;
const fresh = () => {
  clusters += 1;
  return createPace({ ...table, cluster: `paced-${clusters}`, sharePercent: 70 });
};

describe('turns in DynamoDB', () => {
  paceContract(fresh);

  it('are not drawn from an item of another schema', async () => {
    const pace = fresh();
    const [pk, sk] = [`CLUSTER#paced-${clusters}`, 'PACE#DetachVolume'];
    await plant(table, { pk, sk, schema: 2, emptyAt: 1 });
    await expect(pace.draw('DetachVolume', 1, t(1))).rejects.toThrow(CorruptRecordError);
  });

  it('are not given when the table does not answer', async () => {
    const client = server.client();
    client.middlewareStack.add(
      () => async () => {
        throw new Error('ECONNRESET');
      },
      { step: 'initialize', name: 'cut' },
    );
    const pace = createPace({ ...table, client, cluster: 'cut', sharePercent: 70 });
    await expect(pace.draw('DetachVolume', 1, t(1))).rejects.toThrow(LedgerUnavailableError);
  });
});

describe('turns in memory', () => {
  paceContract(() => new MemoryPace());
});
