import nodeCrypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import { install } from '@sinonjs/fake-timers';
import { createRng, type Rng } from './random.ts';
import type { Time } from './time.ts';

/** A clock that also knows of real asynchronous work, which must not be outrun by emulated time. */
export interface Clock extends Time {
  /** Real work in this process (the embedded DynamoDB): the clock stands still until it settles. */
  busy<T>(work: Promise<T>): Promise<T>;
}

export interface VirtualTime extends Clock {
  /**
   * Moves time from timer to timer until `until()` holds (`reached`), nothing is left to happen
   * (`idle`) or the horizon, `horizonMs` after now, has come (`horizon`). A timer fires only when
   * the code woken by the one before has come to rest. `beforeAdvance`, if given, is awaited
   * before each jump with the milliseconds about to pass: a person can watch at their own pace.
   */
  run(options: {
    until: () => boolean;
    horizonMs: number;
    beforeAdvance?: (untilMs: number) => Promise<void> | void;
  }): Promise<'reached' | 'idle' | 'horizon'>;
  /**
   * Whoever asks Date for the present is told that much more, ms: a machine whose clock is off. The
   * clock itself, its timers and `now()` know nothing of it.
   */
  skew(byMs: () => number): void;
  /** How far the clock is off for whoever asks, ms. */
  offMs(): number;
  /** Gives the process its clock and its randomness back. */
  uninstall(): void;
}

/**
 * Real turns of the event loop that must pass with nothing in flight before time may move. Promise
 * chains need none and streams one; the rest is margin. Turns cost microseconds.
 */
const QUIET_TURNS = 2;

/** Work that never ends would otherwise hang the run. */
const BUSY_TURNS_MAX = 2_000_000;

/**
 * Real work that nobody counts, such as an SDK that reads its shared configuration files on the
 * first call in a process: Node lists it among its active resources, and time waits for it.
 */
const REAL_WORK = /^(FSReq|CloseReq|Zlib|GetAddrInfoReq)/;
const realWorkGoesOn = (): boolean =>
  process.getActiveResourcesInfo().some((resource) => REAL_WORK.test(resource));

const uuidFrom = (rng: Rng): ReturnType<typeof nodeCrypto.randomUUID> =>
  `${rng.hex(8)}-${rng.hex(4)}-4${rng.hex(3)}-a${rng.hex(3)}-${rng.hex(12)}`;

/** Everything random in the process comes from the seed: retry jitter, idempotency tokens, ids. */
const seedGlobals = (rng: Rng): (() => void) => {
  const { random } = Math;
  const { randomUUID } = nodeCrypto;
  const web = globalThis.crypto;
  Math.random = () => rng.next();
  nodeCrypto.randomUUID = () => uuidFrom(rng);
  Object.defineProperty(web, 'randomUUID', { configurable: true, value: () => uuidFrom(rng) });
  return () => {
    Math.random = random;
    nodeCrypto.randomUUID = randomUUID;
    Reflect.deleteProperty(web, 'randomUUID');
  };
};

/** Node's own AbortSignal.timeout counts on the wall clock and would never fire in time. */
const replaceAbortTimeout = (): (() => void) => {
  const original = AbortSignal.timeout;
  AbortSignal.timeout = (delayMs: number) => {
    const controller = new AbortController();
    setTimeout(() => {
      controller.abort(new DOMException('The operation timed out.', 'TimeoutError'));
    }, delayMs);
    return controller.signal;
  };
  return () => {
    AbortSignal.timeout = original;
  };
};

/** A Date that is off by so much, for whoever asks it what time it is. */
const skewedDate = (date: DateConstructor, byMs: () => number): DateConstructor =>
  new Proxy(date, {
    construct: (target, given, newTarget) =>
      Reflect.construct(target, given.length > 0 ? given : [target.now() + byMs()], newTarget),
    get: (target, name) =>
      name === 'now' ? () => target.now() + byMs() : Reflect.get(target, name),
  });

/**
 * Virtual time for the whole process: Date, timers (also those of node:timers), performance and
 * AbortSignal.timeout follow it, setImmediate stays real. One at a time; `uninstall` restores
 * everything. WebCrypto's thread pool is the one thing it cannot see: nothing here may use it.
 */
export const createVirtualTime = (startMs: number, seed: number | string = 1): VirtualTime => {
  const realImmediate = setImmediate;
  const clock = install({
    now: startMs,
    toFake: ['Date', 'setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
    shouldClearNativeTimers: true,
  });
  const restoreGlobals = seedGlobals(createRng(`${seed}/global`));
  const restoreAbort = replaceAbortTimeout();
  // Modules that imported { setTimeout } from 'node:timers' hold a binding that must be refreshed.
  syncBuiltinESMExports();
  let inFlight = 0;
  let skewMs = (): number => 0;

  const turn = (): Promise<void> => new Promise((resolve) => realImmediate(resolve));
  const rest = async (): Promise<void> => {
    let turns = 0;
    for (let quiet = 0; quiet < QUIET_TURNS; quiet++) {
      await turn();
      if (inFlight > 0 || realWorkGoesOn()) quiet = -1;
      if (++turns > BUSY_TURNS_MAX) throw new Error(`${inFlight} pieces of real work never ended`);
    }
  };

  return {
    now: () => clock.now,
    after: (delayMs, effect) => {
      const timer = clock.setTimeout(effect, Math.max(0, delayMs));
      return () => clock.clearTimeout(timer);
    },
    busy: (work) => {
      inFlight += 1;
      return work.finally(() => {
        inFlight -= 1;
      });
    },
    run: async ({ until, horizonMs, beforeAdvance }) => {
      let over = false;
      const horizon = clock.setTimeout(() => {
        over = true;
      }, horizonMs);
      try {
        for (;;) {
          await rest();
          if (until()) return 'reached';
          if (over) return 'horizon';
          if (clock.countTimers() === 1) return 'idle';
          if (beforeAdvance) await beforeAdvance(nextTimerInMs(clock));
          clock.next();
        }
      } finally {
        clock.clearTimeout(horizon);
      }
    },
    skew: (byMs) => {
      skewMs = byMs;
      globalThis.Date = skewedDate(globalThis.Date, byMs);
    },
    offMs: () => skewMs(),
    uninstall: () => {
      restoreAbort();
      restoreGlobals();
      clock.uninstall();
      syncBuiltinESMExports();
    },
  };
};

/** How far away the next timer is; the clock keeps its timers in a heap with the next one first. */
const nextTimerInMs = (clock: {
  now: number;
  timerHeap?: { peek: () => { callAt?: number } | undefined };
}): number => (clock.timerHeap?.peek()?.callAt ?? clock.now) - clock.now;
