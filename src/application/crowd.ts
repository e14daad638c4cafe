import { isCrowd, type PacedApi } from '../domain/pace.ts';
import type { ComputeReads } from '../ports/compute.ts';
import type { Pace } from '../ports/pace.ts';
import type { Clock } from '../ports/system.ts';

export interface CrowdDeps {
  readonly pace: Pace;
  readonly clock: Clock;
}

/** The requests each read makes; a list of more than one page makes more. */
const requestsOf: Readonly<Record<keyof ComputeReads, readonly PacedApi[]>> = {
  instance: ['DescribeInstances'],
  instancesOfCluster: ['DescribeInstances'],
  statusChecks: ['DescribeInstanceStatus'],
  statusChecksOf: ['DescribeInstanceStatus'],
  volumes: ['DescribeVolumes'],
  volumesOf: ['DescribeVolumes'],
  volumesNamed: ['DescribeVolumes'],
  volumesOfInstances: ['DescribeVolumes', 'DescribeVolumes'],
  volumeConditions: ['DescribeVolumeStatus', 'DescribeVolumesModifications'],
};

const isRead = (name: PropertyKey): name is keyof ComputeReads => Object.hasOwn(requestsOf, name);

/** Waits until the calls may be made. */
export const awaitTurn = async (
  { clock, pace }: CrowdDeps,
  api: PacedApi,
  tokens: number,
): Promise<void> => {
  const at = await pace.draw(api, tokens, clock.now());
  const waitMs = at - clock.now();
  if (waitMs > 0) await clock.sleep(waitMs);
};

const pacedReads = <Compute extends object>(compute: Compute, deps: CrowdDeps): Compute =>
  new Proxy(compute, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      if (!isRead(name)) return member.bind(target);
      return async (...input: unknown[]): Promise<unknown> => {
        await Promise.all(requestsOf[name].map((api) => awaitTurn(deps, api, 1)));
        return Reflect.apply(member, target, input);
      };
    },
  });

/**
 * The same, with reads that wait for their turn at EC2's buckets where many incidents are open at
 * once. With a few nobody waits: the bucket holds more than they can ask for.
 */
export const inCrowd = <Deps extends CrowdDeps & { readonly compute: object }>(
  deps: Deps,
  open: number | undefined,
): Deps => (isCrowd(open) ? { ...deps, compute: pacedReads(deps.compute, deps) } : deps);
