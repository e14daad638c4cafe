import { crashSites, onceBegun } from '../../../emulator/sim/faults/steps.ts';
import { installLeanSdk } from '../../../emulator/sim/lean-sdk/install.ts';
import type { Play } from '../../../emulator/sim/pool.ts';
import { playSeed } from '../../../emulator/sim/seed.ts';
import type { Site } from '../../../emulator/sim/site.ts';
import { type Company, createCounter, type Point, plan, sameAs } from './cell.ts';

/** One cell of the matrix; without a point nobody dies, and all points are named. */
export interface Cell extends Company {
  point?: Point;
}

export interface CellResult {
  cell: Cell;
  /** Points passed, in order; in a cell with a point, where a function died. */
  points: Point[];
  violations: string[];
  incidents: string[];
  served: boolean;
  /** Accepted changes, as `fenceAgent StopInstances i-1 Force`. */
  changes: string[];
  /** Executions that ended with the service back; others join or look into later signals. */
  recoveries: number;
  messages: number;
}

/** The first signal, and copies of it right behind. */
const repeatSignal = (site: Site, duplicates: number): void => {
  let first = true;
  site.on('deliver', ({ source, detail }) => {
    if (
      !first ||
      !source.startsWith('aws.') ||
      !JSON.stringify(detail).includes(site.stage.failing.instanceId)
    )
      return undefined;
    first = false;
    return Array.from({ length: duplicates + 1 }, (_, i) => ({ delayMs: i * 5 }));
  });
};

/** A person starts an execution for the same machine the moment the first one begins. */
const startAnother = (site: Site): void => {
  const { world, stage } = site;
  const [machine] = world.infra.ofType('AWS::StepFunctions::StateMachine');
  const input = JSON.stringify({ instanceId: stage.failing.instanceId, reason: 'it looks dead' });
  const request = { operation: 'StartExecution', body: { stateMachineArn: machine?.arn, input } };
  let begun = false;
  world.states.onStatus(({ status }) => {
    if (begun || status !== 'RUNNING') return;
    begun = true;
    site.later(0, () => void site.operator('states', request));
  });
};

const crash = (site: Site, point: Point | undefined, passed: Point[]): void => {
  const nameOf = createCounter();
  site.on('crash', (info) => {
    const here = nameOf(info);
    if (here === undefined) return false;
    if (point === undefined) passed.push(here);
    if (point === undefined || passed.length > 0 || !sameAs(point)(here)) return false;
    passed.push(here);
    return true;
  });
};

/** Plays one cell to its end, with every promise judged. */
export const play: Play<Cell, undefined, CellResult> = async (cell) => {
  installLeanSdk();
  const points: Point[] = [];
  let site: Site | undefined;
  const { violations, incidents, served, changes } = await playSeed(plan, {
    arm: (its) => {
      site = its;
      repeatSignal(its, cell.duplicates);
      for (const { provoke } of crashSites) if (provoke) onceBegun(its, provoke);
      if (cell.executions === 2) startAnother(its);
      crash(its, cell.point, points);
    },
  });
  if (site === undefined) throw new Error('the failure never began');
  const { states, slack } = site.world;
  return {
    cell,
    points,
    // L2 promises its seconds where nobody dies: Lambda tries a lost signal again after a minute.
    violations: violations
      .filter(({ invariant }) => cell.point === undefined || invariant !== 'L2')
      .map(({ invariant, says }) => `${invariant}: ${says}`),
    incidents,
    served,
    changes,
    recoveries: states.executions().filter(({ output }) => output?.includes('"status":"recovered"'))
      .length,
    messages: slack.messages().length,
  };
};
