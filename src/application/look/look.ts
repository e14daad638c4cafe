import type { IncidentId, InstanceId, VolumeId } from '../../domain/ids.ts';
import { type ExplainDeps, explain } from './explain.ts';
import { type IncidentViewDeps, showHistory, showIncident, showIncidentOf } from './incident.ts';
import { showIncidents } from './incidents.ts';
import { type StatusDeps, showStatus } from './status.ts';

export type LookDeps = StatusDeps & IncidentViewDeps & ExplainDeps;

export type LookRequest =
  | { readonly view: 'status' }
  | { readonly view: 'incidents'; readonly all?: boolean }
  | { readonly view: 'incident'; readonly incidentId: IncidentId }
  | { readonly view: 'incidentOf' | 'explain'; readonly instanceId: InstanceId }
  | { readonly view: 'history'; readonly volumeId: VolumeId };

/** What people and their tools see of the cluster. It reads, and changes nothing. */
export const createLook = (deps: LookDeps) => async (request: LookRequest) => {
  switch (request.view) {
    case 'status':
      return showStatus(deps);
    case 'incidents':
      return showIncidents(deps, request.all ?? false);
    case 'incident':
      return showIncident(deps, request.incidentId);
    case 'incidentOf':
      return showIncidentOf(deps, request.instanceId);
    case 'explain':
      return explain(deps, request.instanceId);
    case 'history':
      return showHistory(deps, request.volumeId);
  }
};
