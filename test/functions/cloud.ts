import type { AwsEvent } from '../../emulator/core/aws-event.ts';
import { createVirtualTime, type VirtualTime } from '../../emulator/core/virtual-time.ts';
import { createWorld, type World, type WorldOptions } from '../../emulator/world.ts';
import { fixture, here } from '../unit/contracts/fixtures.ts';

/** The emulated cloud in the account and region of the sample events. */
export interface Cloud extends World {
  readonly clock: VirtualTime;
  /** Lets so much virtual time pass. */
  pass(ms: number): Promise<void>;
  /** Lets time pass until it is so. Throws if that takes longer than an hour. */
  until(what: () => boolean): Promise<void>;
  /** What a function printed, line by line. */
  printed(key: string): Record<string, unknown>[];
}

const open: VirtualTime[] = [];
/** Gives the process its clock back; for afterEach. */
export const closeClouds = (): void => {
  for (const clock of open.splice(0)) clock.uninstall();
};

const HOUR_MS = 3_600_000;

export const openCloud = async (seed = 1, options: Partial<WorldOptions> = {}): Promise<Cloud> => {
  const clock = createVirtualTime(here.receivedAt, seed);
  open.push(clock);
  const { account, region } = here;
  const world = await createWorld({ ...options, seed, time: clock, account, region });
  return {
    ...world,
    clock,
    pass: async (ms) => {
      await clock.run({ until: () => false, horizonMs: ms });
    },
    until: async (what) => {
      const end = await clock.run({ until: what, horizonMs: HOUR_MS });
      if (end !== 'reached') throw new Error(`it did not come true: ${end}`);
    },
    printed: (key) =>
      world.trace
        .filter(({ source, text }) => source === key && text === 'log')
        .map(({ data }) => JSON.parse(String(data))),
  };
};

/** A sample event as EventBridge carries it. */
export const sampleEvent = (name: string, changes: Record<string, unknown> = {}): AwsEvent =>
  fixture(name, changes) as AwsEvent;
