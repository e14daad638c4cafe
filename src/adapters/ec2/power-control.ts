import {
  type EC2Client,
  StopInstancesCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import type { StopMethod } from '../../domain/incident.ts';
import type { PowerAnswer, PowerControl, PowerRefusal } from '../../ports/compute.ts';
import { type AnswerTo, changing, receiptOf } from '../aws-sdk/calls.ts';

interface PowerFlags {
  readonly SkipOsShutdown?: true;
  readonly Force?: true;
}

/** `SkipOsShutdown` cuts power; `Force` asks the guest first (API reference, StopInstances). */
const stopFlags: Readonly<Record<StopMethod, PowerFlags>> = {
  graceful: {},
  skip: { SkipOsShutdown: true },
  force: { Force: true },
  'force-skip': { SkipOsShutdown: true, Force: true },
};

/** Force alone, because it is also the way out for Xen types, which refuse SkipOsShutdown. */
const terminateFlags: Readonly<Record<'terminate' | 'terminate-force', PowerFlags>> = {
  terminate: { SkipOsShutdown: true },
  'terminate-force': { Force: true },
};

/** OperationNotPermitted has many meanings, and only its message tells them apart. */
const notPermitted = (message: string): PowerRefusal | undefined => {
  if (/xen/i.test(message)) return 'skip-unsupported';
  if (/disableApi(?:Stop|Termination)/i.test(message)) return 'protected';
  return undefined;
};

const refusalOf = (code: string, message: string): PowerRefusal | undefined => {
  switch (code) {
    case 'OperationNotPermitted':
      return notPermitted(message);
    case 'UnsupportedOperation':
      return 'stop-unsupported';
    case 'IncorrectInstanceState':
      return 'wrong-state';
    case 'InvalidInstanceID.NotFound':
      return 'not-found';
    default:
      return undefined;
  }
};

const refused: AnswerTo<PowerAnswer> = ({ code, message }) => {
  const why = refusalOf(code, message);
  return why === undefined ? undefined : { kind: 'refused', why, code };
};

/** What cannot be terminated cannot be explained by "cannot be stopped": let it be thrown. */
const terminateRefused: AnswerTo<PowerAnswer> = (failure) =>
  failure.code === 'UnsupportedOperation' ? undefined : refused(failure);

/**
 * Commands to one instance at a time: with several, EC2 may carry out some and answer an error.
 * Acceptance is only the beginning; that power is off is for reads to tell.
 */
export const createPowerControl = ({ client }: { readonly client: EC2Client }): PowerControl => ({
  async stop(instanceId, method) {
    const command = new StopInstancesCommand({ InstanceIds: [instanceId], ...stopFlags[method] });
    return changing(
      'StopInstances',
      async () => ({ kind: 'accepted', receipt: receiptOf(await client.send(command)) }) as const,
      refused,
    );
  },

  async terminate(instanceId, method) {
    const command = new TerminateInstancesCommand({
      InstanceIds: [instanceId],
      ...terminateFlags[method],
    });
    return changing(
      'TerminateInstances',
      async () => ({ kind: 'accepted', receipt: receiptOf(await client.send(command)) }) as const,
      terminateRefused,
    );
  },
});
