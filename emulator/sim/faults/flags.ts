import type { Site } from '../site.ts';

/** A person sets DeleteOnTermination of the app's volumes, which adopt had set to false. */
const flag = ({ operator, stage, world }: Site): void => {
  const flags = world.ec2
    .volumes()
    .filter(({ volumeId }) => stage.app.volumeIds.includes(volumeId))
    .flatMap(({ attachments: [attachment] }, i) => [
      [`BlockDeviceMapping.${i + 1}.DeviceName`, attachment?.device ?? ''],
      [`BlockDeviceMapping.${i + 1}.Ebs.DeleteOnTermination`, 'true'],
    ]);
  const body = { InstanceId: stage.failing.instanceId, ...Object.fromEntries(flags) };
  void operator('ec2', { operation: 'ModifyInstanceAttribute', body });
};

/**
 * After adopt, and in time for ProtectData. A machine that is stopping is not judged before it has
 * stopped, and its group may terminate it meanwhile: nobody could keep what was flagged in between.
 */
export const flagAgain = (site: Site): void => {
  const state = () => site.world.ec2.status(site.stage.failing.instanceId).state;
  if (state() !== 'stopping') {
    flag(site);
    return;
  }
  let assessed = false;
  site.on('request', ({ functionName }) => {
    if (assessed || functionName !== 'protectData') return undefined;
    assessed = true;
    if (state() === 'stopped') flag(site);
    return undefined;
  });
};
