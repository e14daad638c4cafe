import * as z from 'zod';
import {
  type IncidentId,
  type InstanceId,
  isInstanceId,
  isVolumeId,
  type VolumeId,
} from '../domain/ids.ts';

const incidentPattern = /^[a-z0-9][a-z0-9-]{0,62}#(?<instanceId>i-[0-9a-f]+)#(?:dry-)?[1-9]\d*$/;

const isIncidentId = (text: string): boolean => {
  const instanceId = incidentPattern.exec(text)?.groups?.instanceId;
  return instanceId !== undefined && isInstanceId(instanceId);
};

export const InstanceIdText = z.custom<InstanceId>(
  (value) => typeof value === 'string' && isInstanceId(value),
  'must be an EC2 instance id: i- and 8 or 17 hex digits',
);
export const VolumeIdText = z.custom<VolumeId>(
  (value) => typeof value === 'string' && isVolumeId(value),
  'must be an EBS volume id: vol- and 8 or 17 hex digits',
);
export const IncidentIdText = z.custom<IncidentId>(
  (value) => typeof value === 'string' && isIncidentId(value),
  'must be an incident id: <cluster>#<instance id>#<number>',
);
