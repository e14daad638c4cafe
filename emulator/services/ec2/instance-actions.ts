import { Ec2Refusal } from '../../core/machines.ts';
import type { QueryParams, XmlElement } from '../query-protocol.ts';
import type { Action } from './action.ts';
import { instanceResource, launchTags, refuse, tagContext } from './action.ts';
import { reservationView, stateView } from './describe.ts';
import { addBooting } from './launch.ts';
import type { Instance } from './model.ts';
import { attachmentOf } from './model.ts';
import type { Power, StateChange, StopFlags } from './power.ts';
import { checkStart, checkStop, checkTerminate } from './power.ts';
import { groupIdsOf, groupsView, setGroups } from './security-groups.ts';
import type { World } from './world.ts';

const changesView = (changes: StateChange[]): XmlElement => ({
  instancesSet: changes.map(({ instanceId, current, previous }) => ({
    instanceId,
    currentState: stateView(current),
    previousState: stateView(previous),
  })),
});

const flagsOf = (params: QueryParams): StopFlags => ({
  force: params.flag('Force') ?? false,
  skipOsShutdown: params.flag('SkipOsShutdown') ?? false,
});

const idsOf = (params: QueryParams): string[] => {
  const ids = [...new Set(params.list('InstanceId'))];
  if (ids.length > 0) return ids;
  return refuse('MissingParameter', 'The request must contain the parameter instancesSet');
};

/** The power of instances: RunInstances, Start-, Stop-, Reboot- and TerminateInstances. */
export const createPowerActions = (world: World, power: Power): Record<string, Action> => {
  const resources = (params: QueryParams) =>
    idsOf(params).map((instanceId) => instanceResource(world, instanceId));
  const instancesOf = (params: QueryParams): Instance[] =>
    idsOf(params).map((instanceId) => world.instance(instanceId));

  return {
    StartInstances: {
      resources,
      apply(params) {
        const instances = instancesOf(params);
        for (const instance of instances) {
          checkStart(instance);
          if (instance.state === 'stopped') power.checkCapacity(instance.availabilityZone);
        }
        return changesView(instances.map((instance) => power.start(instance)));
      },
    },
    StopInstances: {
      resources,
      apply(params) {
        const flags = flagsOf(params);
        const instances = instancesOf(params);
        if (params.flag('Hibernate')) {
          const message = 'Unable to hibernate: hibernation is not enabled for the instance';
          refuse('UnsupportedHibernationConfiguration', message);
        }
        for (const instance of instances) checkStop(instance, flags);
        return changesView(instances.map((instance) => power.stop(instance, flags)));
      },
    },
    RebootInstances: {
      resources,
      apply(params) {
        for (const instance of instancesOf(params)) power.reboot(instance);
        return { return: true };
      },
    },
    TerminateInstances: {
      resources,
      /**
       * A protected instance shields those of its zone; the ones in other zones are terminated
       * although the call fails (API reference, TerminateInstances).
       */
      apply(params) {
        const flags = flagsOf(params);
        const instances = instancesOf(params);
        const shielded = new Set<string>();
        let refusal: Ec2Refusal | undefined;
        for (const instance of instances) {
          try {
            checkTerminate(instance, flags);
          } catch (error) {
            if (!(error instanceof Ec2Refusal)) throw error;
            shielded.add(instance.availabilityZone);
            refusal ??= error;
          }
        }
        const free = instances.filter(({ availabilityZone }) => !shielded.has(availabilityZone));
        const changes = free.map((instance) => power.terminate(instance, flags));
        if (refusal !== undefined) throw refusal;
        return changesView(changes);
      },
    },
    RunInstances: {
      resources: () => [{ arn: world.instanceArn('*'), tags: {} }],
      context: (params) => tagContext(launchTags(params, 'instance')),
      apply(params) {
        const count = params.integer('MaxCount') ?? 1;
        const placement = params.sub('Placement').text('AvailabilityZone');
        const availabilityZone = placement ?? `${world.region}a`;
        power.checkCapacity(availabilityZone);
        const instances = Array.from({ length: count }, () => {
          const instance = addBooting(world, {
            availabilityZone,
            instanceType: params.text('InstanceType') ?? 'm5.large',
            tags: launchTags(params, 'instance'),
          });
          power.boot(instance);
          return instance;
        });
        const [first] = instances;
        if (first === undefined)
          return refuse('InvalidParameterValue', 'MaxCount must be positive');
        const views = instances.flatMap(
          (instance) => reservationView(world, instance).instancesSet ?? [],
        );
        return { ...reservationView(world, first), instancesSet: views };
      },
    },
  };
};

type Modify = (instance: Instance, params: QueryParams) => void;

const requireValue = (params: QueryParams): boolean =>
  params.flag('Value') ?? refuse('MissingParameter', 'The request must contain a value');

const setProtection =
  (attribute: 'disableApiStop' | 'disableApiTermination'): Modify =>
  (instance, params) => {
    const value = requireValue(params);
    if (instance.spot !== undefined) {
      refuse('UnsupportedOperation', `${attribute} cannot be set on a Spot Instance`);
    }
    instance[attribute] = value;
  };

