import type { Instance, SpotAction, SpotRequest, StateReason } from './model.ts';
import type { Power } from './power.ts';
import type { World } from './world.ts';

export interface Interruption {
  /** Between the warning and the end. Default: two minutes, and none for a hibernation. */
  warningMs?: number;
  /** A rebalance recommendation comes so long before the warning. Default: none comes. */
  rebalanceMs?: number;
}

export interface SpotHands {
  /**
   * EC2 takes the capacity back: a recommendation if asked for, the warning, and after it the
   * action.
   * @throws RangeError for a machine that is no Spot Instance, or a stop of a one-time request's
   */
  interruptSpot(instanceId: string, action: SpotAction, options?: Interruption): void;
  /** A recommendation alone; nothing need follow. */
  recommendRebalance(instanceId: string): void;
  /**
   * There is capacity again: a persistent request that is not cancelled starts its stopped machine,
   * whoever stopped it.
   */
  returnSpotCapacity(instanceId: string): void;
}

const WARNING_MS: Record<SpotAction, number> = { stop: 120_000, terminate: 120_000, hibernate: 0 };

/** Status codes of a request (User Guide, "Get the status of a Spot Instance request"). */
const MARKED = {
  stop: 'marked-for-stop',
  hibernate: 'marked-for-stop',
  terminate: 'marked-for-termination',
} as const;

const isMarked = ({ status }: SpotRequest): boolean => status.startsWith('marked-for-');

const reasonOf = (action: SpotAction): StateReason => {
  const code =
    action === 'terminate' ? 'Server.SpotInstanceTermination' : 'Server.SpotInstanceShutdown';
  return { code, message: `${code}: Spot Instance interrupted (${action})` };
};

const requestOf = ({ instanceId, spot }: Instance): SpotRequest => {
  if (spot === undefined) throw new RangeError(`${instanceId} is no Spot Instance`);
  return spot;
};

/** What becomes of a request with its machine. One that EC2 stopped waits for capacity. */
const follow = (request: SpotRequest, state: Instance['state'], now: number): void => {
  const set = (next: SpotRequest['state'], status: string): void => {
    if (request.state !== 'cancelled') request.state = next;
    Object.assign(request, { status, statusTime: now });
  };
  const interrupted = isMarked(request);
  if (state === 'running') set('active', 'fulfilled');
  if (state === 'stopped' && interrupted) set('open', 'instance-stopped-no-capacity');
  if (state === 'stopped' && !interrupted) set('disabled', 'instance-stopped-by-user');
  if (state === 'terminated') {
    const why = interrupted ? 'no-capacity' : 'by-user';
    const again = request.type === 'persistent' && interrupted;
    set(again ? 'open' : 'closed', `instance-terminated-${why}`);
  }
};

/** The Spot service: it interrupts, and starts again what a persistent request asks for. */
export const createSpot = (world: World, power: Power): SpotHands => {
  const { time } = world;
  const tell = (detailType: string, resource: string, detail: Record<string, unknown>): void =>
    world.publish({ source: 'aws.ec2', detailType, resources: [resource], detail });

  const recommend = ({ instanceId }: Instance): void => {
    const detail = { 'instance-id': instanceId };
    tell('EC2 Instance Rebalance Recommendation', world.instanceArn(instanceId), detail);
  };

  /** Somebody else may have stopped or restarted it since the warning: then this one is void. */
  const end = (instance: Instance, action: SpotAction, launchTime: number): void => {
    if (instance.launchTime !== launchTime || instance.state !== 'running') return;
    const flags = { force: false, skipOsShutdown: false };
    if (action === 'terminate') power.terminate(instance, flags, reasonOf(action));
    else power.stop(instance, flags, reasonOf(action));
  };

  const warn = (instance: Instance, action: SpotAction, warningMs: number): void => {
    const { instanceId, launchTime, availabilityZone } = instance;
    if (instance.state !== 'running') return;
    Object.assign(requestOf(instance), { status: MARKED[action], statusTime: time.now() });
    // The zone in the region's place and no account, as AWS's own example has it.
    const arn = `arn:aws:ec2:${availabilityZone}:instance/${instanceId}`;
    const detail = { 'instance-id': instanceId, 'instance-action': action };
    tell('EC2 Spot Instance Interruption Warning', arn, detail);
    time.after(warningMs, () => end(instance, action, launchTime));
  };

  const restart = (instance: Instance): void => {
    const { requestId, type, state } = requestOf(instance);
    if (type !== 'persistent' || state === 'cancelled' || instance.state !== 'stopped') return;
    if (world.lostZones.has(instance.availabilityZone)) return;
    const { instanceId } = instance;
    const detail = { 'spot-instance-request-id': requestId, 'instance-id': instanceId };
    power.start(instance);
    tell('EC2 Spot Instance Request Fulfillment', world.instanceArn(instanceId), detail);
  };

  world.onState((instanceId, state) => {
    const instance = world.instances.get(instanceId);
    if (instance?.spot === undefined) return;
    follow(instance.spot, state, time.now());
    const { restartMs } = instance.spot;
    if (state === 'stopped' && restartMs !== undefined) {
      time.after(restartMs, () => restart(instance));
    }
  });

  return {
    interruptSpot(instanceId, action, { warningMs = WARNING_MS[action], rebalanceMs } = {}) {
      const instance = world.instance(instanceId);
      if (requestOf(instance).type === 'one-time' && action !== 'terminate') {
        throw new RangeError(`${instanceId} is of a one-time request: it can only be terminated`);
      }
      if (rebalanceMs === undefined) {
        warn(instance, action, warningMs);
        return;
      }
      recommend(instance);
      time.after(rebalanceMs, () => warn(instance, action, warningMs));
    },
    recommendRebalance: (instanceId) => recommend(world.instance(instanceId)),
    returnSpotCapacity: (instanceId) => restart(world.instance(instanceId)),
  };
};
