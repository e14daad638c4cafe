import type { AwsEvent } from '../../core/aws-event.ts';
import { createEventFactory } from '../../core/aws-event.ts';
import type { Rng } from '../../core/random.ts';
import type { Time } from '../../core/time.ts';
import { zoneIdOf } from '../ec2/model.ts';

/** The detail-types of ARC zonal shift, zonal autoshift and its practice runs. */
export type ShiftNews =
  | 'Autoshift In Progress'
  | 'Autoshift Completed'
  | 'Practice Run Started'
  | 'Practice Run Succeeded'
  | 'Practice Run Interrupted'
  | 'Practice Run Failed'
  | 'FIS Experiment Autoshift In Progress'
  | 'FIS Experiment Autoshift Completed'
  | 'FIS Experiment Autoshift Canceled'
  | 'Manual Shift Started'
  | 'Manual Shift Updated'
  | 'Manual Shift Canceled';

export interface ZonalShifts {
  /**
   * Tells that traffic is shifted away from the zone, or no more. It moves no volume and stops no
   * machine. Without a resource it is the notice an autoshift observer gets. The zone is named here
   * as EC2 names it (`us-east-1a`), in the event by its id.
   */
  tell(
    news: ShiftNews,
    availabilityZone: string,
    options?: { resources?: string[]; notes?: string; failure?: string },
  ): void;
}

/** The events of Amazon Application Recovery Controller that are about zones. */
export const createZonalShifts = (deps: {
  time: Time;
  rng: Rng;
  account: string;
  region: string;
  emit: (event: AwsEvent) => void;
}): ZonalShifts => {
  const event = createEventFactory({ ...deps, rng: deps.rng.fork('zonal-shift-event-ids') });
  return {
    tell(news, availabilityZone, { resources = [], notes = '', failure } = {}) {
      const awayFrom = zoneIdOf(availabilityZone);
      // An object only where there is something to say, else an empty text.
      const data = failure === undefined ? '' : { additionalFailureInfo: failure };
      const detail = { version: '0.0.1', data, metadata: { awayFrom, notes } };
      const source = 'aws.arc-zonal-shift';
      deps.emit(event({ source, detailType: news, resources, detail }));
    },
  };
};
