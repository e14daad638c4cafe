import { describe, expect, it } from 'vitest';
import { intentLastsMs, makeCalls } from '../../../src/application/calls.ts';
import { LedgerUnavailableError } from '../../../src/domain/errors.ts';
import { createWorld, type World } from '../../fakes/world.ts';
import { factsOf, ids } from '../../support/build.ts';

const intent = { call: 'DetachVolume', target: ids.data, parameters: {} };

/** One call, whose intent takes so long to write. */
const madeAfter = async (world: World, ms: number) => {
  const incident = await world.given({ facts: factsOf() });
  const { clock, deps } = world;
  const { ledger } = deps;
  let made = 0;
  const slow = {
    control: ledger.control.bind(ledger),
    conclude: ledger.conclude.bind(ledger),
    intend: async (...args: Parameters<typeof ledger.intend>) => {
      const records = await ledger.intend(...args);
      clock.advance(ms);
      return records;
    },
  };
  const call = {
    intent,
    make: async () => {
      made += 1;
    },
    outcome: () => ({}),
  };
  const result = await makeCalls({ ledger: slow, clock }, incident, 'Test', [call]).catch(
    (error: unknown) => error,
  );
  const [audit] = await ledger.audit(incident.id);
  return { made, result, outcome: audit?.outcome };
};

describe('a mutating call', () => {
  it('follows the write that allows it', async () => {
    const { made, outcome } = await madeAfter(createWorld(), intentLastsMs);
    expect(made).toBe(1);
    expect(outcome?.kind).toBe('accepted');
  });

  it('is not made by a clock that was set back: nobody knows how long it took', async () => {
    const { made, result } = await madeAfter(createWorld(), -60_000);
    expect(made).toBe(0);
    expect(result).toBeInstanceOf(LedgerUnavailableError);
  });

  it('is not made by an invocation that stood still after that write', async () => {
    const { made, result, outcome } = await madeAfter(createWorld(), 8_000);
    expect(made).toBe(0);
    expect(result).toBeInstanceOf(LedgerUnavailableError);
    expect(outcome).toMatchObject({
      kind: 'refused',
      error: 'not made: its intent took 8000 ms to write',
    });
  });
});
