import type { CrashInfo } from '../../network.ts';
import { type FaultKind, fault, isMutation, isStep } from '../fault.ts';
import type { Site } from '../site.ts';
import { flagAgain } from './flags.ts';

const MOMENTS = ['before', 'applied', 'answered'] as const;

/** A call of a step at which a crash is told apart in the failure model. */
export interface CrashSite {
  id: string;
  functionName: string;
  /** Of `service operation`. */
  operation: RegExp;
  nthMax?: number;
  more?: Partial<Pick<FaultKind, 'traits' | 'scenes' | 'mayHold'>>;
  /** What must happen for the call to be made at all, once the incident has begun. */
  provoke?: (site: Site) => void;
}

/** Does something in the world when the incident is first looked at. */
export const onceBegun = (site: Site, effect: (site: Site) => void): void => {
  let done = false;
  site.on('request', ({ functionName }) => {
    if (!done && functionName === 'assessAgent') {
      done = true;
      effect(site);
    }
    return undefined;
  });
};

/** Kills a function at one of the three moments of its n-th such call. */
const crash = ({ id, functionName, operation, nthMax = 1, more, provoke }: CrashSite): FaultKind =>
  fault(id, {
    ...more,
    draw: (rng) => ({ moment: rng.pick(MOMENTS), nth: rng.int(1, nthMax) }),
    arm: (site, { moment, nth }) => {
      if (provoke !== undefined) onceBegun(site, provoke);
      let count = 0;
      const isIt = (info: CrashInfo): boolean =>
        info.functionName === functionName &&
        info.moment === moment &&
        operation.test(`${info.service} ${info.operation}`);
      site.on('crash', (info) => {
        if (!isIt(info)) return false;
        count += 1;
        if (count !== nth) return false;
        site.hit(id);
        return true;
      });
    },
  });

/** A mutation of a step was accepted; everything its invocation asks later takes for ever. */
const stall = fault('LM-T', {
  draw: (rng) => ({ nth: rng.int(1, 8) }),
  arm: (site, { nth }) => {
    let count = 0;
    let frozen: string | undefined;
    site.on('request', (passing) => {
      if (passing.invocationId === frozen) {
        site.hit('LM-T');
        return { delayMs: 100_000 };
      }
      if (frozen !== undefined || !isStep(passing) || !isMutation(passing)) return undefined;
      count += 1;
      if (count === nth) frozen = passing.invocationId;
      return undefined;
    });
  },
});

/** The first thing an invocation asks comes ten seconds late, as after a very slow start. */
const slowStart = fault('LM-CS', {
  draw: (rng) => ({ chance: rng.pick([2, 3, 5]) }),
  arm: (site, { chance }) => {
    const seen = new Set<string>();
    let count = 0;
    site.on('request', ({ invocationId }) => {
      if (seen.has(invocationId)) return undefined;
      seen.add(invocationId);
      count += 1;
      if (count % chance !== 0) return undefined;
      site.hit('LM-CS');
      return { delayMs: 10_000 };
    });
  },
});

const killedMidBatch = fault('LM-OOM', {
  traits: { volumes: 3 },
  draw: (rng) => ({ nth: rng.int(2, 5) }),
  arm: (site, { nth }) => {
    let count = 0;
    site.on('crash', ({ functionName, moment, operation }) => {
      if (functionName !== 'protectData' || moment !== 'answered' || operation !== 'PutItem') {
        return false;
      }
      count += 1;
      if (count !== nth) return false;
      site.hit('LM-OOM');
      return true;
    });
  },
});

/** LM-01 to LM-15. */
export const crashSites: readonly CrashSite[] = [
  { id: 'LM-01', functionName: 'protectData', operation: /dynamodb PutItem/, nthMax: 4 },
  { id: 'LM-02', functionName: 'assessAgent', operation: /dynamodb UpdateItem/, nthMax: 2 },
  {
    id: 'LM-03',
    functionName: 'protectData',
    operation: /ModifyInstanceAttribute/,
    more: {
      traits: { deleteOnTermination: true },
      scenes: ['hung', 'stopped'],
      // The data is doomed again in the midst of it, and its group may be quicker than a ledger that fails.
      mayHold: ['volume-lost'],
    },
    // Adopt has left nothing to keep.
    provoke: flagAgain,
  },
  {
    id: 'LM-04',
    functionName: 'protectData',
    operation: /EnterStandby/,
    more: { traits: { group: true } },
  },
  { id: 'LM-05', functionName: 'protectData', operation: /DEACTIVATE_AGENT/ },
  { id: 'LM-06', functionName: 'fenceAgent', operation: /DescribeInstances|GET_AGENTS/ },
  { id: 'LM-07', functionName: 'fenceAgent', operation: /StopInstances/ },
  { id: 'LM-08', functionName: 'fenceAgent', operation: /DescribeInstances/, nthMax: 40 },
  { id: 'LM-09', functionName: 'releaseVolume', operation: /DetachVolume/ },
  { id: 'LM-10', functionName: 'releaseVolume', operation: /DescribeVolumes/, nthMax: 10 },
  { id: 'LM-11', functionName: 'releaseVolume', operation: /dynamodb UpdateItem/, nthMax: 3 },
  { id: 'LM-12', functionName: 'handOff', operation: /MARK_AGENT_GONE/ },
  { id: 'LM-13', functionName: 'handOff', operation: /marathon GET \/v2\/queue|DELETE/ },
  { id: 'LM-14', functionName: 'notify', operation: /slack chat/, nthMax: 3 },
  { id: 'LM-15', functionName: 'closeIncident', operation: /dynamodb/, nthMax: 4 },
];

export const stepFaults: readonly FaultKind[] = [
  ...crashSites.map(crash),
  stall,
  killedMidBatch,
  slowStart,
];
