import { afterEach, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { loadConfig } from '../../../src/config/load-config.ts';
import { ledger } from '../../../src/config/sections.ts';
import { ConfigError, ParseError } from '../../../src/domain/errors.ts';
import { defineHandler } from '../../../src/runtime/define-handler.ts';
import { defineFunction } from '../../../src/runtime/function-module.ts';
import { createTelemetry } from '../../../src/runtime/telemetry.ts';

/** A function as they stand in functions/: it answers how often this instance of it was called. */
const counting = () => {
  const builds = vi.fn();
  const exported = defineFunction((env, platform) => {
    builds();
    const config = loadConfig(env, { ledger });
    let calls = 0;
    return defineHandler(
      {
        name: 'Count',
        input: z.strictObject({ by: z.int() }),
        output: z.strictObject({ table: z.string(), calls: z.int() }),
        telemetry: createTelemetry({ function: 'Count', log: platform.log }),
      },
      async ({ by }) => {
        calls += by;
        return { table: config.ledger.tableName, calls };
      },
    );
  });
  return { ...exported, builds };
};
const log = (): void => {};

afterEach(() => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
});

describe('createHandler', () => {
  it('gives each cold start an environment and a memory of its own', async () => {
    const { createHandler } = counting();
    const first = createHandler({ LEDGER_TABLE: 'first' }, { log });
    const second = createHandler({ LEDGER_TABLE: 'second' }, { log });
    await first({ by: 5 });
    await expect(first({ by: 1 })).resolves.toEqual({ table: 'first', calls: 6 });
    await expect(second({ by: 1 })).resolves.toEqual({ table: 'second', calls: 1 });
  });

  it('does not look at the environment of the process', () => {
    vi.stubEnv('LEDGER_TABLE', 'of-the-process');
    expect(() => counting().createHandler({})).toThrow(ConfigError);
  });

  it('takes nothing that did not come out of defineHandler', () => {
    // @ts-expect-error: a bare function checks neither its input nor its output
    const { createHandler } = defineFunction(() => async () => ({ calls: 'many' }));
    expect(createHandler).toBeTypeOf('function');
  });
});

describe('handler', () => {
  it('is built from the environment of the process when it is first called, once', async () => {
    vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    const { handler, builds } = counting();
    vi.stubEnv('LEDGER_TABLE', 'set-later');
    expect(builds).not.toHaveBeenCalled();
    await handler({ by: 1 });
    await expect(handler({ by: 1 })).resolves.toEqual({ table: 'set-later', calls: 2 });
    expect(builds).toHaveBeenCalledOnce();
  });

  it('guards its input like the handler it was built from', async () => {
    vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    vi.stubEnv('LEDGER_TABLE', 'a-table');
    await expect(counting().handler({ by: 'one' })).rejects.toThrow(ParseError);
  });

  it('fails an invocation with a name when a setting is missing, and recovers with it', async () => {
    vi.spyOn(process.stdout, 'write').mockReturnValue(true);
    vi.stubEnv('LEDGER_TABLE', undefined);
    const { handler } = counting();
    await expect(handler({ by: 1 })).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringContaining('LEDGER_TABLE is missing'),
    });
    vi.stubEnv('LEDGER_TABLE', 'a-table');
    await expect(handler({ by: 1 })).resolves.toEqual({ table: 'a-table', calls: 1 });
  });
});
