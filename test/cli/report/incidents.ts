import { withVolumes } from '../../../emulator/scenes/apps.ts';
import { type Stage, setStage } from '../../../emulator/scenes/stage.ts';
import { IncidentDocument } from '../../../src/contracts/incident-document.ts';
import { type Cloud, openCloud } from '../../functions/cloud.ts';
import { invoke, order, start } from '../../functions/person.ts';

/** Two sweeps: the first adopts the volumes, the second knows the inventory. */
const SWEEPS_MS = 130_000;
const MINUTE_MS = 60_000;

interface Act {
  readonly cloud: Cloud;
  readonly stage: Stage;
  readonly instanceId: string;
}

const shown = async ({ cloud, instanceId }: Act): Promise<IncidentDocument> =>
  IncidentDocument.parse(await invoke(cloud, 'look', { view: 'incidentOf', instanceId }));

/** A second app beside the stage's own, with two volumes. */
const addShop = ({ cloud, stage, instanceId }: Act): void => {
  const names = ['shop-data', 'shop-log'];
  for (const [i, name] of names.entries()) {
    const attachedTo = { instanceId, device: `/dev/xvd${'mn'[i]}` };
    cloud.ec2.seedVolume({ availabilityZone: stage.zone, sizeGiB: 8, name, attachedTo });
  }
  cloud.dcos.placeApp(withVolumes('/shop/db', names), instanceId);
};

const ended = ({ cloud }: Act) => {
  const all = cloud.states.executions();
  return all.length > 0 && all.every(({ status }) => status !== 'RUNNING');
};

/** What becomes of one agent, in a world of its own. */
const plays = {
  recovered: async (act: Act) => {
    act.cloud.ec2.hang(act.instanceId);
    await act.cloud.until(() => ended(act));
  },
  held: async (act: Act) => {
    act.cloud.dcos.faults.partition(act.instanceId, true);
    await act.cloud.pass(12 * MINUTE_MS);
  },
  cancelled: async (act: Act) => {
    const { cloud, instanceId } = act;
    cloud.dcos.faults.partition(instanceId, true);
    await cloud.until(() => cloud.states.executions().length > 0);
    cloud.dcos.faults.partition(instanceId, false);
    await cloud.until(() => ended(act));
  },
  planned: async (act: Act) => {
    const input = { instanceId: act.instanceId, reason: 'new kernel', requestedBy: 'ana' };
    await start(act.cloud, 'DrainStateMachine', input);
    await act.cloud.until(() => ended(act));
  },
  operated: async (act: Act) => {
    const { cloud, instanceId } = act;
    cloud.ec2.faults.stuckStop = () => 40_000;
    cloud.ec2.stop(instanceId);
    await cloud.pass(20_000);
    const { id: incidentId } = await shown(act);
    await order(cloud, { action: 'hold', incidentId, reason: 'I want to see its disks first' });
    await cloud.pass(20 * MINUTE_MS);
    await order(cloud, { action: 'resume', incidentId, reason: 'seen' });
    await cloud.until(() => ended(act));
  },
} satisfies Record<string, (act: Act) => Promise<void>>;

export const playNames = Object.keys(plays) as (keyof typeof plays)[];

/** The document that Look answers after that. */
export const playIncident = async (name: keyof typeof plays): Promise<IncidentDocument> => {
  const cloud = await openCloud(3, { tables: {} });
  const stage = setStage(cloud, { group: true, alarms: true });
  const act = { cloud, stage, instanceId: stage.failing.instanceId };
  addShop(act);
  await cloud.pass(SWEEPS_MS);
  await plays[name](act);
  return shown(act);
};
