import type { Instance } from '../domain/machine.ts';
import { isCrowd, type PacedApi } from '../domain/pace.ts';
import type { ComputeReads } from '../ports/compute.ts';
import type { Pace } from '../ports/pace.ts';
import type { Clock } from '../ports/system.ts';

export interface CrowdDeps {
  readonly pace: Pace;
  readonly clock: Clock;
}

/** Whose machine is being released comes before whose is only looked at. */
type Phase = 'begin' | 'finish';

/** The requests each read makes; a list of more than one page makes more. */
const requestsOf: Readonly<Record<keyof ComputeReads, readonly PacedApi[]>> = {
  instance: ['DescribeInstances'],
  instancesOfCluster: ['DescribeInstances'],
  statusChecks: ['DescribeInstanceStatus'],
  scheduledEvents: ['DescribeInstanceStatus'],
  statusChecksOf: ['DescribeInstanceStatus'],
  volumes: ['DescribeVolumes'],
  volumesOf: ['DescribeVolumes'],
  volumesNamed: ['DescribeVolumes'],
  volumesOfInstances: ['DescribeVolumes', 'DescribeVolumes'],
  volumeConditions: ['DescribeVolumeStatus', 'DescribeVolumesModifications'],
};

const isRead = (name: PropertyKey): name is keyof ComputeReads => Object.hasOwn(requestsOf, name);

/** Waits until the calls may be made. Answers how long that took, in milliseconds. */
export const awaitTurn = async (
  { clock, pace }: CrowdDeps,
  api: PacedApi,
  tokens: number,
): Promise<number> => {
  const since = clock.now();
  const at = await pace.draw(api, tokens, since);
  const waitMs = at - clock.now();
  if (waitMs > 0) await clock.sleep(waitMs);
  return clock.now() - since;
};

/** The status checks of a machine that was just read: EC2 reports none of one that does not run. */
const mayHaveChecks = async (reading: Promise<Instance | undefined> | undefined) =>
  reading === undefined || (await reading)?.state === 'running';

/** Has something come meanwhile for which whoever is at its beginning should not wait any more? */
type Hurry = () => Promise<boolean>;

/** In the queue of those who begin, so often somebody looks whether it has to hurry. */
const hurryEveryMs = 500;

const awaitEarly = async ({ clock, pace }: CrowdDeps, api: PacedApi, hurry: Hurry) => {
  const at = await pace.drawEarly(api, 1, clock.now());
  for (;;) {
    const waitMs = at - clock.now();
    if (waitMs <= 0 || (waitMs > hurryEveryMs && (await hurry()))) return;
    await clock.sleep(Math.min(waitMs, hurryEveryMs));
  }
};

/** First the turn of its phase, then that at the whole bucket: nobody draws far ahead for its begin. */
const awaitRead = async (
  deps: CrowdDeps,
  api: PacedApi,
  phase: Phase,
  hurry: Hurry,
): Promise<void> => {
  if (phase === 'begin') await awaitEarly(deps, api, hurry);
  await awaitTurn(deps, api, 1);
};

const pacedReads = <Compute extends object>(
  compute: Compute,
  deps: CrowdDeps,
  phase: Phase,
  hurry: Hurry,
): Compute => {
  let reading: Promise<Instance | undefined> | undefined;
  return new Proxy(compute, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      if (!isRead(name)) return member.bind(target);
      const read = async (...input: unknown[]): Promise<unknown> => {
        if (name === 'statusChecks' && !(await mayHaveChecks(reading))) return undefined;
        await Promise.all(requestsOf[name].map((api) => awaitRead(deps, api, phase, hurry)));
        return Reflect.apply(member, target, input);
      };
      if (name !== 'instance') return read;
      return (...input: unknown[]) => {
        reading = read(...input) as Promise<Instance | undefined>;
        return reading;
      };
    },
  });
};

/**
 * The same, with reads that wait for their turn at EC2's buckets where many incidents are open at
 * once. With a few nobody waits: the bucket holds more than they can ask for. Those who begin wait
 * only as long as nothing says `hurry`.
 */
export const inCrowd = <Deps extends CrowdDeps & { readonly compute: object }>(
  deps: Deps,
  open: number | undefined,
  phase: Phase,
  hurry: Hurry = async () => false,
): Deps =>
  isCrowd(open) ? { ...deps, compute: pacedReads(deps.compute, deps, phase, hurry) } : deps;
