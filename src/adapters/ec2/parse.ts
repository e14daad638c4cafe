import type {
  Instance as Ec2Instance,
  Tag as Ec2Tag,
  Volume as Ec2Volume,
  InstanceBlockDeviceMapping,
  InstanceStatus,
  InstanceStatusSummary,
  VolumeAttachment,
} from '@aws-sdk/client-ec2';
import { CloudUnavailableError } from '../../domain/errors.ts';
import { type EpochMs, isInstanceId, isVolumeId, type LaunchTime } from '../../domain/ids.ts';
import type {
  Attachment,
  BlockDevice,
  CheckStatus,
  Instance,
  InstanceState,
  ScheduledEvent,
  StatusChecks,
  Tag,
  Volume,
} from '../../domain/machine.ts';

/** Reads fields of one item of an answer, and throws where a guess would be needed. */
interface Reader {
  unreadable(problem: string): CloudUnavailableError;
  required<T>(name: string, value: T | undefined): T;
  oneOf<T extends string>(name: string, known: readonly T[], value: string | undefined): T;
  checked<T extends string>(name: string, is: (text: string) => text is T, value?: string): T;
}

const readerOf = (operation: string, subject: string): Reader => {
  // Reads are repeated: an answer that cannot be understood counts as none.
  const unreadable = (problem: string): CloudUnavailableError =>
    new CloudUnavailableError(operation, `unreadable answer: ${subject} ${problem}`);
  const required = <T>(name: string, value: T | undefined): T => {
    if (value === undefined) throw unreadable(`has no ${name}`);
    return value;
  };
  return {
    unreadable,
    required,
    oneOf(name, known, value) {
      const text: string = required(name, value);
      const found = known.find((candidate) => candidate === text);
      if (found === undefined) throw unreadable(`has the ${name} '${text}'`);
      return found;
    },
    checked(name, is, value) {
      const text = required(name, value);
      if (!is(text)) throw unreadable(`has the ${name} '${text}'`);
      return text;
    },
  };
};

const stateOfCode: ReadonlyMap<number, InstanceState> = new Map([
  [0, 'pending'],
  [16, 'running'],
  [32, 'shutting-down'],
  [48, 'terminated'],
  [64, 'stopping'],
  [80, 'stopped'],
]);
const instanceStates = [...stateOfCode.values()];
const volumeStates = ['creating', 'available', 'in-use', 'deleting', 'deleted', 'error'] as const;
const attachmentStates = ['attaching', 'attached', 'detaching', 'detached', 'busy'] as const;
const checkStates: readonly CheckStatus[] = [
  'ok',
  'impaired',
  'insufficient-data',
  'not-applicable',
  'initializing',
];

const parseState = (reader: Reader, state: Ec2Instance['State']): InstanceState => {
  const name = reader.oneOf('state', instanceStates, state?.Name);
  const code = reader.required('state code', state?.Code);
  // The high byte is for EC2's own use (API reference, InstanceState).
  if (stateOfCode.get(code & 0xff) === name) return name;
  throw reader.unreadable(`has the state ${name} with code ${code}`);
};

const parseTags = (tags: readonly Ec2Tag[] | undefined): Tag[] =>
  (tags ?? []).flatMap(({ Key, Value }) =>
    Key === undefined ? [] : [{ key: Key, value: Value ?? '' }],
  );

const parseDevice = (reader: Reader, mapping: InstanceBlockDeviceMapping): BlockDevice => {
  const device = reader.required('device name', mapping.DeviceName);
  return {
    device,
    volumeId: reader.checked(`volume at ${device}`, isVolumeId, mapping.Ebs?.VolumeId),
    // Never assumed: true would delete the data, false would leave it unprotected.
    deleteOnTermination: reader.required(
      `DeleteOnTermination at ${device}`,
      mapping.Ebs?.DeleteOnTermination,
    ),
    status: reader.required(`status at ${device}`, mapping.Ebs?.Status),
  };
};

const optional = <Key extends string>(
  key: Key,
  value: string | undefined,
): Partial<Record<Key, string>> =>
  // EC2 empties some fields of a terminated instance instead of leaving them out.
  value === undefined || value === '' ? {} : ({ [key]: value } as Record<Key, string>);

