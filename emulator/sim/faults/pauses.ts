import { type FaultKind, fault } from '../fault.ts';
import type { Passing, Site } from '../site.ts';

/** Its execution is aborted, and a person starts another for the same machine. */
const takeOver = (site: Site): void => {
  const { world, stage, time } = site;
  const [machine] = world.infra.ofType('AWS::StepFunctions::StateMachine');
  for (const execution of world.states.executions()) {
    if (execution.status === 'RUNNING') execution.abort();
  }
  const input = { instanceId: stage.failing.instanceId, reason: 'the other one hangs' };
  const body = { stateMachineArn: machine?.arn, input: JSON.stringify(input) };
  time.after(100, () => {
    void site.operator('states', { operation: 'StartExecution', body });
  });
};

/** An invocation stands still at its n-th such request, and wakes when another has the incident. */
const paused = (
  id: string,
  draw: FaultKind['draw'],
  fits: (passing: Passing, moment: string) => boolean,
): FaultKind =>
  fault(id, {
    draw: (rng) => ({ nth: 1, forS: rng.int(8, 45), moment: '', ...draw(rng) }),
    arm: (site, { nth, forS, moment }) => {
      let count = 0;
      site.on('request', (passing) => {
        if (!fits(passing, moment)) return undefined;
        count += 1;
        if (count !== nth) return undefined;
        site.hit(id);
        takeOver(site);
        return { delayMs: forS * 1000 };
      });
    },
  });

const HOLDERS = ['protectData', 'fenceAgent', 'releaseVolume', 'handOff', 'verifyRecovery'];
const isWrite = ({ service, operation }: Passing): boolean =>
  service === 'dynamodb' && ['PutItem', 'UpdateItem'].includes(operation);

const MOMENTS: Readonly<Record<string, (passing: Passing) => boolean>> = {
  /** Between the write that checks the token and the one that says what is about to be done. */
  intent: (passing) => isWrite(passing) && passing.body.includes('"DetachVolume"'),
  /** The call itself is on its way: the one that may be. */
  call: ({ operation }) => operation === 'DetachVolume',
};

export const pauseFaults: readonly FaultKind[] = [
  paused(
    'DB-06',
    (rng) => ({ nth: rng.int(1, 16) }),
    (passing) => isWrite(passing) && HOLDERS.includes(passing.functionName),
  ),
  paused(
    'ZM-01',
    (rng) => ({ moment: rng.pick(Object.keys(MOMENTS)) }),
    (passing, moment) => MOMENTS[moment]?.(passing) ?? false,
  ),
  fault('ZM-05', {
    scenes: ['hung'],
    mayStayDown: true,
    mayHold: ['proof-void', 'unknown-incarnation', 'volume-attached-elsewhere'],
    draw: (rng) => ({ forS: rng.int(25, 45) }),
    arm: (site, { forS }) => {
      const { world, stage } = site;
      const { instanceId } = stage.failing;
      let isOnItsWay = false;
      let isNew = false;
      world.ec2.onState((id, state) => {
        if (id !== instanceId || !isOnItsWay) return;
        if (state === 'stopped' && !isNew) site.later(0, () => world.ec2.start(id));
        if (state === 'running') isNew = true;
        if (state === 'stopping' && isNew) site.hit('ZM-05');
      });
      site.on('request', ({ operation }) => {
        if (operation !== 'StopInstances' || isOnItsWay) return undefined;
        isOnItsWay = true;
        world.ec2.stop(instanceId, { skipOsShutdown: true });
        return { delayMs: forS * 1000 };
      });
    },
  }),
];
