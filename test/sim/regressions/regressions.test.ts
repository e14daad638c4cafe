import { expect, it } from 'vitest';
import type { Scene } from '../../../emulator/sim/fault.ts';
import { planFor } from '../../../emulator/sim/plan.ts';
import { playSeed } from '../../../emulator/sim/seed.ts';

interface Regression {
  readonly seed: number;
  readonly scene?: Scene;
  readonly faults: readonly string[];
  /** How its incident ends, where that is not in a recovery. */
  readonly end?: string;
  readonly why: string;
}

/** Worlds that once broke a promise, each with the reason. */
const REGRESSIONS: readonly Regression[] = [
  {
    seed: 2,
    faults: ['EB-03'],
    why: 'what DC/OS took by itself after a slow detach held the incident for ever',
  },
  {
    seed: 31,
    faults: ['OP-03', 'AZ-04'],
    why: 'Stop followed a view of Mesos that slow reads of EC2 had made old',
  },
  {
    seed: 110,
    faults: ['OP-01', 'AZ-04'],
    why: 'a detach followed a read of the machine that a slow read of the volume had made old',
  },
  {
    seed: 1,
    faults: ['ZM-01'],
    why: 'an invocation slept between the write that checks its token and the call it allows',
  },
  {
    seed: 2,
    faults: ['DB-06'],
    why: 'the same before a Stop',
  },
  {
    seed: 9436,
    faults: ['CK-02', 'ZM-01'],
    why: 'the same, and a clock that was set back hid it',
  },
  {
    seed: 8607,
    faults: ['MR-08'],
    end: 'cancelled',
    why: 'an agent that had answered five times was fenced when its sixth answer took 100 ms',
  },
  {
    seed: 3414,
    faults: ['OP-01', 'EC-10'],
    why: 'Force followed a Stop that EC2 had refused while the machine was stopping',
  },
  {
    seed: 508,
    scene: 'quiet',
    faults: ['MR-10', 'LM-T', 'EV-02', 'SL-02'],
    why: 'every event of a short incident was lost with the bus, and nobody was told of its end',
  },
  {
    seed: 611,
    faults: ['EC-16', 'AZ-06', 'OP-10', 'MR-02'],
    end: 'cancelled',
    why: 'an agent that had come back was fenced when the one last look met a fault of Admin Router',
  },
  {
    seed: 1039,
    scene: 'stopped',
    faults: ['AZ-04'],
    why: 'three detaches died on their way to EC2, and a fourth was never sent: held for ever',
  },
  {
    seed: 12426,
    scene: 'flaky',
    faults: ['SL-02', 'MR-07', 'EB-08'],
    end: 'held: multi-attach',
    why: 'the one event of a hold was lost with the bus, and nobody was told',
  },
  {
    seed: 648,
    faults: ['LM-07', 'SF-01', 'ZM-05'],
    why: 'a machine that came up and went down again had no agent that anybody knew: held for ever',
  },
  {
    seed: 84,
    faults: ['DB-01', 'NW-01'],
    why: 'the checker did not see that DC/OS had begun to attach, and charged us with telling it',
  },
  {
    seed: 194,
    faults: ['EB-07', 'LM-07', 'EC-19'],
    why: 'the same with the second volume of an app, after a weak fence',
  },
  {
    seed: 60,
    faults: ['EC-19', 'OP-03'],
    why: 'a volume pulled off by hand went to DC/OS while its machine wrote on, before any step of ours',
  },
  {
    seed: 171,
    faults: ['EC-03'],
    why: 'a Stop whose answer was lost was sent again at every look, and all ten arrived',
  },
  {
    seed: 432,
    scene: 'stopped',
    faults: ['EC-13', 'EC-12'],
    why: 'a guest that blocks its shutdown was terminated without skip, and nobody ended that',
  },
  {
    seed: 519,
    scene: 'stopped',
    faults: ['LM-04', 'EC-02', 'EB-02'],
    why: 'a volume stuck in its detach stayed so when its machine had long been terminated',
  },
  {
    seed: 619,
    faults: ['OP-05', 'EV-04'],
    why: 'a machine taken out of the cluster before it could be found counted as found late',
  },
  {
    seed: 4011,
    scene: 'stopped',
    faults: ['EB-14', 'OP-04'],
    end: 'held: recovery-not-seen',
    why: 'a volume that AWS manages was let go by a termination, and nothing could attach it again',
  },
  {
    seed: 4021,
    scene: 'stopped',
    faults: ['TG-07', 'EB-07'],
    end: 'cancelled',
    why: 'what a person and Auto Scaling deleted while a wrong setting forbade us to act counted as ours',
  },
  {
    seed: 3316,
    faults: ['DB-03', 'DB-09'],
    why: 'the mark of the next epoch was left out, and a table restored from a backup went unseen',
  },
  {
    seed: 4008,
    faults: ['EB-11', 'TG-05'],
    why: 'a volume that came late, with its tags later still, was left on the fenced machine',
  },
  {
    seed: 1521,
    scene: 'terminated',
    faults: ['AS-04', 'LM-08', 'SF-02', 'AZ-04'],
    why: 'the agent of a new machine with the address of the terminated one was marked gone',
  },
  {
    seed: 2179,
    faults: ['LM-09', 'EC-10', 'LM-07'],
    why: 'a refused repeat was taken for an accepted Stop, and Force followed without a look',
  },
  {
    seed: 1,
    faults: ['EC-07'],
    end: 'held: volume-lost',
    why: 'a volume deleted after its release was taken for one in order, and Mesos was told',
  },
  {
    seed: 4,
    faults: ['EC-07'],
    why: 'a volume that EC2 did not know for a while was taken for one in order, and Mesos was told',
  },
  {
    seed: 167,
    scene: 'quiet',
    faults: ['AS-05'],
    why: 'members of a refreshed group that could not be drained were all fenced at once',
  },
  {
    seed: 2458,
    faults: ['EC-03', 'DB-09', 'EB-15', 'LM-04'],
    why: 'a copy of one incident’s records was put back in the middle of another one',
  },
  {
    seed: 3280,
    scene: 'stopped',
    faults: ['MR-07', 'ZM-01', 'OP-09'],
    why: 'a claim that an incident had left behind kept the next one from its volume',
  },
  {
    seed: 7131,
    scene: 'stopped',
    faults: ['DB-09', 'LM-DEP', 'CK-04'],
    why: 'a signal took a held incident from the execution that had begun to work on it again',
  },
  {
    seed: 602,
    faults: ['EC-08', 'SL-01', 'OP-02'],
    end: 'held: protected-from-stop',
    why: 'a world ended while a late alarm had just opened another incident',
  },
];

it.each(REGRESSIONS)(
  'seed $seed: $why',
  async ({ seed, scene = 'hung', faults, end = 'recovered' }) => {
    const { violations, incidents } = await playSeed(planFor({ seed, scene, faults }));
    expect(violations).toEqual([]);
    expect(incidents.length > 0 ? incidents : ['no incident']).toContain(end);
  },
  60_000,
);
