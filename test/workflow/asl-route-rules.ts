import validate from 'asl-validator';
import type { AslRule } from './asl-rule.ts';
import { contracts, fileOf, kindsOf, type MachineFile, type Step } from './contract.ts';
import { edgesOf, type Machine, placedStates, stateOf, tasksOf } from './machine.ts';
import { functionList, substitutionsOf } from './project.ts';

const valid: AslRule = {
  says: 'is Amazon States Language',
  breaches: (machine) => {
    const { isValid, errorsText } = validate(structuredClone(machine));
    return isValid ? [] : [errorsText()];
  },
  planted: [
    {
      what: 'a way to nowhere',
      plant: (machine) => {
        stateOf(machine, 'FenceAgent').Next = 'Nowhere';
      },
    },
    {
      what: 'a state no way leads to',
      plant: (machine) => {
        machine.States.WatchZombie = { Type: 'Succeed' };
      },
    },
    {
      what: 'a wait without an end',
      plant: (machine) => {
        delete stateOf(machine, 'WaitForFence').SecondsPath;
      },
    },
    {
      what: 'a path that is none',
      plant: (machine) => {
        stateOf(machine, 'FenceAgent').ResultPath = 'decision';
      },
    },
  ],
};

const verbs =
  /^(?:Open|Route|Keep|Refuse|Reject|Assess|Turn|Wait|Await|Protect|Fence|Drain|Release|End|Leave|Hand|Verify|Undo|Close|Report|Hold|Resume|Quarantine)(?:[A-Z][a-z]+)+$/;

const named: AslRule = {
  says: 'names what a state does by a verb and its object; an end may be named for what it is',
  breaches: (machine) =>
    placedStates(machine)
      .filter(({ name, state }) => !verbs.test(name) && !['Succeed', 'Fail'].includes(state.Type))
      .map(({ name }) => name),
  planted: ['FencingOfTheAgent', 'fenceAgent', 'Fence'].map((name) => ({
    what: name,
    plant: (machine) => {
      machine.States[name] = stateOf(machine, 'FenceAgent');
    },
  })),
};

const kebab = (task: string): string => task.replaceAll(/(?<=.)([A-Z])/g, '-$1').toLowerCase();
const placeholder = /\$\{([^}]*)\}/g;

const ownFunction: AslRule = {
  says: 'lets each task call the function of its own name',
  breaches: (machine) =>
    tasksOf(machine).flatMap(({ name, state: { Parameters, Resource: plain = '' } }) => {
      const isCallback = plain === 'arn:aws:states:::lambda:invoke.waitForTaskToken';
      const Resource = isCallback ? String(Parameters?.FunctionName) : plain;
      const key = `${name.charAt(0).toLowerCase()}${name.slice(1)}`;
      const right =
        Resource === `\${${name}FunctionArn}` &&
        substitutionsOf(fileOf(machine))[`${name}FunctionArn`] === `${name}LambdaFunction.Arn` &&
        functionList[key]?.handler === `functions/${kebab(name)}.handler`;
      return right ? [] : [`${name} calls ${Resource}`];
    }),
  planted: [
    {
      what: "a task that calls another task's function",
      plant: (machine) => {
        stateOf(machine, 'FenceAgent').Resource = stateOf(machine, 'ReleaseVolume').Resource ?? '';
      },
    },
    {
      what: 'a function by its ARN',
      plant: (machine) => {
        stateOf(machine, 'FenceAgent').Resource =
          'arn:aws:lambda:us-east-1:123456789012:function:fenceAgent';
      },
    },
    {
      what: 'a task without a function',
      plant: (machine) => {
        machine.States.DrainAgent = {
          ...stateOf(machine, 'FenceAgent'),
          Resource: `\${${'DrainAgent'}FunctionArn}`,
        };
      },
    },
  ],
};

const defined: AslRule = {
  says: 'asks for every substitution that infra defines, and for no other',
  breaches: (machine) => {
    const asked = new Set(
      [...JSON.stringify(machine).matchAll(placeholder)].map(([, name = '']) => name),
    );
    const given = Object.keys(substitutionsOf(fileOf(machine)));
    return [
      ...[...asked].filter((name) => !given.includes(name)).map((name) => `unknown: ${name}`),
      ...given.filter((name) => !asked.has(name)).map((name) => `unused: ${name}`),
    ];
  },
  planted: [
    {
      what: 'a placeholder nobody fills',
      plant: (machine) => {
        stateOf(machine, 'FenceAgent').Comment = `see \${${'Runbook'}Url}`;
      },
    },
    {
      what: 'a function nobody calls any more',
      plant: (machine) => {
        delete machine.States.UndoProtection;
      },
    },
  ],
};

/** Where a task's decision of this kind leads. */
const routeOf = (machine: Machine, task: string, kind: string): string | undefined => {
  const { Next = '' } = stateOf(machine, task);
  const next = placedStates(machine).find(({ name }) => name === Next)?.state;
  if (next?.Type !== 'Choice') return Next;
  const variable = stateOf(machine, task).ResultPath === '$' ? '$.kind' : '$.decision.kind';
  const taken = next.Choices?.find((c) => c.Variable === variable && c.StringEquals === kind);
  return taken?.Next ?? next.Default;
};

