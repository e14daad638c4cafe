import { DetachVolumeCommand, type EC2Client } from '@aws-sdk/client-ec2';
import type { DetachAnswer, VolumeControl } from '../../ports/compute.ts';
import { type AnswerTo, changing, receiptOf } from '../aws-sdk/calls.ts';

const refusedKinds: Readonly<Record<string, Exclude<DetachAnswer['kind'], 'accepted'>>> = {
  'InvalidAttachment.NotFound': 'not-attached-there',
  'InvalidVolume.NotFound': 'volume-not-found',
  IncorrectInstanceState: 'wrong-instance-state',
  UnsupportedOperation: 'unsupported',
  UnsupportedOperationException: 'unsupported',
};

const refused: AnswerTo<DetachAnswer> = ({ code, message }) => {
  // The same code is answered for other states of a volume, which do not mean that it is free.
  if (code === 'IncorrectState' && /'available'/i.test(message)) {
    return { kind: 'not-attached', code };
  }
  const kind = refusedKinds[code];
  return kind === undefined ? undefined : { kind, code };
};

/**
 * Detaches one volume from one named instance. The instance is always sent: if the volume has a new
 * owner meanwhile, EC2 refuses instead of taking it away from that one.
 */
export const createVolumeControl = ({ client }: { readonly client: EC2Client }): VolumeControl => ({
  async detach(volumeId, from, { force }) {
    const command = new DetachVolumeCommand({
      VolumeId: volumeId,
      InstanceId: from,
      ...(force ? { Force: true } : {}),
    });
    return changing(
      'DetachVolume',
      async () => ({ kind: 'accepted', receipt: receiptOf(await client.send(command)) }) as const,
      refused,
    );
  },
});
