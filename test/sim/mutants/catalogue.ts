import { approvalBugs } from './approval-bugs.ts';
import { fencingBugs } from './fencing-bugs.ts';
import { ledgerBugs } from './ledger-bugs.ts';
import type { Mutant } from './mutant.ts';
import { scopeBugs } from './scope-bugs.ts';
import { stormBugs } from './storm-bugs.ts';

export const mutants: readonly Mutant[] = [
  ...fencingBugs,
  ...ledgerBugs,
  ...scopeBugs,
  ...stormBugs,
  ...approvalBugs,
];

/** Bugs that cannot be planted yet, with the feature that is to come first. May only shrink. */
export const pending: readonly { name: string; invariant: string; feature: string }[] = [];
