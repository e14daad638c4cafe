import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createRequestLedger } from '../../src/adapters/dynamodb/request-ledger.ts';
import { contents, type Dynalite, plant, startDynalite } from './ledger-dynalite.ts';
import { t } from './ledger-samples.ts';

let dynalite: Dynalite;
beforeAll(async () => {
  dynalite = await startDynalite();
});
afterAll(() => dynalite.close());

const fresh = async () => {
  const deps = { client: dynalite.client(), table: await dynalite.table() };
  return { deps, requests: createRequestLedger(deps) };
};
const at = (digest: string, until: number) => ({ digest, until: t(until) });

describe('requests that were taken', () => {
  it('are known for as long as they could be sent again', async () => {
    const { requests } = await fresh();
    expect(await requests.rememberRequest('prod', at('a', 300), t(0))).toBe('new');
    expect(await requests.rememberRequest('prod', at('a', 300), t(300))).toBe('known');
    expect(await requests.rememberRequest('prod', at('b', 300), t(1))).toBe('new');
    expect(await requests.rememberRequest('staging', at('a', 300), t(1))).toBe('new');
  });

  it('take no room when they are over', async () => {
    const { deps, requests } = await fresh();
    for (let i = 0; i < 20; i += 1) {
      await requests.rememberRequest('prod', at(`r${i}`, i * 100 + 300), t(i * 100));
    }
    const [item] = await contents(deps);
    expect(Object.keys(item?.taken?.M ?? {})).toEqual(['r16', 'r17', 'r18', 'r19']);
  });

  it('are taken once, however many come at the same moment', async () => {
    const { requests } = await fresh();
    const same = Array.from({ length: 5 }, () =>
      requests.rememberRequest('prod', at('a', 300), t(0)),
    );
    const answers = await Promise.all(same);
    expect(answers.filter((answer) => answer === 'new')).toHaveLength(1);
  });

  it('are not guessed at when a later version wrote them', async () => {
    const { deps, requests } = await fresh();
    await plant(deps, { pk: 'SLACK#prod', sk: 'REQUESTS', schema: 2, version: 1, taken: {} });
    await expect(requests.rememberRequest('prod', at('a', 300), t(0))).rejects.toMatchObject({
      name: 'CorruptRecordError',
    });
  });
});
