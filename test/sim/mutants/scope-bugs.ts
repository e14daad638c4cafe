import type { Mutant } from './mutant.ts';

/** Bugs of scope, of the data's safety, of telling others and of the end. */
export const scopeBugs: readonly Mutant[] = [
  {
    name: 'the root disk is not left out',
    faults: ['EB-09'],
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
    faults: ['OP-05'],
    invariants: ['S6'],
    trouble: 'untagged',
    patches: [
      {
        file: 'src/application/detach-volumes.ts',
        exact: 'if (volume === undefined || !isOfCluster(volume, scope.cluster)) {',
        replacement: 'if (volume === undefined) {',
      },
    ],
  },
  {
    name: 'DeleteOnTermination is sent without its value',
    faults: ['EB-07'],
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
    faults: ['MR-14', 'MR-01', 'MR-11', 'NW-01'],
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
          '        return conclude(deps, incident, facts, handOff, back, picture.volumes);\n',
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
        exact: '.filter(isOverdue(work, policy, now))',
        replacement: '',
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
    faults: ['SL-02'],
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
    faults: ['SL-04', 'SL-03', 'SL-01'],
    invariants: ['S15'],
    trouble: 'revoked',
    patches: [
      {
        file: 'src/adapters/slack/client.ts',
        exact: '    throw undelivered(method, error);',
        replacement:
          '    throw new NotifierUnavailableError(method, codeOf(error) + (await token()));',
      },
      {
        file: 'src/runtime/scrub.ts',
        exact: "secrets.reduce((text, secret) => text.replace(secret, '[secret]'), line);",
        replacement: 'secrets.reduce((text) => text, line);',
      },
    ],
  },
  {
    name: 'the old agent will do',
    faults: ['MR-11', 'MR-14', 'EC-02'],
    invariants: ['S11'],
    patches: [
      {
        file: 'src/domain/recovery.ts',
        exact: '      !view.failedAgentIds.includes(task.agentId),',
        replacement: '      task.agentId.length > 0,',
      },
      {
        file: 'src/domain/recovery.ts',
        exact: "i.privateIp === task.host && i.state === 'running'",
        replacement: 'i.privateIp === task.host',
      },
      {
        file: 'src/domain/recovery.ts',
        exact: '  if (loose !== undefined)\n',
        replacement: "  if (loose === 'none')\n",
      },
    ],
  },
  {
    name: 'a message counts as sent before it is',
    faults: ['SL-02', 'SL-03', 'SL-04'],
    invariants: ['L6'],
    patches: [
      {
        file: 'src/application/notify.ts',
        exact: 'await notifier.update(known.channel, known.ts, news.message);',
        replacement:
          'await notifier.update(known.channel, known.ts, news.message).catch(() => {});',
      },
      {
        file: 'src/application/notify.ts',
        exact: 'const place = await notifier.post(message);',
        replacement:
          "const place = await notifier.post(message).catch(() => ({ channel: 'C', ts: '1' }));",
      },
      {
        file: 'src/application/notify.ts',
        exact: 'await notifier.reply(channel, ts, lines);',
        replacement: 'await notifier.reply(channel, ts, lines).catch(() => {});',
      },
    ],
  },
  {
    name: 'a pause is not heeded',
    faults: ['OP-07'],
    invariants: ['L8'],
    patches: [
      {
        file: 'src/application/switches.ts',
        exact: 'if (paused !== undefined && (',
        replacement: 'if (paused !== undefined && now < 0 && (',
      },
    ],
  },
  {
    name: 'the sweep takes up what a person holds',
    faults: ['OP-07'],
    invariants: ['L8'],
    patches: [
      {
        file: 'src/application/resume.ts',
        exact: 'if (incident.operatorHold !== undefined) return undefined;',
        replacement: '',
      },
      // Taken up, it would be held again right away.
      {
        file: 'src/application/switches.ts',
        exact: 'if (incident.operatorHold !== undefined) return heldByWord(incident.operatorHold);',
        replacement: '',
      },
    ],
  },
];
