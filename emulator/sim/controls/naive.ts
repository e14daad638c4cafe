import type { CreateHandler } from '../../services/lambda/environment.ts';
import { createEc2Client, type Ec2Client, Ec2Error, failedInstance, waitUntil } from './script.ts';

const STOPPED = { everyMs: 5_000, timeoutMs: 120_000 };
const FREE = { everyMs: 5_000, timeoutMs: 60_000 };

/** Says what went wrong and goes on: there may be nothing to stop, or nothing to detach. */
const tried = async (log: (line: string) => void, work: () => Promise<unknown>): Promise<void> => {
  try {
    await work();
  } catch (error) {
    if (!(error instanceof Ec2Error)) throw error;
    log(`went on after ${error.code}`);
  }
};

const release = async (ec2: Ec2Client, volumeId: string): Promise<void> => {
  await ec2.call('DetachVolume', { VolumeId: volumeId });
  const isFree = (): Promise<boolean> => ec2.isFree(volumeId);
  if (await waitUntil(isFree, FREE)) return;
  await ec2.call('DetachVolume', { VolumeId: volumeId, Force: 'true' });
};

/**
 * The Lambda function that everybody writes first: stop the machine of the event, wait until one
 * read says `stopped` or the wait is over, detach what was attached, by force if it takes long. No
 * lock, nothing remembered, nothing looked at twice.
 */
export const naive: CreateHandler = (env, platform) => {
  const ec2 = createEc2Client(env, platform);
  return async (event) => {
    const instanceId = failedInstance(event);
    if (instanceId === undefined) return;
    const { volumeIds } = await ec2.describe(instanceId);
    const isStopped = async (): Promise<boolean> =>
      (await ec2.describe(instanceId)).state === 'stopped';
    await tried(platform.log, () => ec2.call('StopInstances', { 'InstanceId.1': instanceId }));
    await tried(platform.log, () => waitUntil(isStopped, STOPPED));
    for (const volumeId of volumeIds) await tried(platform.log, () => release(ec2, volumeId));
  };
};
