/** Where one invocation stops: at its n-th effect, before that is done or just after. */
export interface Mishap {
  readonly effect: number;
  readonly when: 'before' | 'after';
}

/** What lasts beyond an invocation: writes to the ledger, and calls that change the world. */
const effects: ReadonlySet<string> = new Set([
  ...['save', 'intend', 'conclude', 'bindExecution', 'close', 'claim', 'advance'],
  ...['stop', 'terminate', 'detach', 'keepOnTermination', 'tagVolume'],
  ...['enterStandby', 'exitStandby', 'suspendReplacement', 'resumeReplacement'],
  ...['deactivate', 'reactivate', 'markGone', 'clearLaunchDelay', 'replaceUnreachableTask'],
]);

/**
 * Counts effects across invocations and stops one of them for good, as a killed function stops:
 * nothing it awaits ever answers, nothing it wanted to do afterwards happens, no code of it runs
 * to clean up. What was under way beside it still arrives. `onStop` hears of it; a promise that it
 * returns lets the invocation go on when it resolves: then it was only frozen.
 */
export class Mortality {
  count = 0;
  readonly #mishap: Mishap | undefined;

  constructor(mishap?: Mishap) {
    this.#mishap = mishap;
  }

  /** The ports for one invocation. */
  ports<Deps extends object>(deps: Deps, onStop: () => Promise<void> | undefined): Deps {
    const life = { stopped: undefined as Promise<void> | undefined };
    const never = new Promise<never>(() => undefined);
    const stop = (): Promise<void> => {
      life.stopped = onStop() ?? never;
      return life.stopped;
    };
    const guard = (name: string, call: (...args: unknown[]) => unknown) => {
      return async (...args: unknown[]): Promise<unknown> => {
        await life.stopped;
        if (!effects.has(name)) {
          const answer = await call(...args);
          await life.stopped;
          return answer;
        }
        this.count += 1;
        const mine = this.count === this.#mishap?.effect ? this.#mishap : undefined;
        if (mine?.when === 'before') await stop();
        const answer = await call(...args);
        await (mine?.when === 'after' ? stop() : life.stopped);
        return answer;
      };
    };
    const wrap = (port: object): object =>
      new Proxy(port, {
        get: (target, name) => {
          const value: unknown = Reflect.get(target, name, target);
          if (typeof value !== 'function' || typeof name !== 'string') return value;
          const call = (...args: unknown[]): unknown => Reflect.apply(value, target, args);
          return name === 'now' ? call : guard(name, call);
        },
      });
    const wrapped = new Map(Object.entries(deps));
    for (const port of ['ledger', 'compute', 'autoScaling', 'orchestrator', 'clock', 'events']) {
      const value: unknown = wrapped.get(port);
      if (typeof value === 'object' && value !== null) wrapped.set(port, wrap(value));
    }
    return Object.fromEntries(wrapped) as Deps;
  }
}
