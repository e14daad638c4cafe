import type { TroubleName } from './troubles.ts';

/** One change of one shipped file: the exact text, once, and what stands there instead. */
export interface Patch {
  file: string;
  exact: string;
  replacement: string;
}

/** A planted bug and the invariants one of which must fire. */
export interface Mutant {
  name: string;
  invariants: readonly string[];
  /** What exposes it to a hung agent, in a world made for it; without, only random worlds do. */
  trouble?: TroubleName;
  /** Faults that expose it: random worlds with one of them are tried first. */
  faults?: readonly string[];
  /** Random worlds in which a person is asked are tried first. */
  asks?: boolean;
  patches: readonly Patch[];
}
