import { describe, expect, it } from 'vitest';
import type { CrashInfo } from '../../emulator/network.ts';
import { readLedger } from '../../emulator/scenes/ledger-view.ts';
import type { Report } from '../../emulator/scenes/report.ts';
import { playScene } from '../../emulator/scenes/scene.ts';
import type { Stage } from '../../emulator/scenes/stage.ts';
import type { World } from '../../emulator/world.ts';

/**
 * Kills a function at every point at which it can leave something half done: before a change is
 * made, after it was made but before the answer, and after each record. The workflow retries, the
 * step reads first, and the story must come true without any change made twice.
 */
const SEED = 4;

const READS = /^(?:Describe|Get|Query|GET|List|POST \/mesos read)/;
const ASIDE = /^(?:sweep|adopt|notify)$/;

/** Waking a function that may be cold changes nothing. */
const isChange = ({ service, operation, functionName }: CrashInfo): boolean =>
  service !== 'lambda' && !READS.test(operation) && !ASIDE.test(functionName);

/** A point of the undisturbed run: the n-th time this function makes this call. */
interface Point {
  functionName: string;
  service: string;
  operation: string;
  nth: number;
  moment: 'before' | 'applied';
}

const keyOf = ({ functionName, service, operation }: Omit<Point, 'nth' | 'moment'>): string =>
  `${functionName} ${service} ${operation}`;

/** Counts changes per function and call, from the failure on. */
const counter = (since: (world: World) => boolean) => {
  const seen = new Map<string, number>();
  return (world: World, info: CrashInfo): number | undefined => {
    if (!since(world) || !isChange(info)) return undefined;
    const key = `${keyOf(info)} ${info.moment}`;
    const nth = (seen.get(key) ?? 0) + 1;
    seen.set(key, nth);
    return nth;
  };
};

const hasFailed = (world: World): boolean =>
  world.ec2.all().some(({ kernel }) => kernel === 'hung');

const pointsOf = async (): Promise<Point[]> => {
  const points: Point[] = [];
  await playScene({
    scene: 'hung',
    seed: SEED,
    prepare: (world) => {
      const count = counter(() => hasFailed(world) || points.length > 0);
      world.faults.crashPoint = (info) => {
        const nth = count(world, info);
        const { moment, functionName, service, operation } = info;
        if (nth === undefined || moment === 'answered') return false;
        // A record is durable or it is not: dying before it is dying after what came before it.
        if (moment === 'before' && service === 'dynamodb') return false;
        points.push({ functionName, service, operation, nth, moment });
        return false;
      };
    },
  });
  return points;
};

interface Crashed {
  report: Report;
  world: World;
  stage: Stage;
  crashes: number;
}

const crashAt = async (point: Point): Promise<Crashed> => {
  let crashes = 0;
  let seen: { world: World; stage: Stage } | undefined;
  const report = await playScene({
    scene: 'hung',
    seed: SEED,
    prepare: (world, stage) => {
      seen = { world, stage };
      let begun = false;
      const count = counter(() => {
        begun ||= hasFailed(world);
        return begun;
      });
      world.faults.crashPoint = (info) => {
        const nth = count(world, info);
        const here = keyOf(info) === keyOf(point) && info.moment === point.moment;
        if (crashes > 0 || !here || nth !== point.nth) return false;
        crashes += 1;
        return true;
      };
    },
  });
  if (seen === undefined) throw new Error('the scene was never set');
  return { report, ...seen, crashes };
};

/** Changes of the machines that were accepted, by call. */
const accepted = (world: World, api: string): number =>
  world.ec2.calls().filter((call) => call.api === api && call.outcome === 'ok').length;

const points = await pointsOf();

describe('a step that dies is taken up without a double effect', () => {
  it('walks through every step of the workflow', () => {
    const functions = new Set(points.map(({ functionName }) => functionName));
    expect([...functions].sort()).toEqual([
      'assessAgent',
      'closeIncident',
      'fenceAgent',
      'handOff',
      'intake',
      'protectData',
      'releaseVolume',
      'verifyRecovery',
    ]);
    expect(points.length).toBeGreaterThan(40);
  });

  it.each(points.map((point) => [`${keyOf(point)} #${point.nth}`, point.moment, point] as const))(
    '%s, %s',
    async (_title, _moment, point) => {
      const { report, world, crashes } = await crashAt(point);
      expect(crashes).toBe(1);
      expect(report.outcome).toBe('recovered');
      expect(report.data).toMatchObject({ lostRows: 0, foreignWrites: 0 });
      expect(report.volumes.map(({ epoch }) => epoch)).toEqual([1]);
      expect(report.fence?.proof).toHaveLength(2);
      // The one call that died may be made again: EC2 takes both as the same.
      const again = (api: string): number => (point.operation === api ? 2 : 1);
      expect(accepted(world, 'StopInstances')).toBeLessThanOrEqual(again('StopInstances'));
      const detaches = world.ec2
        .calls()
        .filter(({ api, caller }) => api === 'DetachVolume' && caller.accessKeyId !== 'AGENT');
      expect(detaches.length).toBeLessThanOrEqual(again('DetachVolume'));
      const working = world.states.executions().filter(({ output }) => output?.includes('status'));
      expect(working).toHaveLength(1);
      expect(world.slack.messages()).toHaveLength(1);
    },
    30_000,
  );
});

it('reads the ledger the scenes read', async () => {
  let world: World | undefined;
  const report = await playScene({
    scene: 'hung',
    seed: SEED,
    prepare: (made) => {
      world = made;
    },
  });
  if (world === undefined) throw new Error('no world');
  const ledger = await readLedger(world, report.agent.instanceId);
  expect(ledger.incident?.id).toBe(report.incident?.id);
});
