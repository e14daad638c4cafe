import type { Notice } from '../../domain/incident.ts';

/**
 * Codes of AWS Health and what they mean for a machine. Those of retirement and recovery are in the
 * EC2 user guide; the others are known from public rule sets. A code that is in no table is told to
 * people and leads to nothing else.
 */

/** Something of the machine fails: a reason to look at it. */
export const failing: ReadonlySet<string> = new Set([
  'AWS_EC2_HOST_RECOVERY_FAILURE',
  'AWS_EC2_INSTANCE_AUTO_RECOVERY_FAILURE',
  'AWS_EC2_INSTANCE_POWER_MAINTENANCE_FAILED',
  'AWS_EC2_INSTANCE_STORE_DRIVE_PERFORMANCE_DEGRADED',
  'AWS_EC2_NETWORK_CONNECTIVITY_ISSUE',
  'AWS_EC2_OPERATIONAL_ISSUE',
  'AWS_EC2_SIMPLIFIED_AUTO_RECOVERY_FAILURE',
]);

/** Of those, what may concern a whole region and name no machine. */
export const regional: ReadonlySet<string> = new Set(['AWS_EC2_OPERATIONAL_ISSUE']);

/** AWS has moved the machine to another host: it was rebooted, which is worth a look at most. */
export const recovered: ReadonlySet<string> = new Set([
  'AWS_EC2_INSTANCE_AUTO_RECOVERY_SUCCESS',
  'AWS_EC2_SIMPLIFIED_AUTO_RECOVERY_SUCCESS',
]);

/** Moving the machine mends no volume. */
export const volumeTrouble: ReadonlyMap<string, 'volume-lost' | 'volume-degraded'> = new Map([
  ['AWS_EBS_VOLUME_LOST', 'volume-lost'],
  ['AWS_EBS_DEGRADED_EBS_VOLUME_PERFORMANCE', 'volume-degraded'],
]);

/** With an instance store as root a retirement ends in a termination, with EBS in a stop. */
export const scheduled: ReadonlyMap<string, Notice['action']> = new Map([
  ['AWS_EC2_INSTANCE_NETWORK_MAINTENANCE_SCHEDULED', 'maintenance'],
  ['AWS_EC2_INSTANCE_POWER_MAINTENANCE_SCHEDULED', 'maintenance'],
  ['AWS_EC2_INSTANCE_REBOOT_FLEXIBLE_MAINTENANCE_SCHEDULED', 'reboot'],
  ['AWS_EC2_INSTANCE_REBOOT_MAINTENANCE_SCHEDULED', 'reboot'],
  ['AWS_EC2_INSTANCE_RETIREMENT_EXPEDITED', 'terminate'],
  ['AWS_EC2_INSTANCE_RETIREMENT_SCHEDULED', 'terminate'],
  ['AWS_EC2_INSTANCE_STOP_SCHEDULED', 'stop'],
  ['AWS_EC2_INSTANCE_TERMINATION_SCHEDULED', 'terminate'],
  ['AWS_EC2_PERSISTENT_INSTANCE_POWER_MAINTENANCE_SCHEDULED', 'maintenance'],
  ['AWS_EC2_PERSISTENT_INSTANCE_RETIREMENT_EXPEDITED', 'stop'],
  ['AWS_EC2_PERSISTENT_INSTANCE_RETIREMENT_SCHEDULED', 'stop'],
  ['AWS_EC2_SYSTEM_REBOOT_MAINTENANCE_SCHEDULED', 'reboot'],
]);
