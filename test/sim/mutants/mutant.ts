import type { TroubleName } from './troubles.ts';

/** One change of one shipped file: the exact text, once, and what stands there instead. */
export interface Patch {
  file: string;
  exact: string;
  replacement: string;
}

/** A planted bug, the trouble that exposes it, and the invariants one of which must fire. */
export interface Mutant {
  name: string;
  invariants: readonly string[];
  trouble: TroubleName;
  patches: readonly Patch[];
}
