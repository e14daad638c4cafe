import { isDeepStrictEqual } from 'node:util';
import type { AslRule } from './asl-rule.ts';
import { fileOf } from './contract.ts';
import { type Catcher, type Machine, placedStates, stateOf } from './machine.ts';

const path = (...keys: readonly string[]): Record<string, string> =>
  Object.fromEntries(keys.map((key) => [`${key}.$`, `$.${key}`]));

const keys = path('incidentId', 'token');
const keysOfExecution = path('incidentId', 'instanceId', 'token');

const opening = {
  'input.$': '$',
  'executionArn.$': '$$.Execution.Id',
  'executionName.$': '$$.Execution.Name',
};
const assessing = { ...keys, 'executionArn.$': '$$.Execution.Id' };

/** What each state that shapes data may take along; every other task gets the keys. */
const common: Readonly<Record<string, Record<string, unknown>>> = {
  AssessAgent: assessing,
  AwaitApproval: {
    FunctionName: `\${${'AwaitApproval'}FunctionArn}`,
    Payload: { ...keys, 'taskToken.$': '$$.Task.Token' },
  },
  AssessDrain: assessing,
  ReleaseVolumes: { ...keys, 'volumeIds.$': '$$.Map.Item.Value' },
  ReleaseVolume: { ...keys, ...path('volumeIds') },
  EndRelease: { ...path('volumeIds'), 'kind.$': '$.decision.kind' },
  LeaveVolume: { ...path('volumeIds'), kind: 'held' },
  HoldIncident: { ...keys, 'state.$': '$' },
  KeepKeys: keysOfExecution,
  ResumeFromHold: keysOfExecution,
  ReportEnd: {
    ...path('incidentId', 'instanceId'),
    'status.$': '$.decision.status',
    'summary.$': '$.decision.summary',
  },
  ReportPlan: {
    ...path('incidentId', 'instanceId'),
    status: 'planned',
    'summary.$': '$.decision.summary',
    'plan.$': '$.decision.plan',
  },
};
/** Each machine says which one it is, to the two that must know. */
const shapesOf = (machine: Machine): typeof common =>
  fileOf(machine) === 'drain.asl.json'
    ? {
        ...common,
        OpenIncident: { ...opening, mode: 'drain' },
        TurnIncident: { ...keys, from: 'drain' },
      }
    : { ...common, OpenIncident: opening, TurnIncident: { ...keys, from: 'failover' } };

const shaping = (type: string): boolean => ['Task', 'Map'].includes(type);

const onlyKeys: AslRule = {
  says: 'hands on keys, and nothing but keys',
  breaches: (machine) => {
    const shapes = shapesOf(machine);
    return placedStates(machine)
      .filter(({ name, state }) => shaping(state.Type) || name in shapes)
      .filter(
        ({ name, state }) =>
          !isDeepStrictEqual(state.Parameters ?? state.ItemSelector, shapes[name] ?? keys),
      )
      .map(({ name }) => name);
  },
  planted: [
    {
      what: 'a step that is told facts',
      plant: (machine) => {
        Object.assign(stateOf(machine, 'HandOff').Parameters ?? {}, { 'facts.$': '$.facts' });
      },
    },
    {
      what: 'a step that is given everything',
      plant: (machine) => {
        delete stateOf(machine, 'HandOff').Parameters;
      },
    },
    {
      what: 'a hold that keeps what was known before it',
      plant: (machine) => {
        delete stateOf(machine, 'ResumeFromHold').Parameters;
      },
    },
    {
      what: 'a start that keeps what it was given',
      plant: (machine) => {
        stateOf(machine, 'KeepKeys').Parameters = { 'opened.$': '$' };
      },
    },
    {
      what: 'an item that carries its history',
      plant: (machine) => {
        Object.assign(stateOf(machine, 'EndRelease').Parameters ?? {}, { 'all.$': '$' });
      },
    },
  ],
};

const results: Readonly<Record<string, string>> = {
  OpenIncident: '$',
  ReleaseVolumes: '$.releases',
};

const oneDecision: AslRule = {
  // Before there are keys there is nothing to keep: an input that is no object takes no error.
  says: 'keeps one decision at a time, and the error that ended a step',
  breaches: (machine) =>
    placedStates(machine)
      .filter(({ name, state: { Type, ResultPath, Catch = [] } }) => {
        if (!shaping(Type)) return ResultPath !== undefined;
        const kept = ResultPath === (results[name] ?? '$.decision');
        // Silence is no error: what comes next must not take it for one.
        const isSilence = (c: Catcher): boolean =>
          name === 'AwaitApproval' && c.Next === 'AssessAgent' && c.ResultPath === '$.decision';
        const isKept = (c: Catcher): boolean =>
          c.Next === 'RejectRequest' || c.ResultPath === '$.error' || isSilence(c);
        return !kept || !Catch.every(isKept);
      })
      .map(({ name }) => name),
  planted: [
    {
      what: 'a step whose decision replaces the keys',
      plant: (machine) => {
        stateOf(machine, 'FenceAgent').ResultPath = '$';
      },
    },
    {
      what: 'a step with a place of its own',
      plant: (machine) => {
        stateOf(machine, 'FenceAgent').ResultPath = '$.fence';
      },
    },
    {
      what: 'a catch that replaces the keys',
      plant: (machine) => {
        for (const catcher of stateOf(machine, 'FenceAgent').Catch ?? []) delete catcher.ResultPath;
      },
    },
    {
      what: 'keys that are added to what was there',
      plant: (machine) => {
        stateOf(machine, 'ResumeFromHold').ResultPath = '$.keys';
      },
    },
  ],
};

const deterministic: AslRule = {
  says: 'draws no chance and needs no other query language',
  breaches: (machine) =>
    [...JSON.stringify(machine).matchAll(/States\.(?:UUID|MathRandom)|JSONata|\{%/g)].map(
      ([found]) => found,
    ),
  planted: [
    {
      what: 'an id of its own',
      plant: (machine) => {
        Object.assign(stateOf(machine, 'HandOff').Parameters ?? {}, { 'id.$': 'States.UUID()' });
      },
    },
    {
      what: 'a throw of the dice',
      plant: (machine) => {
        const dice = { 'n.$': 'States.MathRandom(1, 6)' };
        Object.assign(stateOf(machine, 'HandOff').Parameters ?? {}, dice);
      },
    },
    {
      what: 'JSONata',
      plant: (machine) => {
        machine.QueryLanguage = 'JSONata';
      },
    },
  ],
};

/** What travels from state to state. */
export const dataRules: readonly AslRule[] = [onlyKeys, oneDecision, deterministic];