const routed: AslRule = {
  says: 'routes every decision a step can make, and only those',
  breaches: (machine) =>
    tasksOf(machine).flatMap(({ name, state }) => {
      const step = (contracts[fileOf(machine)] as Record<string, Step>)[name];
      if (step === undefined) return [`${name} has no contract`];
      const kinds = kindsOf(step);
      const choices = placedStates(machine).find((placed) => placed.name === state.Next)?.state;
      return [
        ...kinds
          .map((kind) => ({ kind, to: routeOf(machine, name, kind), wanted: step.routes[kind] }))
          .filter(({ to, wanted }) => to !== wanted)
          .map(({ kind, to, wanted }) => `${name}: ${kind} leads to ${to}, not to ${wanted}`),
        ...(choices?.Choices ?? [])
          .filter(({ StringEquals = '' }) => !kinds.includes(StringEquals))
          .map(({ StringEquals }) => `${name} never decides ${StringEquals}`),
      ];
    }),
  planted: [
    {
      what: 'a decision that falls through to the default',
      plant: (machine) => {
        stateOf(machine, 'RouteFence').Choices?.splice(1, 1);
      },
    },
    {
      what: 'a misspelt decision',
      plant: (machine) => {
        for (const rule of stateOf(machine, 'RouteHandOff').Choices ?? []) {
          rule.StringEquals = rule.StringEquals?.toLowerCase() ?? '';
        }
      },
    },
    {
      what: 'a decision no step makes',
      plant: (machine) => {
        const drained = { Variable: '$.decision.kind', StringEquals: 'drained', Next: 'HandOff' };
        stateOf(machine, 'RouteFence').Choices?.push(drained);
      },
    },
    {
      what: 'a default that acts',
      plant: (machine) => {
        stateOf(machine, 'RouteFence').Default = 'ReleaseVolumes';
      },
    },
    {
      what: 'a choice by something else than the decision',
      plant: (machine) => {
        for (const rule of stateOf(machine, 'RouteFence').Choices ?? []) rule.Variable = '$.kind';
      },
    },
    {
      what: 'a step nobody documented',
      plant: (machine) => {
        machine.States.DrainAgent = stateOf(machine, 'FenceAgent');
      },
    },
  ],
};

/** States that every way to a later one must pass: proof before hand-off, as a graph. */
const gates: Record<MachineFile, readonly (readonly [gate: string, behind: string])[]> = {
  'failover.asl.json': [
    ['AssessAgent', 'ProtectData'],
    ['AssessAgent', 'QuarantineAgent'],
    ['ProtectData', 'FenceAgent'],
    ['FenceAgent', 'ReleaseVolumes'],
    ['RouteFence', 'ReleaseVolumes'],
    ['ReleaseVolumes', 'HandOff'],
    ['HandOff', 'VerifyRecovery'],
  ],
  'drain.asl.json': [
    ['AssessDrain', 'ProtectData'],
    ['ProtectData', 'DrainAgent'],
    ['DrainAgent', 'VerifyRecovery'],
    ['RouteDrain', 'VerifyRecovery'],
  ],
};

const reached = (machine: Machine, start: string, without: string): Set<string> => {
  const edges = edgesOf(machine).filter(({ to }) => to !== without);
  const seen = new Set([start]);
  for (const at of seen) for (const { from, to } of edges) if (from === at) seen.add(to);
  return seen;
};

const inOrder: AslRule = {
  says: 'has no way past a gate, neither from the start nor out of a hold',
  breaches: (machine) =>
    gates[fileOf(machine)].flatMap(([gate, behind]) =>
      [machine.StartAt, 'HoldIncident']
        .filter((start) => reached(machine, start, gate).has(behind))
        .map((start) => `${start} reaches ${behind} without ${gate}`),
    ),
  planted: [
    {
      what: 'a release without a fence',
      only: 'failover.asl.json',
      plant: (machine) => {
        const [first] = stateOf(machine, 'RouteProtection').Choices ?? [];
        if (first) first.Next = 'ReleaseVolumes';
      },
    },
    {
      what: 'a hold that resumes where it stopped',
      only: 'failover.asl.json',
      plant: (machine) => {
        stateOf(machine, 'ResumeFromHold').Next = 'HandOff';
      },
    },
    {
      what: 'a recovery that is looked for before anything was moved',
      only: 'drain.asl.json',
      plant: (machine) => {
        const [first] = stateOf(machine, 'RouteProtection').Choices ?? [];
        if (first) first.Next = 'VerifyRecovery';
      },
    },
    {
      what: 'a hold that goes on draining',
      only: 'drain.asl.json',
      plant: (machine) => {
        stateOf(machine, 'ResumeFromHold').Next = 'DrainAgent';
      },
    },
    {
      what: 'a hand-off while the fence is waited for',
      plant: (machine) => {
        stateOf(machine, 'WaitForFence').Next = 'HandOff';
      },
    },
    {
      what: 'a fence without protected data',
      plant: (machine) => {
        stateOf(machine, 'AwaitApproval').Next = 'FenceAgent';
      },
    },
  ],
};

const explained: AslRule = {
  says: 'has a comment on each state whose place matters for safety',
  breaches: (machine) =>
    [
      'ProtectData',
      ...(fileOf(machine) === 'drain.asl.json'
        ? ['DrainAgent']
        : ['FenceAgent', 'HandOff', 'QuarantineAgent']),
      'HoldIncident',
    ].filter((name) => stateOf(machine, name).Comment === undefined),
  planted: ['ProtectData', 'FenceAgent', 'HandOff', 'HoldIncident', 'QuarantineAgent'].map(
    (name) => ({
      what: `${name} without one`,
      plant: (machine) => {
        delete stateOf(machine, name).Comment;
      },
    }),
  ),
};

export const routeRules: readonly AslRule[] = [
  valid,
  named,
  ownFunction,
  defined,
  routed,
  inOrder,
  explained,
];
