import { answered, type FaultKind, fault, lostAnswer } from '../fault.ts';
import { afterStart } from './moments.ts';

const HISTORY_EVENTS_MAX = 25_000;

export const executionFaults: readonly FaultKind[] = [
  fault('SF-01', {
    draw: (rng) => ({ afterS: rng.int(1, 60) }),
    arm: (site, { afterS }) => {
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
