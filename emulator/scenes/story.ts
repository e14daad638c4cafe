import type { World } from '../world.ts';
import { readLedger } from './ledger-view.ts';
import type { Stage } from './stage.ts';

export type Tone = 'plain' | 'bad' | 'good' | 'strong' | 'dim';

/** One line of the story as it happens. */
export interface Line {
  /** Epoch ms. */
  at: number;
  /** Who or what it is about: `ec2`, `mesos`, `marathon`, `failover`, `scene`. */
  who: string;
  text: string;
  tone: Tone;
}

const STEP_SAYS: Readonly<Record<string, string>> = {
  OpenIncident: 'incident opened',
  ProtectData: 'volumes claimed, agent deactivated',
  HandOff: 'Mesos and Marathon told',
  VerifyRecovery: 'recovery seen',
  UndoProtection: 'protection undone',
};

const count = (n: number, noun: string): string => `${n} ${noun}${n === 1 ? '' : 's'}`;

/** Tells the story of one failing agent to `tell`, from what the world shows. */
export const narrate = (
  world: World,
  stage: Stage,
  instanceId: string,
  tell: (line: Line) => void,
): void => {
  const say = (who: string, text: string, tone: Tone = 'plain'): void => {
    tell({ at: world.time.now(), who, text, tone });
  };
  const fromLedger = async (step: string): Promise<void> => {
    const { incident, volumes } = await readLedger(world, instanceId);
    if (step === 'AssessAgent' && incident?.verdict) {
      const { kind, why, whyNot } = incident.verdict;
      say('failover', `verdict ${kind}`, 'strong');
      for (const reason of why) say('', `because ${reason}`, 'dim');
      for (const reason of whyNot) say('', `against: ${reason}`, 'dim');
    }
    if (step === 'FenceAgent' && incident?.fence?.proof) {
      const { method, strength, proof } = incident.fence;
      say('failover', `fenced: ${method}, ${strength}; two reads agree:`, 'strong');
      for (const read of proof) {
        say('', `${read.state}, launched ${read.launchTime}`, 'dim');
      }
    }
    if (step === 'ReleaseVolumes') {
      for (const { volumeId, name, epoch, state } of volumes) {
        say('failover', `${volumeId} (${name}) ${state}, epoch ${epoch}`, 'strong');
      }
    }
    if (step === 'HoldIncident' && incident?.hold) {
      say('failover', `held: ${incident.hold.reason}`, 'bad');
      say('', incident.hold.says, 'dim');
    }
  };

  world.ec2.onState((id, state) => {
    if (id === instanceId)
      say('ec2', `${id} is ${state}`, state === 'stopped' ? 'strong' : 'plain');
  });
  world.events.onDelivery(({ event, outcome }) => {
    if (event.source === 'ebs-failover' || !JSON.stringify(event).includes(instanceId)) return;
    say('signal', `${event['detail-type']} ${outcome === 'delivered' ? 'delivered' : outcome}`);
  });
  world.states.onTransition(({ kind, state = '' }) => {
    if (kind !== 'StateExited') return;
    const says = STEP_SAYS[state];
    if (says !== undefined) say('failover', says);
    // The clock waits for it: the embedded table is real work.
    void world.time.busy(fromLedger(state));
  });
  world.dcos.onChange((change) => {
    if (change.kind === 'agent' && change.instanceId === instanceId) {
      say('mesos', `agent ${change.state}`, change.state === 'unreachable' ? 'bad' : 'plain');
    }
    if (change.kind === 'task' && change.appId === stage.app.id) {
      const failed = change.state === 'TASK_FAILED';
      say(
        'marathon',
        `${change.appId} ${change.state} on ${change.host}`,
        failed ? 'bad' : 'plain',
      );
      if (failed) say('', change.message, 'dim');
    }
    if (change.kind === 'healthy' && change.appId === stage.app.id) {
      const rows = world.dcos.guests.report().filter(({ appId }) => appId === stage.app.id);
      const on = rows.reduce((sum, guest) => sum + guest.rowsOnVolume, 0);
      say('marathon', `${change.appId} healthy on ${change.host}, ${count(on, 'row')}`, 'good');
    }
  });
};
