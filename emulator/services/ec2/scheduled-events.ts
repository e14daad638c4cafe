import { isoTime } from '../../core/time.ts';
import type { Health } from '../health/health.ts';
import type { XmlElement } from '../query-protocol.ts';
import type { Instance, ScheduledCode, ScheduledEvent, StateReason } from './model.ts';
import type { Power } from './power.ts';
import type { World } from './world.ts';

/** What AWS has planned for a machine. */
export interface ScheduleSpec {
  code: ScheduledCode;
  /** Epoch ms: not before this it happens, and here exactly then. */
  notBefore: number;
  notAfter?: number;
  /** Until when a person may move it. */
  notBeforeDeadline?: number;
  description?: string;
  /** Default: what the code says; a network or power maintenance leaves the machine alone. */
  action?: ScheduledAction;
  /** Default: what the code says. */
  eventTypeCode?: string;
}

type ScheduledAction = 'stop' | 'terminate' | 'reboot' | 'none';

export interface Schedules {
  /** Answers the `instanceEventId`. */
  schedule(instanceId: string, spec: ScheduleSpec): string;
  /** AWS thinks better of it. @throws RangeError for an event the machine does not have */
  cancelSchedule(instanceId: string, eventId: string): void;
}

const SCHEDULED_STOP: StateReason = {
  code: 'Server.ScheduledStop',
  message: 'Server.ScheduledStop: Stopped due to a scheduled retirement',
};

const hasStoreRoot = ({ rootDeviceType }: Instance): boolean => rootDeviceType === 'instance-store';

/** A retired machine with an EBS root is stopped, one on instance store terminated. */
const actionOf = (instance: Instance, code: ScheduledCode): ScheduledAction => {
  switch (code) {
    case 'instance-retirement':
      return hasStoreRoot(instance) ? 'terminate' : 'stop';
    case 'instance-stop':
      return 'stop';
    case 'instance-reboot':
    case 'system-reboot':
      return 'reboot';
    case 'system-maintenance':
      return 'none';
  }
};

const typeCodeOf = (instance: Instance, code: ScheduledCode): string => {
  const names: Record<ScheduledCode, string> = {
    'instance-retirement': hasStoreRoot(instance)
      ? 'INSTANCE_RETIREMENT'
      : 'PERSISTENT_INSTANCE_RETIREMENT',
    'instance-stop': 'INSTANCE_STOP',
    'instance-reboot': 'INSTANCE_REBOOT_MAINTENANCE',
    'system-reboot': 'SYSTEM_REBOOT_MAINTENANCE',
    'system-maintenance': 'INSTANCE_NETWORK_MAINTENANCE',
  };
  return `AWS_EC2_${names[code]}_SCHEDULED`;
};

const DESCRIPTIONS: Record<ScheduledCode, string> = {
  'instance-retirement': 'The instance is running on degraded hardware',
  'instance-stop': 'The instance is running on degraded hardware',
  'instance-reboot': 'The instance is scheduled for a reboot',
  'system-reboot': 'The host of the instance is scheduled for a reboot',
  'system-maintenance': 'The host of the instance is scheduled for maintenance',
};

/** As DescribeInstanceStatus tells it; what is over keeps its place with a word before the text. */
export const scheduledEventView = (event: ScheduledEvent): XmlElement => {
  const prefix = { active: '', completed: '[Completed] ', canceled: '[Canceled] ' }[event.state];
  const time = (epochMs: number | undefined) =>
    epochMs === undefined ? undefined : isoTime(epochMs);
  return {
    instanceEventId: event.eventId,
    code: event.code,
    description: `${prefix}${event.description}`,
    notBefore: isoTime(event.notBefore),
    notAfter: time(event.notAfter),
    notBeforeDeadline: time(event.notBeforeDeadline),
  };
};

/**
 * Scheduled events of instances: told by AWS Health, listed by DescribeInstanceStatus, carried out
 * at their time. A machine that was stopped and started meanwhile is on another host, and its event
 * is over (User Guide, "Scheduled events for your instances").
 */
export const createSchedules = (world: World, power: Power, health: Health): Schedules => {
  const ids = world.rng('instance-event-ids');
  const end = (event: ScheduledEvent, state: 'completed' | 'canceled'): void => {
    if (event.state !== 'active') return;
    event.state = state;
    health.update(event.eventArn, { statusCode: 'closed', endTime: world.time.now() });
  };
  const carryOut = (instance: Instance, action: ScheduledAction): void => {
    const flags = { force: false, skipOsShutdown: false };
    const { state } = instance;
    // Protection against stops and terminations does not hold AWS back (UG ec2-stop-protection).
    if (action === 'terminate') power.terminate(instance, flags, SCHEDULED_STOP);
    if (action === 'reboot' && state === 'running') power.reboot(instance);
    if (action === 'stop' && (state === 'running' || state === 'pending')) {
      power.stop(instance, flags, SCHEDULED_STOP);
    }
  };

  world.onState((instanceId, state) => {
    if (state !== 'pending' && state !== 'terminated') return;
    for (const event of world.instances.get(instanceId)?.scheduled ?? []) end(event, 'completed');
  });

  return {
    schedule(instanceId, spec) {
      const instance = world.instance(instanceId);
      const { code, notBefore } = spec;
      const description = spec.description ?? DESCRIPTIONS[code];
      const eventArn = health.announce({
        service: 'EC2',
        eventTypeCode: spec.eventTypeCode ?? typeCodeOf(instance, code),
        category: 'scheduledChange',
        statusCode: 'upcoming',
        startTime: notBefore,
        ...(spec.notAfter === undefined ? {} : { endTime: spec.notAfter }),
        entities: [instanceId],
        description,
        actionability: 'ACTION_REQUIRED',
        ...(hasStoreRoot(instance) ? { asArns: true, entityStatus: 'PENDING' } : {}),
      });
      const event: ScheduledEvent = {
        eventId: `instance-event-${ids.hex(17)}`,
        code,
        description,
        notBefore,
        notAfter: spec.notAfter,
        notBeforeDeadline: spec.notBeforeDeadline,
        state: 'active',
        eventArn,
      };
      instance.scheduled.push(event);
      world.time.after(Math.max(0, notBefore - world.time.now()), () => {
        if (event.state !== 'active') return;
        carryOut(instance, spec.action ?? actionOf(instance, code));
        end(event, 'completed');
      });
      return event.eventId;
    },
    cancelSchedule(instanceId, eventId) {
      const event = world.instance(instanceId).scheduled.find((each) => each.eventId === eventId);
      if (event === undefined) throw new RangeError(`${instanceId} has no event ${eventId}`);
      end(event, 'canceled');
    },
  };
};
