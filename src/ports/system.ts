import type { EpochMs } from '../domain/ids.ts';

/** The only source of time for everything above the domain, where time is an argument. */
export interface Clock {
  now(): EpochMs;
  /** Resolves after `delayMs`; never early. */
  sleep(delayMs: number): Promise<void>;
}

export interface Log {
  info(message: string, keys?: Readonly<Record<string, unknown>>): void;
  warn(message: string, keys?: Readonly<Record<string, unknown>>): void;
  error(message: string, keys?: Readonly<Record<string, unknown>>): void;
}

/** One count per outcome; names are PascalCase nouns. */
export interface Metrics {
  count(name: string, value?: number): void;
}
