import type { CreateHandler } from '../../services/lambda/environment.ts';
import { createEc2Client, type Ec2Client, Ec2Error, failedInstance, waitUntil } from './script.ts';

/** As the cluster guides for SAP on AWS set fence_aws. */
const POWER = { everyMs: 1_000, timeoutMs: 600_000 };
const FREE = { everyMs: 5_000, timeoutMs: 120_000 };

/**
 * fence_aws, action off: Stop with SkipOsShutdown and Force, then one read after the other until
 * one says `stopped`; any other state is not off. What Stop answers only goes to its log.
 */
const fence = async (
  ec2: Ec2Client,
  instanceId: string,
  log: (line: string) => void,
): Promise<void> => {
  const isOff = async (): Promise<boolean> => (await ec2.describe(instanceId)).state === 'stopped';
  if (await isOff()) return;
  const power = { 'InstanceId.1': instanceId, Force: 'true', SkipOsShutdown: 'true' };
  await ec2.call('StopInstances', power).catch((error: unknown) => {
    if (!(error instanceof Ec2Error)) throw error;
    log(`Failed to power off ${instanceId}: ${error.code}`);
  });
  if (!(await waitUntil(isOff, POWER))) throw new Error(`${instanceId} could not be fenced`);
};

/**
 * A careful administrator's way: fence_aws first, then a script that detaches what was attached
 * when it began. It goes no further where the fence failed, and begins anew when it dies.
 */
export const fenceThenScript: CreateHandler = (env, platform) => {
  const ec2 = createEc2Client(env, platform);
  return async (event) => {
    const instanceId = failedInstance(event);
    if (instanceId === undefined) return;
    const { volumeIds } = await ec2.describe(instanceId);
    await fence(ec2, instanceId, platform.log);
    for (const volumeId of volumeIds) {
      if (await ec2.isFree(volumeId)) continue;
      await ec2.call('DetachVolume', { VolumeId: volumeId });
      if (!(await waitUntil(() => ec2.isFree(volumeId), FREE))) {
        throw new Error(`${volumeId} does not come free`);
      }
    }
  };
};
