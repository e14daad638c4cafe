import type { CrashInfo } from '../../network.ts';
import { type FaultKind, fault, isMutation, isStep, type Scene } from '../fault.ts';
import type { Traits } from '../stage.ts';

const MOMENTS = ['before', 'applied', 'answered'] as const;

/** Kills a function at one of the three moments of its n-th such call. */
const crash = (
  id: string,
  at: { functionName: string; operation: RegExp; nthMax?: number },
  more: { traits?: Partial<Traits>; scenes?: readonly Scene[] } = {},
): FaultKind =>
  fault(id, {
    ...more,
    draw: (rng) => ({ moment: rng.pick(MOMENTS), nth: rng.int(1, at.nthMax ?? 1) }),
    arm: (site, { moment, nth }) => {
      let count = 0;
      const isIt = (info: CrashInfo): boolean =>
        info.functionName === at.functionName &&
        info.moment === moment &&
        at.operation.test(`${info.service} ${info.operation}`);
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

export const stepFaults: readonly FaultKind[] = [
  crash('LM-01', { functionName: 'protectData', operation: /dynamodb PutItem/, nthMax: 4 }),
  crash('LM-02', { functionName: 'assessAgent', operation: /dynamodb UpdateItem/, nthMax: 2 }),
  crash(
    'LM-03',
    { functionName: 'protectData', operation: /ModifyInstanceAttribute/ },
    { traits: { deleteOnTermination: true }, scenes: ['hung', 'stopped'] },
  ),
  crash(
    'LM-04',
    { functionName: 'protectData', operation: /EnterStandby/ },
    { traits: { group: true } },
  ),
  crash('LM-05', { functionName: 'protectData', operation: /DEACTIVATE_AGENT/ }),
  crash('LM-06', { functionName: 'fenceAgent', operation: /DescribeInstances|GET_AGENTS/ }),
  crash('LM-07', { functionName: 'fenceAgent', operation: /StopInstances/ }),
  crash('LM-08', { functionName: 'fenceAgent', operation: /DescribeInstances/, nthMax: 40 }),
  crash('LM-09', { functionName: 'releaseVolume', operation: /DetachVolume/ }),
  crash('LM-10', { functionName: 'releaseVolume', operation: /DescribeVolumes/, nthMax: 10 }),
  crash('LM-11', { functionName: 'releaseVolume', operation: /dynamodb UpdateItem/, nthMax: 3 }),
  crash('LM-12', { functionName: 'handOff', operation: /MARK_AGENT_GONE/ }),
  crash('LM-13', { functionName: 'handOff', operation: /marathon GET \/v2\/queue|DELETE/ }),
  crash('LM-14', { functionName: 'notify', operation: /slack chat/, nthMax: 3 }),
  crash('LM-15', { functionName: 'closeIncident', operation: /dynamodb/, nthMax: 4 }),
  stall,
  killedMidBatch,
  slowStart,
];
