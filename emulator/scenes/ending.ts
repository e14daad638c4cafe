import type { World } from '../world.ts';
import type { Outcome } from './report.ts';
import { isBack, type Run } from './run.ts';

const HORIZON_MS = 30 * 60_000;
/** A person would be looking by now: what is held then is the outcome. */
const HELD_MS = 5 * 60_000;
/** DC/OS itself waits five minutes for a silent agent; an outage above that is one. */
const OUTAGE_MS = 5 * 60_000;
const WITHOUT_MS = 20 * 60_000;
const SETTLE_MS = 3_000;

const statusesOf = (world: World): string[] =>
  world.states.executions().map(({ status, output }) => {
    if (status !== 'SUCCEEDED') return status;
    const end: unknown = JSON.parse(output ?? '{}');
    const said = typeof end === 'object' && end !== null && 'status' in end ? end.status : 'joined';
    return String(said);
  });

/** Runs until the outcome is there: by the workflow's own end, a long hold, or nothing at all. */
export const runToTheEnd = async (run: Run): Promise<Outcome> => {
  const { world, stage, time, options, failure } = run;
  const pace = options.pace === undefined ? {} : { beforeAdvance: options.pace };
  if (options.without && failure === undefined) return 'cancelled';
  if (options.without) {
    const back = (): boolean => run.healthyAt !== undefined;
    await time.run({ until: back, horizonMs: WITHOUT_MS, ...pace });
    const quick = run.healthyAt !== undefined && run.healthyAt - run.failedAt <= OUTAGE_MS;
    return quick ? 'recovered' : 'down';
  }
  let heldSince: number | undefined;
  world.states.onTransition(({ kind, state }) => {
    if (kind !== 'StateEntered') return;
    if (state === 'HoldIncident') heldSince ??= time.now();
    if (state === 'ProtectData') heldSince = undefined;
  });
  const { lastsMs = 0, ends = 1, promised } = run.play ?? {};
  const isOver = (status: string): boolean => status === 'recovered' || status === 'cancelled';
  const backAgain = (): boolean => stage.crowd.every(({ appId }) => isBack(run, appId));
  const ended = (): boolean => {
    const statuses = statusesOf(world);
    const over = statuses.filter(isOver).length >= ends && !statuses.includes('RUNNING');
    return over && time.now() - run.failedAt >= lastsMs && (promised === 'held' || backAgain());
  };
  const isHeld = (): boolean => heldSince !== undefined && time.now() - heldSince >= HELD_MS;
  const horizonMs =
    run.play?.horizonMs ??
    (failure === undefined && run.play?.begin === undefined ? HELD_MS : HORIZON_MS);
  await time.run({ until: () => ended() || isHeld(), horizonMs, ...pace });
  if (horizonMs < HORIZON_MS) {
    // What an event announces and no read confirms is waited for.
    const atRest = (): boolean => !statusesOf(world).includes('RUNNING');
    await time.run({ until: atRest, horizonMs: HORIZON_MS, ...pace });
  }
  // Messages are still on their way.
  if (ended()) await time.run({ until: () => false, horizonMs: SETTLE_MS, ...pace });
  const statuses = statusesOf(world);
  if (isHeld() && promised === 'held') return 'held';
  if (statuses.includes('recovered')) {
    return run.healthyAt === undefined || !backAgain() ? 'failed' : 'recovered';
  }
  if (isHeld() || statuses.includes('held')) return 'held';
  if (statuses.includes('cancelled')) return 'cancelled';
  const nothing = failure === undefined && (run.play === undefined || promised === 'cancelled');
  return statuses.length === 0 && nothing ? 'cancelled' : 'failed';
};
