import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { deployed } from './deployed.ts';

/** Variables of Lambda's own that any function may look at. */
const OF_LAMBDA = /^AWS_/;

/** The variables a function looks at when it is built. */
const readBy = ({ createHandler, environment }: (typeof deployed)[number]): string[] => {
  const read = new Set<string>();
  const watched = new Proxy(environment, {
    get: (target, key) => {
      if (typeof key === 'string') read.add(key);
      return Reflect.get(target, key);
    },
    ownKeys: () => {
      throw new Error('a function that copies its environment reads all of it');
    },
  });
  createHandler(watched, { log: () => {} });
  return [...read];
};

/** Wrong for every setting there is: none takes spaces and an exclamation mark. */
const WRONG = 'surely not this!';

describe.each(deployed)('$key', (deployedFunction) => {
  const { environment, handler, createHandler, spec } = deployedFunction;
  const given = Object.keys(spec.environment);
  const read = readBy(deployedFunction);
  const settings = [...given.filter((variable) => read.includes(variable)), 'AWS_REGION'];

  // The process's own environment, as Lambda sets it: the exported handler knows no other.
  beforeEach(() => {
    for (const [variable, value] of Object.entries(environment)) vi.stubEnv(variable, value);
    vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  });
  afterEach(() => {
    vi.unstubAllEnvs();
    vi.restoreAllMocks();
  });

  it('exports what Lambda loads and what the emulated cloud builds', () => {
    expect(handler).toBeTypeOf('function');
    expect(createHandler(environment, { log: () => {} })).toBeTypeOf('function');
  });

  it.each(settings)('does not start without %s, and names it with the fix', async (variable) => {
    vi.stubEnv(variable, undefined);
    await expect(handler({ warmUp: true })).rejects.toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(new RegExp(`^configuration: ${variable} is missing: set it`)),
    });
  });

  it.each(settings)('does not start with a wrong %s, and does not repeat it', async (variable) => {
    vi.stubEnv(variable, WRONG);
    const error: unknown = await handler({ warmUp: true }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      name: 'ConfigError',
      message: expect.stringMatching(new RegExp(`${variable} is wrong: set it`)),
    });
    expect(String(error)).not.toContain(WRONG);
  });

  it('reads no variable that it is not given', () => {
    const own = read.filter((variable) => !OF_LAMBDA.test(variable));
    expect(own.filter((variable) => !given.includes(variable))).toEqual([]);
  });

  it('is given no variable that it does not read', () => {
    const unread = given.filter((variable) => !read.includes(variable));
    expect(unread).toEqual([]);
  });
});

describe('the watch over variables', () => {
  const [any] = deployed;

  it('sees one that is read without being given', () => {
    if (any === undefined) throw new RangeError('no functions');
    const nosy: typeof any = {
      ...any,
      createHandler: (env, platform) => {
        void env.HOME;
        return any.createHandler(env, platform);
      },
    };
    expect(readBy(nosy)).toContain('HOME');
  });

  it('does not let a function copy everything', () => {
    if (any === undefined) throw new RangeError('no functions');
    const greedy: typeof any = {
      ...any,
      createHandler: (env, platform) => any.createHandler({ ...env }, platform),
    };
    expect(() => readBy(greedy)).toThrow('reads all of it');
  });
});
