import type { AwsEvent } from '../../core/aws-event.ts';
import type { Durations } from '../../core/durations.ts';
import { append } from '../../core/log.ts';
import type { BlockVolume, Machine, Machines } from '../../core/machines.ts';
import { Ec2Refusal } from '../../core/machines.ts';
import type { Rng } from '../../core/random.ts';
import type { Time } from '../../core/time.ts';
import type { Caller, Service } from '../../core/wire.ts';
import type { Health } from '../health/health.ts';
import type { QueryParams, XmlElement } from '../query-protocol.ts';
import { ec2Answer, ec2Error, parseQuery, QueryRefusal } from '../query-protocol.ts';
import type { Action, Authorize } from './action.ts';
import { type AutoRecoveryHands, createAutoRecovery } from './auto-recovery.ts';
import { mappingsView } from './describe.ts';
import { createDescribeActions } from './describe-actions.ts';
import { Disks } from './disks.ts';
import type { Ec2Call, Ec2Faults } from './faults.ts';
import type { Hands } from './hands.ts';
import { createHands } from './hands.ts';
import type { StatusSample } from './health.ts';
import { createHealth } from './health.ts';
import { createAttributeActions, createPowerActions } from './instance-actions.ts';
import type { InstanceSpec, VolumeSpec } from './launch.ts';
import { addBooting, addInstance, addVolume } from './launch.ts';
import { createMaintenanceActions } from './maintenance-options.ts';
import type { Instance, InstanceState, Volume } from './model.ts';
import { Power } from './power.ts';
import { createSchedules, type Schedules } from './scheduled-events.ts';
import { isCutOff } from './security-groups.ts';
import { createSpot, type SpotHands } from './spot.ts';
import { createSpotActions } from './spot-requests.ts';
import { createTagActions } from './tag-actions.ts';
import { createThrottle, type Throttle } from './throttle.ts';
import { createVolumeActions } from './volume-actions.ts';
import type { World } from './world.ts';
import { createWorld } from './world.ts';
import { createZoneHands, type ZoneHands } from './zones.ts';

/** Whose calls the agents' own AttachVolume, DetachVolume and CreateVolume are in the log. */
export const AGENT_CALLER: Caller = { accessKeyId: 'AGENT' };

/** A person's few calls, and those by which the simulator itself asks, draw from no bucket. */
const OPERATOR = 'OPERATOR';

export interface Ec2Deps {
  time: Time;
  rng: Rng;
  durations: Durations;
  account: string;
  region: string;
  emit: (event: AwsEvent) => void;
  /** Tells the account what AWS plans for its machines. */
  health: Health;
  /** Without it everybody may do everything. Agents are never asked: their role may do all. */
  authorize?: Authorize;
}

export interface Ec2
  extends Service,
    Machines,
    Hands,
    Schedules,
    SpotHands,
    AutoRecoveryHands,
    ZoneHands {
  /** Assign members to begin a fault, delete them to end it. */
  readonly faults: Ec2Faults;
  readonly background: Throttle['background'];
  /** Puts a machine into the world, without event or boot. Answers its id. */
  seedInstance(spec: InstanceSpec): string;
  seedVolume(spec: VolumeSpec): string;
  /**
   * New capacity, as Auto Scaling asks for it: `pending`, later `running`. Throws
   * `InsufficientInstanceCapacity` in a zone that is lost.
   */
  launch(spec: InstanceSpec): string;
  /** The true state, and since when its status check fails. */
  status(instanceId: string): { state: InstanceState; impairedSince: number | undefined };
  /** A deep copy of everything that ever was, for the oracle. */
  truth(): { instances: Instance[]; volumes: Volume[] };
  /** The same as it is at this moment, uncopied: to be looked at, not to be kept or changed. */
  live(): { instances: Iterable<Instance>; volumes: Iterable<Volume> };
  /** Every call applied or refused, in order. */
  calls(): readonly Ec2Call[];
  /** Each full minute, after the checks were taken. */
  onStatusCheck(listener: (minute: number, samples: StatusSample[]) => void): void;
  onState(listener: (instanceId: string, state: InstanceState) => void): void;
}

const STATUS_BY_CODE: Record<string, number> = {
  AuthFailure: 401,
  UnauthorizedOperation: 403,
  DryRunOperation: 412,
  InternalError: 500,
  InternalFailure: 500,
  InsufficientInstanceCapacity: 500,
  RequestLimitExceeded: 503,
  ServiceUnavailable: 503,
  Unavailable: 503,
};

const isRefusal = (error: unknown): error is Ec2Refusal | QueryRefusal =>
  error instanceof Ec2Refusal || error instanceof QueryRefusal;

const perform = (
  actions: Record<string, Action>,
  authorize: Authorize | undefined,
  request: { api: string; params: QueryParams; caller: Caller },
): XmlElement => {
  const { api, params, caller } = request;
  const action = actions[api];
  if (action === undefined) {
    const message = `The action ${api} is not valid for this web service.`;
    throw new Ec2Refusal(api === '' ? 'MissingAction' : 'InvalidAction', message);
  }
  const resources = action.resources(params);
  authorize?.(`ec2:${api}`, resources, caller, action.context?.(params) ?? {});
  if (params.flag('DryRun')) {
    const message = 'Request would have succeeded, but DryRun flag is set.';
    throw new Ec2Refusal('DryRunOperation', message);
  }
  return action.apply(params);
};

