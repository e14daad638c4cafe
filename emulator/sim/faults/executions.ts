import { answered, type FaultKind, fault, isMutation, lostAnswer, once } from '../fault.ts';
import type { Passing, Site } from '../site.ts';
import { afterStart } from './moments.ts';

const HISTORY_EVENTS_MAX = 25_000;

/** What a frozen function was about to write: its claim, or the intent of its Stop. */
const WRITES: Readonly<Record<string, string>> = { protectData: '"claimed"', fenceAgent: '"skip"' };

/** Aborted by hand while a function is on its way to the ledger; a person starts it anew. */
const freeze = (site: Site, name: string): void => {
  const { stage, time, world } = site;
  const [machine] = world.infra.ofType('AWS::StepFunctions::StateMachine');
  const fits = (passing: Passing): boolean =>
    passing.functionName === name &&
    passing.service === 'dynamodb' &&
    isMutation(passing) &&
    passing.body.includes(WRITES[name] ?? name);
  once(site, fits, () => {
    site.hit('SF-01');
    for (const { arn: executionArn, status } of world.states.executions()) {
      if (status !== 'RUNNING') continue;
      void site.operator('states', { operation: 'StopExecution', body: { executionArn } });
    }
    const input = { instanceId: stage.failing.instanceId, reason: 'the other one hangs' };
    const body = { stateMachineArn: machine?.arn, input: JSON.stringify(input) };
    time.after(100, () => void site.operator('states', { operation: 'StartExecution', body }));
    return { delayMs: 8_000 };
  });
};

export const executionFaults: readonly FaultKind[] = [
  fault('SF-01', {
    draw: (rng) => ({
      afterS: rng.int(1, 60),
      frozen: rng.pick(['nobody', 'protectData', 'fenceAgent', 'fenceAgent']),
    }),
    arm: (site, { afterS, frozen }) => {
      if (frozen !== 'nobody') return freeze(site, frozen);
      let aborted = false;
      site.world.states.onStatus((execution) => {
        if (aborted || execution.status !== 'RUNNING') return;
        aborted = true;
        site.later(afterS * 1000, () => {
          if (execution.status !== 'RUNNING') return;
          site.hit('SF-01');
          execution.abort();
        });
      });
    },
  }),
  fault('SF-02', {
    draw: (rng) => ({ times: rng.int(1, 3), lost: rng.next() < 0.4 }),
    arm: (site, { times, lost }) => {
      let count = 0;
      site.on('request', ({ operation }) => {
        if (operation !== 'StartExecution' || count >= times) return undefined;
        count += 1;
        site.hit('SF-02');
        if (lost) return lostAnswer;
        const body = JSON.stringify({ __type: 'ThrottlingException', message: 'Rate exceeded' });
        return answered(400, body, 'application/x-amz-json-1.0');
      });
    },
  }),
  fault('SF-03', {
    draw: (rng) => ({ afterS: rng.int(0, 30), left: rng.int(1, 60) }),
    arm: (site, { afterS, left }) => {
      const { states } = site.world;
      afterStart(site, afterS, () => {
        // As after days of holds: the next ones begin with an empty history.
        for (const execution of states.executions()) {
          if (execution.status === 'RUNNING') execution.events = HISTORY_EVENTS_MAX - left;
        }
      });
      states.onStatus(({ status, error }) => {
        if (status === 'FAILED' && error === 'States.Runtime') site.hit('SF-03');
      });
    },
  }),
  fault('SF-04', {
    draw: (rng) => ({ afterS: rng.int(0, 20), laterS: rng.pick([0, 1, 5, 30, 120]) }),
    arm: (site, { afterS, laterS }) => {
      const { states } = site.world;
      let stopped: string | undefined;
      afterStart(site, afterS, () => {
        const running = states.executions().find(({ status }) => status === 'RUNNING');
        stopped = running?.arn;
        running?.abort();
      });
      let begun = false;
      states.onStatus(({ arn, status }) => {
        if (stopped === undefined || begun || arn === stopped || status !== 'RUNNING') return;
        begun = true;
        // Another execution has the incident; somebody presses the button for the old one.
        site.later(laterS * 1000, () => {
          const request = { operation: 'RedriveExecution', body: { executionArn: stopped } };
          void site.operator('states', request).then((body) => {
            if (body.includes('redriveDate')) site.hit('SF-04');
          });
        });
      });
    },
  }),
];
