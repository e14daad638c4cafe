import type { Mutant } from './mutant.ts';

/** Bugs of scope, of the data's safety, of telling others and of the end. */
export const scopeBugs: readonly Mutant[] = [
  {
    name: 'the root disk is not left out',
    invariants: ['S6'],
    trouble: 'named root',
    patches: [
      {
        file: 'src/domain/scope.ts',
        exact: '].some(({ device }) => device === instance.rootDeviceName);',
        replacement: "].some(({ device }) => device === '/dev/none');",
      },
    ],
  },
  {
    name: 'the tag of a volume is read at the start only',
    invariants: ['S6'],
    trouble: 'untagged',
    patches: [
      {
        file: 'src/application/release-volume.ts',
        exact: 'if (volume === undefined || !isOfCluster(volume, scope.cluster)) {',
        replacement: 'if (volume === undefined) {',
      },
    ],
  },
  {
    name: 'DeleteOnTermination is sent without its value',
    invariants: ['S7'],
    trouble: 'doomed volume',
    patches: [
      {
        file: 'src/adapters/ec2/safekeeping.ts',
        exact: 'Ebs: { VolumeId: volumeId, DeleteOnTermination: false },',
        replacement: 'Ebs: { VolumeId: volumeId },',
      },
    ],
  },
  {
    name: 'time runs out and it counts as recovered',
    invariants: ['S11'],
    trouble: 'no home',
    patches: [
      {
        file: 'src/domain/policy.ts',
        exact: 'recoveryMs: 600_000,',
        replacement: 'recoveryMs: 60_000,',
      },
      {
        file: 'src/application/verify-recovery.ts',
        exact: '      if (isLast) {\n',
        replacement:
          '      if (isLast) {\n' +
          '        return conclude(deps, incident, facts, handOff, back);\n',
      },
    ],
  },
  {
    name: 'the agent is marked gone before the last volume is free',
    invariants: ['S13'],
    trouble: 'none',
    patches: [
      {
        file: 'src/application/release-volume.ts',
        exact: 'if (overdue(work, policy, now) && work.detaches.length > 0) {',
        replacement: 'if (work.detaches.length > 0) {',
      },
      {
        file: 'src/domain/hand-off.ts',
        exact: "  return record?.state === 'released' ||",
        replacement: "  return record?.state === 'claimed' || record?.state === 'released' ||",
      },
    ],
  },
  {
    name: 'a lost message fails the step',
    invariants: ['S14'],
    trouble: 'mute',
    patches: [
      {
        file: 'src/adapters/event-bus/phase-events.ts',
        exact: 'await put(phase, incident, at).catch((error) => failureOf(error).code);',
        replacement: 'await put(phase, incident, at);',
      },
    ],
  },
  {
    name: 'an error quotes the token',
    invariants: ['S15'],
    trouble: 'revoked',
    patches: [
      {
        file: 'src/adapters/slack/notifier.ts',
        exact: '      throw undelivered(method, error);',
        replacement:
          '      throw new NotifierUnavailableError(method, codeOf(error) + (await token()));',
      },
      {
        file: 'src/runtime/scrub.ts',
        exact: "secrets.reduce((text, secret) => text.replace(secret, '[secret]'), line);",
        replacement: 'secrets.reduce((text) => text, line);',
      },
    ],
  },
];
