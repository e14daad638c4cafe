import { failoverErrorNames } from '../../src/domain/errors.ts';
import type { AslRule } from './asl-rule.ts';
import { heldBy, platformErrors, treatmentOf, yieldsTo } from './contract.ts';
import {
  catchAll,
  caughtBy,
  edgesOf,
  type Machine,
  placedStates,
  type State,
  stateOf,
  tasksOf,
} from './machine.ts';
import { functionList } from './project.ts';

/** Its timeout is silence, and no failure. */
const waitsForAnswer = (task: string): boolean => task === 'AwaitApproval';

const functionKey = (task: string): string => `${task.charAt(0).toLowerCase()}${task.slice(1)}`;

const catching = (machine: Machine) =>
  placedStates(machine).filter(({ state: { Type } }) => ['Task', 'Map', 'Parallel'].includes(Type));

const retried = ({ Retry = [] }: State): string[] => Retry.flatMap((r) => r.ErrorEquals);

const retriers = (machine: Machine, name: string) => stateOf(machine, name).Retry ?? [];
const catchers = (machine: Machine, name: string) => stateOf(machine, name).Catch ?? [];

const enoughTime: AslRule = {
  says: 'gives every task more time than its function has',
  breaches: (machine) =>
    tasksOf(machine).flatMap(({ name, state: { TimeoutSeconds = 0, TimeoutSecondsPath } }) => {
      // It waits for a person, for as long as the policy says.
      if (waitsForAnswer(name) && TimeoutSecondsPath !== undefined) return [];
      const { timeout } = functionList[functionKey(name)] ?? { timeout: Number.NaN };
      return TimeoutSeconds > timeout
        ? []
        : [`${name}: ${TimeoutSeconds} s, function ${timeout} s`];
    }),
  planted: [
    {
      what: 'a task without a timeout',
      plant: (machine) => {
        delete stateOf(machine, 'FenceAgent').TimeoutSeconds;
      },
    },
    {
      what: 'a task that gives up together with its function',
      plant: (machine) => {
        stateOf(machine, 'ReleaseVolume').TimeoutSeconds = 60;
      },
    },
  ],
};

const retriesWhatPasses: AslRule = {
  says: 'retries what may pass by itself, and nothing else',
  breaches: (machine) => {
    const passing = failoverErrorNames.filter((name) => treatmentOf[name] === 'retry');
    return tasksOf(machine).flatMap(({ name, state }) => {
      const repeated = platformErrors.filter(
        (error) => error !== 'States.Timeout' || !waitsForAnswer(name),
      );
      const wanted: string[] = [...passing, ...repeated];
      const found = retried(state);
      return [
        ...wanted.filter((error) => !found.includes(error)).map((e) => `${name}: not ${e}`),
        ...found.filter((error) => !wanted.includes(error)).map((e) => `${name}: even ${e}`),
      ];
    });
  },
  planted: [
    {
      what: 'a task without retries',
      plant: (machine) => {
        delete stateOf(machine, 'HandOff').Retry;
      },
    },
    {
      what: 'a retry that leaves out the timeout of newer runtimes',
      plant: (machine) => {
        retriers(machine, 'FenceAgent')[1]?.ErrorEquals.splice(6, 1);
      },
    },
    {
      what: 'a retry of what repeating does not change',
      plant: (machine) => {
        retriers(machine, 'FenceAgent')[0]?.ErrorEquals.push('NotAuthorizedError');
      },
    },
    {
      what: 'a retry of everything',
      plant: (machine) => {
        retriers(machine, 'FenceAgent').push({ ErrorEquals: [catchAll], MaxAttempts: 3 });
      },
    },
  ],
};

const boundedRetries: AslRule = {
  says: 'bounds every retry and spreads it by full jitter',
  breaches: (machine) =>
    placedStates(machine).flatMap(({ name, state: { Retry = [] } }) =>
      Retry.filter(
        ({ MaxAttempts = 0, MaxDelaySeconds = Number.POSITIVE_INFINITY, JitterStrategy }) =>
          MaxAttempts < 1 || MaxAttempts > 6 || MaxDelaySeconds > 15 || JitterStrategy !== 'FULL',
      ).map(({ ErrorEquals }) => `${name}: ${ErrorEquals[0]}`),
    ),
  planted: [
    {
      what: 'a retry without an end',
      plant: (machine) => {
        for (const retrier of retriers(machine, 'HandOff')) retrier.MaxAttempts = 99_999_999;
      },
    },
    {
      what: 'a retry that waits longer and longer',
      plant: (machine) => {
        for (const retrier of retriers(machine, 'HandOff')) delete retrier.MaxDelaySeconds;
      },
    },
    {
      what: 'retries in step with each other',
      plant: (machine) => {
        for (const retrier of retriers(machine, 'HandOff')) retrier.JitterStrategy = 'NONE';
      },
    },
  ],
};

const oneCatchAll: AslRule = {
  says: 'catches the rest exactly once, last and alone',
  breaches: (machine) =>
    catching(machine)
      .filter(({ state: { Catch = [] } }) => {
        const all = Catch.filter(({ ErrorEquals }) => ErrorEquals.includes(catchAll));
        return all.length !== 1 || Catch.at(-1) !== all[0] || all[0]?.ErrorEquals.length !== 1;
      })
      .map(({ name }) => name),
  planted: [
    {
      what: 'a task without it',
      plant: (machine) => {
        catchers(machine, 'FenceAgent').pop();
      },
    },
    {
      what: 'a Map without it',
      plant: (machine) => {
        delete stateOf(machine, 'ReleaseVolumes').Catch;
      },
    },
    {
      what: 'one before the names',
      plant: (machine) => {
        catchers(machine, 'FenceAgent').reverse();
      },
    },
    {
      what: 'a second one',
      plant: (machine) => {
        catchers(machine, 'FenceAgent').push({ ErrorEquals: [catchAll], Next: 'HoldIncident' });
      },
    },
    {
      what: 'one among names',
      plant: (machine) => {
        catchers(machine, 'FenceAgent').at(-1)?.ErrorEquals.push('ParseError');
      },
    },
  ],
};