const machineOf = (world: World, instance: Instance): Machine => ({
  instanceId: instance.instanceId,
  launchTime: instance.launchTime,
  privateIp: instance.privateIp,
  availabilityZone: instance.availabilityZone,
  powered: instance.powered,
  kernel: instance.kernel,
  shuttingDown: instance.shuttingDown,
  tags: { ...instance.tags },
  cutOff: isCutOff(world, instance),
});

const blockVolumeOf = (volume: Volume): BlockVolume => ({
  volumeId: volume.volumeId,
  name: volume.tags.Name,
  availabilityZone: volume.availabilityZone,
  state: volume.state,
  attachments: volume.attachments.map(({ instanceId, device, state }) => ({
    instanceId,
    device,
    state,
  })),
  ioPaused: volume.ioPaused,
});

/** Runs a call under the fault hooks and writes it to the log, whatever its outcome. */
const createRecorder = (world: World, throttle: Throttle, log: Ec2Call[]) => {
  return <T>(
    api: string,
    params: Record<string, string>,
    caller: Caller,
    effect: () => T,
    query?: QueryParams,
  ): T => {
    const call: Ec2Call = { api, params, caller, at: world.time.now(), outcome: 'ok' };
    append(log, call);
    try {
      if (caller.accessKeyId !== OPERATOR) throttle.admit(api, query);
      world.faults.onCall?.(call);
      return effect();
    } catch (error) {
      call.outcome = isRefusal(error) ? error.code : 'InternalError';
      throw error;
    }
  };
};

/** The query protocol's side: rights, the action itself, and its answer or refusal as XML. */
const createEndpoint =
  (deps: {
    world: World;
    actions: Record<string, Action>;
    record: ReturnType<typeof createRecorder>;
    authorize: Authorize | undefined;
  }): Service['handle'] =>
  (request, caller) => {
    const { world, actions, record, authorize } = deps;
    const requestId = world.requestId();
    try {
      const { action: api, params } = parseQuery(request);
      const applied = (): XmlElement => perform(actions, authorize, { api, params, caller });
      const result = record(api, params.raw(), caller, applied, params);
      return ec2Answer(api, requestId, result);
    } catch (error) {
      if (!isRefusal(error)) throw error;
      return ec2Error(STATUS_BY_CODE[error.code] ?? 400, requestId, error);
    }
  };

/**
 * EC2 and EBS: the query protocol on one side (`handle`), the machines and their disks on the
 * other (`Machines`). Behaviour after the EC2 API reference and user guide.
 */
export const createEc2 = (deps: Ec2Deps): Ec2 => {
  const faults: Ec2Faults = {};
  const log: Ec2Call[] = [];
  const world = createWorld({ ...deps, faults });
  const disks = new Disks(world);
  const power = new Power(world, disks);
  const health = createHealth(world);
  const throttle = createThrottle(deps.time);
  const record = createRecorder(world, throttle, log);
  const actions: Record<string, Action> = {
    ...createPowerActions(world, power),
    ...createAttributeActions(world, (instance) => mappingsView(world, instance)),
    ...createMaintenanceActions(world),
    ...createVolumeActions(world, disks),
    ...createTagActions(world),
    ...createSpotActions(world),
    ...createDescribeActions(world),
  };
  const all = (): Instance[] => [...world.instances.values()];

  return {
    faults,
    background: throttle.background,
    handle: createEndpoint({ world, actions, record, authorize: deps.authorize }),
    seedInstance: (spec) => addInstance(world, spec).instanceId,
    seedVolume: (spec) => addVolume(world, spec).volumeId,
    launch(spec) {
      power.checkCapacity(spec.availabilityZone);
      const instance = addBooting(world, spec);
      power.boot(instance);
      return instance.instanceId;
    },
    ...createHands(world, power, disks),
    ...createSpot(world, power),
    ...createZoneHands(world, power, disks),
    ...createAutoRecovery(world, { power, health: deps.health, onCheck: health.onCheck }),
    ...createSchedules(world, power, deps.health),
    status(instanceId) {
      const { state, impairedSince } =
        world.instances.get(instanceId) ?? world.instance(instanceId);
      return { state, impairedSince };
    },
    machine(instanceId) {
      const instance = world.instances.get(instanceId);
      return instance && machineOf(world, instance);
    },
    all: () => all().map((instance) => machineOf(world, instance)),
    volumes: () =>
      [...world.volumes.values()].filter(({ state }) => state !== 'deleted').map(blockVolumeOf),
    attachVolume: (volumeId, instanceId, device) =>
      record('AttachVolume', { volumeId, instanceId, device }, AGENT_CALLER, () => {
        disks.attach(world.volume(volumeId), world.instance(instanceId), device);
      }),
    detachVolume: (volumeId, { force }) =>
      record('DetachVolume', { volumeId, force: String(force) }, AGENT_CALLER, () => {
        disks.detach(world.volume(volumeId), { force });
      }),
    createVolume: ({ availabilityZone, sizeGiB, name }) =>
      record('CreateVolume', { availabilityZone, name }, AGENT_CALLER, () => {
        return disks.create({ availabilityZone, sizeGiB, tags: { Name: name } }).volumeId;
      }),
    subscribe: world.onMachineEvent,

    live: () => ({ instances: world.instances.values(), volumes: world.volumes.values() }),
    truth: () => structuredClone({ instances: all(), volumes: [...world.volumes.values()] }),
    calls: () => log,
    onStatusCheck: health.onCheck,
    onState: world.onState,
  };
};
