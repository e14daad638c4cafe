import type { Mutant } from './mutant.ts';

const fenceAgent = 'src/application/fence-agent.ts';
const release = 'src/domain/release.ts';

/** Bugs of fence, proof and detach. */
export const fencingBugs: readonly Mutant[] = [
  {
    name: 'one read is proof',
    faults: ['EC-04'],
    invariants: ['S2'],
    trouble: 'early',
    patches: [
      {
        file: fenceAgent,
        exact: 'const second = await readInstance(deps, work);',
        replacement: 'const second = first;',
      },
    ],
  },
  {
    name: 'unknown is dead',
    faults: ['EC-05'],
    invariants: ['S2'],
    trouble: 'forgotten',
    patches: [
      {
        file: fenceAgent,
        exact: 'return { at, instance: await deps.compute.instance(incident.instanceId) };',
        replacement:
          'const dead = { state: "terminated", launchTime: incident.facts?.launchTime };' +
          'const seen = await deps.compute.instance(incident.instanceId);' +
          'return { at, instance: seen ?? (dead as unknown as Instance) };',
      },
    ],
  },
  {
    name: 'stopping is stopped',
    invariants: ['S3'],
    trouble: 'none',
    patches: [
      {
        file: fenceAgent,
        exact: "  instance?.state === 'stopped' || instance?.state === 'terminated'\n",
        replacement:
          "  instance?.state === 'stopping' ? { at, state: 'stopped', launchTime: instance.launchTime } :" +
          " instance?.state === 'stopped' || instance?.state === 'terminated'\n",
      },
      {
        file: release,
        exact: "  instance.state === 'stopped' || instance.state === 'terminated';",
        replacement: '  !["running", "pending"].includes(instance.state);',
      },
    ],
  },
  {
    name: 'the launch time is ignored',
    faults: ['OP-02', 'AS-02'],
    invariants: ['S2', 'S10'],
    trouble: 'restarted',
    patches: [
      {
        file: release,
        exact: 'if (instance.launchTime !== view.provenLaunchTime || !isDown(instance)) {',
        replacement: 'if (!isDown(instance)) {',
      },
    ],
  },
  {
    name: 'Force on the first try',
    invariants: ['S3'],
    trouble: 'none',
    patches: [
      {
        file: release,
        exact: 'if (last === undefined) return { force: false };',
        replacement: 'if (last === undefined) return { force: true };',
      },
    ],
  },
  {
    name: 'a read from before the Stop is proof',
    faults: ['EC-04'],
    invariants: ['S2'],
    trouble: 'early',
    patches: [
      {
        file: fenceAgent,
        exact: '      await climb(deps, work, next);\n',
        replacement:
          '      const before = await readInstance(deps, work);\n' +
          '      await climb(deps, work, next);\n' +
          '      Object.assign(work, { before });\n',
      },
      {
        file: fenceAgent,
        exact: 'const early = asProofRead(first);',
        replacement: 'const early = asProofRead((work as { before?: Read }).before ?? first);',
      },
      {
        file: 'src/domain/fence.ts',
        exact: '(commanded ? read.at > floor : read.at >= floor);',
        replacement: 'read.at > 0 || (commanded ? read.at > floor : read.at >= floor);',
      },
    ],
  },
  {
    name: 'nobody looks again before the Stop',
    faults: ['MR-08'],
    invariants: ['S8'],
    trouble: 'recovers',
    patches: [
      {
        file: fenceAgent,
        exact: 'const doubt = await revalidate(deps, work.incident, evidence);',
        replacement: 'const doubt = undefined;',
      },
    ],
  },
  {
    name: 'a flag that came back is not read before Terminate',
    faults: ['EC-16'],
    invariants: ['S7'],
    trouble: 'doomed again',
    patches: [
      {
        file: 'src/application/why-not-now.ts',
        exact: '  const doomed = wouldDelete(instance, facts);\n',
        replacement: '  const doomed: string | undefined = undefined;\n',
      },
    ],
  },
  {
    name: 'every look climbs the first rung again',
    invariants: ['L9'],
    trouble: 'none',
    patches: [
      {
        file: 'src/domain/fence.ts',
        exact: "  if (skip === undefined) return command(view, 'skip');",
        replacement:
          "  if (skip === undefined || view.instance.state === 'stopping') return command(view, 'skip');",
      },
    ],
  },
  {
    name: 'DetachVolume names no instance',
    invariants: ['S1'],
    trouble: 'late detach',
    patches: [
      {
        file: 'src/adapters/ec2/volume-control.ts',
        exact: '      InstanceId: from,\n',
        replacement: '      ...(from === undefined ? { InstanceId: from } : {}),\n',
      },
    ],
  },
  {
    name: 'one read shows the volume free',
    invariants: ['S2'],
    patches: [
      {
        file: 'src/application/release-volume.ts',
        exact: 'const again = await readVolumes(deps.compute, found);',
        replacement: 'const again = (one) => free.find((due) => due.one === one)?.volume;',
      },
    ],
  },
  {
    name: 'nobody lets a weak fence settle',
    faults: ['EC-19'],
    invariants: ['S1'],
    patches: [
      {
        file: 'src/application/after-proof.ts',
        exact: "if (fence.strength !== 'weak' || fence.proof === undefined)",
        replacement: 'if (fence.proof !== undefined)',
      },
      {
        file: 'src/application/after-proof.ts',
        exact: '- (clock.now() - fence.proof[1].at);',
        replacement: '- (clock.now() - fence.since);',
      },
    ],
  },
  {
    name: 'the evidence of a Stop may be old',
    faults: ['AZ-04'],
    invariants: ['S8'],
    patches: [
      {
        file: fenceAgent,
        exact: 'const evidenceLastsMs = 2_000 - intentLastsMs;',
        replacement: 'const evidenceLastsMs = 60_000 - intentLastsMs;',
      },
    ],
  },
  {
    name: 'the read before a detach may be old',
    faults: ['AZ-04'],
    invariants: ['S3'],
    trouble: 'slow volumes',
    patches: [
      {
        file: 'src/application/release-volume.ts',
        exact: 'const readLastsMs = 2_000 - intentLastsMs;',
        replacement: 'const readLastsMs = 60_000 - intentLastsMs;',
      },
    ],
  },
  {
    name: 'a later start counts as an older one',
    faults: ['OP-02', 'AS-02'],
    invariants: ['L1', 'L3', 'L5'],
    patches: [
      {
        file: 'src/domain/fence.ts',
        exact: 'fence.rungs.some((rung) => rung.launchTime > launchTime);',
        replacement: 'fence.rungs.some((rung) => rung.launchTime < launchTime);',
      },
    ],
  },
  {
    name: 'the looks at a detach are far apart',
    faults: ['SL-05', 'SL-02', 'SE-01'],
    invariants: ['L2'],
    patches: [
      {
        file: 'src/domain/looks.ts',
        exact: '[6_000, 5]',
        replacement: '[6_000, 9_000]',
      },
    ],
  },
  {
    name: 'a stuck stop is looked at for ever and nobody hears of it',
    faults: ['EC-11', 'EC-14'],
    invariants: ['L5'],
    patches: [
      {
        file: 'src/domain/fence.ts',
        exact: '  sinceMs >= limits.fenceStuckMs\n',
        replacement: '  sinceMs >= 10 * limits.fenceStuckMs\n',
      },
    ],
  },
];