const knownNames: AslRule = {
  says: 'names only errors that our code or AWS can throw',
  breaches: (machine) => {
    const known = new Set<string>([...failoverErrorNames, ...platformErrors, catchAll]);
    return placedStates(machine).flatMap(({ name, state: { Retry = [], Catch = [] } }) =>
      [...Retry, ...Catch]
        .flatMap(({ ErrorEquals }) => ErrorEquals)
        .filter((error) => !known.has(error))
        .map((error) => `${name}: ${error}`),
    );
  },
  planted: [
    {
      what: 'an error nobody throws',
      plant: (machine) => {
        catchers(machine, 'FenceAgent')[0]?.ErrorEquals.push('LeaseHeldError');
      },
    },
    {
      what: 'a name without its ending',
      plant: (machine) => {
        retriers(machine, 'FenceAgent')[0]?.ErrorEquals.push('CloudThrottled');
      },
    },
    {
      what: "a misspelt name of Lambda's",
      plant: (machine) => {
        retriers(machine, 'ReleaseVolume')[1]?.ErrorEquals.push('Lambda.TooManyRequestException');
      },
    },
  ],
};

const everyErrorHandled: AslRule = {
  says: 'lets every error of ours end where it belongs',
  breaches: (machine) =>
    tasksOf(machine).flatMap(({ name, state }) =>
      failoverErrorNames
        .map((error) => ({
          error,
          end: caughtBy(state, error),
          wanted: treatmentOf[error] === 'yield' ? yieldsTo(name) : heldBy(name),
        }))
        .filter(({ end, wanted }) => end !== wanted)
        .map(({ error, end, wanted }) => `${name}: ${error} ends in ${end}, not in ${wanted}`),
    ),
  planted: [
    {
      what: 'a task that goes on although another execution has taken over',
      plant: (machine) => {
        catchers(machine, 'HandOff').shift();
      },
    },
    {
      what: 'a task that gives up instead of holding',
      plant: (machine) => {
        for (const catcher of catchers(machine, 'HandOff')) catcher.Next = 'Superseded';
      },
    },
    {
      what: 'an error of one step that ends silently',
      plant: (machine) => {
        catchers(machine, 'ProtectData')[0]?.ErrorEquals.push('LedgerRewoundError');
      },
    },
  ],
};

const reasonsGiven: AslRule = {
  says: 'says why wherever a failure does not lead to a hold',
  breaches: (machine) =>
    catching(machine)
      .map(({ name, state, within }) => {
        const end = caughtBy(state, catchAll) ?? '';
        // An item has no hold of its own: where it ends instead says why.
        const told = within === undefined ? state : stateOf(machine, end);
        return { name, end, told };
      })
      .filter(({ end, told }) => end !== 'HoldIncident' && told.Comment === undefined)
      .map(({ name, end }) => `${name} -> ${end}`),
  planted: ['OpenIncident', 'LeaveVolume', 'HoldIncident'].map((name) => ({
    what: `${name} without a comment`,
    plant: (machine) => {
      delete stateOf(machine, name).Comment;
    },
  })),
};

const waysToFail: Readonly<Record<string, string>> = {
  RefuseRequest: 'RouteOpening',
  RejectRequest: 'OpenIncident',
  HoldFailed: 'HoldIncident',
};

const rareFailures: AslRule = {
  says: 'fails only before an incident is held and when holding itself fails, with error and cause',
  breaches: (machine) => {
    const fails = placedStates(machine).filter(({ state }) => state.Type === 'Fail');
    const silent = fails.filter(
      ({ state }) => !(state.Error ?? state.ErrorPath) || !(state.Cause ?? state.CausePath),
    );
    const names = fails.map(({ name }) => name);
    return [
      ...silent.map(({ name }) => `${name} says nothing`),
      ...edgesOf(machine)
        .filter(({ from, to }) => names.includes(to) && waysToFail[to] !== from)
        .map(({ from, to }) => `${from} -> ${to}`),
    ];
  },
  planted: [
    {
      what: 'a failed fence that fails the execution',
      plant: (machine) => {
        for (const catcher of catchers(machine, 'FenceAgent')) catcher.Next = 'HoldFailed';
      },
    },
    {
      what: 'a Fail nobody documented',
      plant: (machine) => {
        machine.States.GiveUp = { Type: 'Fail', Error: 'GaveUp', Cause: 'no idea' };
        stateOf(machine, 'RouteFence').Default = 'GiveUp';
      },
    },
    {
      what: 'a Fail without a cause',
      plant: (machine) => {
        delete stateOf(machine, 'RefuseRequest').CausePath;
      },
    },
  ],
};

/** Time, retries and what becomes of errors. */
export const errorRules: readonly AslRule[] = [
  enoughTime,
  retriesWhatPasses,
  boundedRetries,
  oneCatchAll,
  knownNames,
  everyErrorHandled,
  reasonsGiven,
  rareFailures,
];
