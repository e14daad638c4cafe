import { createAssessAgent } from '../../src/application/assess-agent.ts';
import { createCloseIncident } from '../../src/application/close-incident.ts';
import { createFenceAgent } from '../../src/application/fence-agent.ts';
import { createHandOff } from '../../src/application/hand-off.ts';
import { createHoldIncident } from '../../src/application/hold-incident.ts';
import { createProtectData } from '../../src/application/protect-data.ts';
import { createQuarantineAgent } from '../../src/application/quarantine-agent.ts';
import { createReleaseVolume } from '../../src/application/release-volume.ts';
import { createUndoProtection } from '../../src/application/undo-protection.ts';
import { createVerifyRecovery } from '../../src/application/verify-recovery.ts';
import type { IncidentId, VolumeId } from '../../src/domain/ids.ts';
import type { World } from './world.ts';

type Deps = World['deps'];
type StepInput = { readonly incidentId: IncidentId; readonly token: number };
/** Runs one step; throws what stopped it. */
export type Invoke = <T>(name: string, step: (deps: Deps) => Promise<T>) => Promise<T>;

interface Decision {
  readonly kind: string;
  readonly waitSeconds?: number;
}

/** More than any story takes: then it goes round in circles. */
const statesMax = 400;

/**
 * The workflow in a few lines: what the state machine routes, without Step Functions. Answers how
 * the execution ended.
 */
export const runFailover = async (world: World, invoke: Invoke, token: number): Promise<string> => {
  const incidentId = (await world.incident()).id;
  const input: StepInput = { incidentId, token };
  const { executionName } = await world.incident();
  const executionArn = world.workflow.arnOf('failover', executionName);
  const wait = (decision: Decision): void =>
    world.clock.advance((decision.waitSeconds ?? 0) * 1000);
  const release = async (volumeIds: readonly VolumeId[]): Promise<void> => {
    for (let i = 0; i < statesMax; i += 1) {
      const step = (deps: Deps) => createReleaseVolume(deps)({ ...input, volumeIds });
      const decision: Decision = await invoke('ReleaseVolume', step);
      if (decision.kind !== 'waiting') return;
      wait(decision);
    }
  };
  let state = 'AssessAgent';
  for (let i = 0; i < statesMax; i += 1) {
    switch (state) {
      case 'AssessAgent': {
        const step = (deps: Deps) => createAssessAgent(deps)({ ...input, executionArn });
        const decision: Decision = await invoke(state, step);
        wait(decision);
        const next: Record<string, string> = {
          proceed: 'ProtectData',
          watch: state,
          cancelled: 'UndoProtection',
          returned: 'QuarantineAgent',
        };
        state = next[decision.kind] ?? 'HoldIncident';
        break;
      }
      case 'QuarantineAgent': {
        const decision: Decision = await invoke(state, (deps) =>
          createQuarantineAgent(deps)(input),
        );
        wait(decision);
        const next: Record<string, string> = {
          quarantined: 'CloseIncident',
          waiting: state,
          changed: 'AssessAgent',
          cancelled: 'UndoProtection',
        };
        state = next[decision.kind] ?? 'HoldIncident';
        break;
      }
      case 'ProtectData': {
        const decision = await invoke(state, (deps) => createProtectData(deps)(input));
        state = decision.kind === 'protected' ? 'FenceAgent' : 'HoldIncident';
        break;
      }
      case 'FenceAgent': {
        const decision = await invoke(state, (deps) => createFenceAgent(deps)(input));
        if (decision.kind === 'fenced') for (const group of decision.groups) await release(group);
        if (decision.kind === 'waiting') wait(decision);
        const next = { fenced: 'HandOff', waiting: state, cancelled: 'UndoProtection' };
        state = decision.kind === 'hold' ? 'HoldIncident' : next[decision.kind];
        break;
      }
      case 'HandOff': {
        const decision = await invoke(state, (deps) => createHandOff(deps)(input));
        if (decision.kind === 'waiting') wait(decision);
        const next = { handedOff: 'VerifyRecovery', waiting: state, hold: 'HoldIncident' };
        state = next[decision.kind];
        break;
      }
      case 'VerifyRecovery': {
        const decision = await invoke(state, (deps) => createVerifyRecovery(deps)(input));
        if (decision.kind === 'waiting') wait(decision);
        const next = { recovered: 'CloseIncident', waiting: state, hold: 'HoldIncident' };
        state = next[decision.kind];
        break;
      }
      case 'UndoProtection': {
        await invoke(state, (deps) => createUndoProtection(deps)(input));
        state = 'CloseIncident';
        break;
      }
      case 'HoldIncident': {
        const decision = await invoke(state, (deps) => createHoldIncident(deps)(input));
        if (decision.kind === 'ended') return 'held';
        wait(decision);
        state = 'AssessAgent';
        break;
      }
      default:
        return (await invoke(state, (deps) => createCloseIncident(deps)(input))).status;
    }
  }
  throw new Error(`going round in circles at ${state}`);
};
