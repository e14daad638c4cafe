import type { Mutant } from './mutant.ts';

const approval = 'src/domain/approval.ts';

/** Bugs of who was asked, and about what. They need a world in which a person is. */
export const approvalBugs: readonly Mutant[] = [
  {
    name: 'silence is a yes',
    invariants: ['S16'],
    asks: true,
    patches: [
      {
        file: approval,
        exact: '  return now < until\n',
        replacement: "  if (now >= until) return { kind: 'go' };\n  return now < until\n",
      },
      {
        file: approval,
        exact: "(approval?.status === 'approved' && approval.launchTime === launchTime)",
        replacement: 'approval?.launchTime === launchTime',
      },
    ],
  },
  {
    name: 'a yes to an old question counts',
    invariants: ['S16'],
    asks: true,
    patches: [
      {
        file: 'src/application/answer-approval.ts',
        exact: 'if (approval.id !== approvalId) {',
        replacement: "if (approval.id !== approvalId && approvalId !== 'a0') {",
      },
      {
        file: 'src/application/answer-approval.ts',
        exact: 'await ledger.answerApproval(id, approvalId, decision, at)',
        replacement: 'await ledger.answerApproval(id, approval.id, decision, at)',
      },
    ],
  },
];
