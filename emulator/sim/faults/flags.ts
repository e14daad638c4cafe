import type { Site } from '../site.ts';

/** A person sets DeleteOnTermination of the app's volumes, which adopt had set to false. */
export const flagAgain = ({ operator, stage, world }: Site): void => {
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
