import { Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { deployed } from './deployed.ts';

/** What arrives when something is wrong with the caller: each is malformed for every step. */
const malformed = [
  { what: 'nothing', event: undefined },
  { what: 'null', event: null },
  { what: 'a text', event: 'fence i-0123456789abcdef0' },
  { what: 'a list', event: [] },
  { what: 'an empty object', event: {} },
  { what: 'an id that is none', event: { incidentId: '../OWNER', token: 1 } },
  { what: 'a token that is none', event: { incidentId: 'demo#i-0123456789abcdef0#1', token: '1' } },
  { what: 'a warm-up call with more to it', event: { warmUp: true, incidentId: 'x' } },
] as const;

/** Whatever calls these, they look for themselves. */
const readsNothing = ['sweep', 'adopt'];

/** Called for every socket that anything opens: the SDK and undici too end up here. */
const connect = vi.fn((): never => {
  throw new Error('there is no network here');
});
const printed: string[] = [];

beforeEach(() => {
  connect.mockClear();
  vi.spyOn(Socket.prototype, 'connect').mockImplementation(connect);
  printed.length = 0;
  vi.spyOn(process.stdout, 'write').mockImplementation((line) => {
    printed.push(String(line));
    return true;
  });
});
afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe.each(deployed)('$key', ({ key, environment, handler }) => {
  beforeEach(() => {
    for (const [variable, value] of Object.entries(environment)) vi.stubEnv(variable, value);
  });

  it('answers a warm-up call without network', async () => {
    await expect(handler({ warmUp: true })).resolves.toEqual({ warm: true });
    expect(connect).not.toHaveBeenCalled();
  });

  it.each(malformed.filter(() => !readsNothing.includes(key)))(
    'refuses $what before any call, and says so in its log and its metrics',
    async ({ event }) => {
      const name = key === 'intake' ? 'SignalRefusedError' : 'ParseError';
      await expect(handler(event)).rejects.toMatchObject({ name });
      expect(connect).not.toHaveBeenCalled();
      const lines = printed.map((line): Record<string, unknown> => JSON.parse(line));
      expect(lines).toContainEqual(
        expect.objectContaining({ level: 'ERROR', message: 'invocation failed', error: name }),
      );
      expect(lines).toContainEqual(expect.objectContaining({ Failed: 1 }));
    },
  );
});

describe('the watch over the network', () => {
  it('sees a function that goes out', async () => {
    const sweep = deployed.find(({ key }) => key === 'sweep');
    for (const [variable, value] of Object.entries(sweep?.environment ?? {})) {
      vi.stubEnv(variable, value);
    }
    await expect(sweep?.handler({})).rejects.toThrow();
    expect(connect).toHaveBeenCalled();
  });
});