/** Several mappings at once; an omitted DeleteOnTermination means true. */
const setMappings =
  (world: World): Modify =>
  (instance, params) => {
    const { instanceId } = instance;
    const wanted = params.groups('BlockDeviceMapping').map((mapping) => {
      const device = mapping.required('DeviceName');
      const ebs = mapping.sub('Ebs');
      const found = world
        .volumesOf(instanceId)
        .find((volume) => attachmentOf(volume, instanceId)?.device === device);
      const attachment = found && attachmentOf(found, instanceId);
      if (found === undefined || attachment === undefined) {
        const message = `No device is currently mapped at ${device}`;
        return refuse('InvalidInstanceAttributeValue', message);
      }
      const named = ebs.text('VolumeId') ?? found.volumeId;
      if (named !== found.volumeId) {
        const message = `The volume '${named}' is not attached at ${device}`;
        refuse('InvalidInstanceAttributeValue', message);
      }
      return { attachment, deleteOnTermination: ebs.flag('DeleteOnTermination') ?? true };
    });
    for (const { attachment, deleteOnTermination } of wanted) {
      attachment.deleteOnTermination = deleteOnTermination;
    }
  };

/** Instance attributes, one kind for each call. */
export const createAttributeActions = (
  world: World,
  mappingsView: (instance: Instance) => XmlElement[],
): Record<string, Action> => {
  const attributes: Record<string, { modify?: Modify; view: (i: Instance) => XmlElement }> = {
    disableApiStop: {
      modify: setProtection('disableApiStop'),
      view: ({ disableApiStop }) => ({ value: disableApiStop }),
    },
    disableApiTermination: {
      modify: setProtection('disableApiTermination'),
      view: ({ disableApiTermination }) => ({ value: disableApiTermination }),
    },
    instanceType: { view: ({ instanceType }) => ({ value: instanceType }) },
    rootDeviceName: { view: ({ rootDeviceName }) => ({ value: rootDeviceName }) },
    instanceInitiatedShutdownBehavior: { view: () => ({ value: 'stop' }) },
  };
  const unknown = (attribute: string): never =>
    refuse('InvalidParameterValue', `Value (${attribute}) for parameter attribute is invalid.`);
  const resources = (params: QueryParams) => [
    instanceResource(world, params.required('InstanceId')),
  ];
  /** The kinds a ModifyInstanceAttribute names, in either of its two notations. */
  const kindsOf = (params: QueryParams): string[] => {
    const names = new Set<string>();
    const attribute = params.text('Attribute');
    if (attribute !== undefined) names.add(attribute);
    for (const key of Object.keys(params.raw())) {
      const [head = ''] = key.split('.');
      if (head === 'GroupId') names.add('groupSet');
      if (head === 'BlockDeviceMapping' || head.startsWith('DisableApi')) {
        names.add(head.charAt(0).toLowerCase() + head.slice(1));
      }
    }
    return [...names];
  };

  return {
    DescribeInstanceAttribute: {
      resources: (params) => {
        world.instance(params.required('InstanceId'));
        return [{ arn: '*', tags: {} }];
      },
      apply(params) {
        const instance = world.instance(params.required('InstanceId'));
        const attribute = params.required('Attribute');
        const { instanceId } = instance;
        if (attribute === 'blockDeviceMapping') {
          return { instanceId, blockDeviceMapping: mappingsView(instance) };
        }
        if (attribute === 'groupSet') return { instanceId, groupSet: groupsView(world, instance) };
        return {
          instanceId,
          [attribute]: (attributes[attribute] ?? unknown(attribute)).view(instance),
        };
      },
    },
    ModifyInstanceAttribute: {
      resources: (params) => [
        ...resources(params),
        ...groupIdsOf(params).map((groupId) => ({
          arn: `arn:aws:ec2:${world.region}:${world.account}:security-group/${groupId}`,
          tags: {},
        })),
      ],
      context: (params) => ({
        'ec2:Attribute': kindsOf(params).map(
          (kind) => kind.charAt(0).toUpperCase() + kind.slice(1),
        ),
      }),
      apply(params) {
        const instance = world.instance(params.required('InstanceId'));
        const [kind, ...others] = kindsOf(params);
        if (kind === undefined)
          return refuse('InvalidParameterCombination', 'No attributes specified.');
        if (others.length > 0) {
          const message = 'Fields for multiple attribute types specified';
          refuse('InvalidParameterCombination', message);
        }
        if (kind === 'blockDeviceMapping') {
          setMappings(world)(instance, params);
          return { return: true };
        }
        if (kind === 'groupSet') {
          setGroups(world, instance, groupIdsOf(params));
          return { return: true };
        }
        const modify = attributes[kind]?.modify ?? unknown(kind);
        const field = kind.charAt(0).toUpperCase() + kind.slice(1);
        modify(instance, params.text('Attribute') === undefined ? params.sub(field) : params);
        return { return: true };
      },
    },
  };
};
