import { isoTime } from '../../core/time.ts';
import type { XmlElement } from '../query-protocol.ts';
import type { FilterFields } from './filters.ts';
import type { Volume } from './model.ts';
import { zoneIdOf } from './model.ts';

/** What two reads beside DescribeVolumes tell of a volume: is its I/O in order, is it changing? */

const statusOf = ({ ioEnabled, state }: Volume): string =>
  ioEnabled && state !== 'error' ? 'ok' : 'impaired';

const detailOf = ({ ioEnabled, state }: Volume): string =>
  ioEnabled && state !== 'error' ? 'passed' : 'failed';

/** DescribeVolumeStatus. */
export const volumeStatusView = (volume: Volume): XmlElement => ({
  volumeId: volume.volumeId,
  availabilityZone: volume.availabilityZone,
  availabilityZoneId: zoneIdOf(volume.availabilityZone),
  volumeStatus: {
    status: statusOf(volume),
    details: [
      { name: 'io-enabled', status: detailOf(volume) },
      { name: 'io-performance', status: 'not-applicable' },
    ],
  },
  eventsSet: [],
  actionsSet: [],
});

export const volumeStatusFilters: FilterFields<Volume> = {
  'availability-zone': ({ availabilityZone }) => [availabilityZone],
  'volume-status.status': (volume) => [statusOf(volume)],
};

/** DescribeVolumesModifications: only volumes that were ever modified are listed. */
export const modificationView = ({ modification, ...volume }: Volume): XmlElement => ({
  volumeId: volume.volumeId,
  modificationState: modification?.state,
  targetSize: volume.sizeGiB,
  targetVolumeType: volume.volumeType,
  originalSize: volume.sizeGiB,
  originalVolumeType: volume.volumeType,
  progress: modification?.state === 'optimizing' ? 50 : 0,
  startTime: isoTime(modification?.startTime ?? 0),
});

export const modificationFilters: FilterFields<Volume> = {
  'volume-id': ({ volumeId }) => [volumeId],
  'modification-state': ({ modification }) => [modification?.state],
};
