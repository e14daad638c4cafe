import type { QueryParams } from '../query-protocol.ts';
import type { Action } from './action.ts';
import { instanceResource, refuse } from './action.ts';
import type { World } from './world.ts';

const optionOf = (params: QueryParams, name: string): 'default' | 'disabled' | undefined => {
  const value = params.text(name);
  if (value === undefined || value === 'default' || value === 'disabled') return value;
  return refuse('InvalidParameterValue', `Value (${value}) for parameter ${name} is invalid.`);
};

/** Whether EC2 may move a machine by itself: simplified automatic recovery, reboot migration. */
export const createMaintenanceActions = (world: World): Record<string, Action> => ({
  ModifyInstanceMaintenanceOptions: {
    resources: (params) => [instanceResource(world, params.required('InstanceId'))],
    context: () => ({ 'ec2:Attribute': ['MaintenanceOptions'] }),
    apply(params) {
      const instance = world.instance(params.required('InstanceId'));
      const { autoRecovery, rebootMigration } = instance;
      const wanted = {
        autoRecovery: optionOf(params, 'AutoRecovery') ?? autoRecovery,
        rebootMigration: optionOf(params, 'RebootMigration') ?? rebootMigration,
      };
      Object.assign(instance, wanted);
      return { instanceId: instance.instanceId, ...wanted };
    },
  },
});