/** One instance of a DescribeInstances answer. Throws CloudUnavailableError, never guesses. */
export const parseInstance = (instance: Ec2Instance): Instance => {
  const reader = readerOf('DescribeInstances', instance.InstanceId ?? 'an instance');
  const launchTime = reader.required('launch time', instance.LaunchTime);
  return {
    instanceId: reader.checked('instance id', isInstanceId, instance.InstanceId),
    state: parseState(reader, instance.State),
    launchTime: launchTime.toISOString() as LaunchTime,
    ...optional('stateReasonCode', instance.StateReason?.Code),
    ...optional('stateReason', instance.StateReason?.Message),
    availabilityZone: reader.required('zone', instance.Placement?.AvailabilityZone),
    ...optional('availabilityZoneId', instance.Placement?.AvailabilityZoneId),
    ...optional('privateIp', instance.PrivateIpAddress),
    ...optional('vpcId', instance.VpcId),
    instanceType: reader.required('type', instance.InstanceType),
    // EC2 leaves the field out for on-demand instances.
    lifecycle: reader.oneOf(
      'lifecycle',
      ['on-demand', 'spot', 'scheduled'] as const,
      instance.InstanceLifecycle ?? 'on-demand',
    ),
    ...optional('rootDeviceName', instance.RootDeviceName),
    rootDeviceType: reader.oneOf(
      'root device type',
      ['ebs', 'instance-store'] as const,
      instance.RootDeviceType,
    ),
    devices: (instance.BlockDeviceMappings ?? []).map((mapping) => parseDevice(reader, mapping)),
    tags: parseTags(instance.Tags),
  };
};

const parseAttachment = (reader: Reader, attachment: VolumeAttachment): Attachment => ({
  instanceId: reader.checked('attached instance', isInstanceId, attachment.InstanceId),
  device: reader.required('device', attachment.Device),
  state: reader.oneOf('attachment state', attachmentStates, attachment.State),
  deleteOnTermination: reader.required('DeleteOnTermination', attachment.DeleteOnTermination),
});

/** One volume of a DescribeVolumes answer. Throws CloudUnavailableError, never guesses. */
export const parseVolume = (volume: Ec2Volume): Volume => {
  const reader = readerOf('DescribeVolumes', volume.VolumeId ?? 'a volume');
  return {
    volumeId: reader.checked('volume id', isVolumeId, volume.VolumeId),
    state: reader.oneOf('state', volumeStates, volume.State),
    availabilityZone: reader.required('zone', volume.AvailabilityZone),
    multiAttach: reader.required('MultiAttachEnabled', volume.MultiAttachEnabled),
    ...(volume.Operator?.Managed ? { managedBy: volume.Operator.Principal ?? 'AWS' } : {}),
    ...optional('kmsKeyId', volume.KmsKeyId),
    attachments: (volume.Attachments ?? []).map((each) => parseAttachment(reader, each)),
    tags: parseTags(volume.Tags),
  };
};

const impairedSinceOf = (check: InstanceStatusSummary | undefined): number[] =>
  check?.Status === 'impaired'
    ? (check.Details ?? []).flatMap(({ ImpairedSince }) => ImpairedSince?.getTime() ?? [])
    : [];

/** One entry of a DescribeInstanceStatus answer. Throws CloudUnavailableError, never guesses. */
export const parseStatusChecks = (status: InstanceStatus): StatusChecks => {
  const reader = readerOf('DescribeInstanceStatus', status.InstanceId ?? 'an instance');
  const { SystemStatus: system, InstanceStatus: instance, AttachedEbsStatus: ebs } = status;
  const since = [system, instance, ebs].flatMap(impairedSinceOf);
  return {
    system: reader.oneOf('system status', checkStates, system?.Status),
    instance: reader.oneOf('instance status', checkStates, instance?.Status),
    // Only Nitro instances have this check.
    attachedEbs: reader.oneOf('EBS status', checkStates, ebs?.Status ?? 'not-applicable'),
    ...(since.length === 0 ? {} : { impairedSince: Math.min(...since) as EpochMs }),
  };
};

/** EC2 shows events that are over for a while, and says so in front of the description. */
const isOver = /^\[(?:Completed|Canceled)\]/i;

/** What one entry of a DescribeInstanceStatus answer says is going to happen. */
export const parseEvents = ({ Events = [] }: InstanceStatus): ScheduledEvent[] =>
  Events.flatMap(({ Code, Description, NotBefore }) =>
    Code === undefined || isOver.test(Description ?? '')
      ? []
      : [{ code: Code, ...(NotBefore && { notBefore: NotBefore.getTime() as EpochMs }) }],
  );
