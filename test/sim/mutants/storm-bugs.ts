import type { Mutant } from './mutant.ts';

const assess = 'src/application/brake.ts';

/** Bugs of how many are fenced at once. */
export const stormBugs: readonly Mutant[] = [
  {
    name: 'the brake counts each execution alone',
    invariants: ['S9'],
    trouble: 'two hang',
    patches: [
      {
        file: assess,
        exact: 'const decision = brake(storm, applicant, {',
        replacement: 'const decision = brake({ ...storm, admitted: [], waiting: {} }, applicant, {',
      },
    ],
  },
  {
    name: 'a lost race for a place is taken as won',
    invariants: ['S9'],
    trouble: 'two race',
    patches: [
      {
        file: assess,
        exact: "if (written === 'recorded') return undefined;",
        replacement: 'if (written !== undefined) return undefined;',
      },
    ],
  },
];
