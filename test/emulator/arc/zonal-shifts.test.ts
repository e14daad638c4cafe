import { expect, it } from 'vitest';
import { createRng } from '../../../emulator/core/random.ts';
import { createZonalShifts } from '../../../emulator/services/arc/zonal-shifts.ts';
import { ACCOUNT, bench, REGION } from '../ec2/kit.ts';

const shifts = () => {
  const { time, emit, events } = bench();
  const deps = { time, emit, rng: createRng(6), account: ACCOUNT, region: REGION };
  return { events, zonalShifts: createZonalShifts(deps) };
};

// Amazon Application Recovery Controller Developer Guide, "Using EventBridge with zonal autoshift".
it('an autoshift names the zone by its id and has an empty text for data', () => {
  const { events, zonalShifts } = shifts();
  zonalShifts.tell('Autoshift In Progress', 'us-east-1a');
  expect(events).toEqual([
    {
      version: '0',
      id: expect.any(String),
      'detail-type': 'Autoshift In Progress',
      source: 'aws.arc-zonal-shift',
      account: ACCOUNT,
      time: '2026-11-22T21:00:00Z',
      region: REGION,
      resources: [],
      detail: { version: '0.0.1', data: '', metadata: { awayFrom: 'use1-az2', notes: '' } },
    },
  ]);
});

it('an interrupted practice run names its resource and has an object for data', () => {
  const { events, zonalShifts } = shifts();
  const options = { resources: ['my-alb'], failure: 'Practice run interrupted.', notes: 'monthly' };
  zonalShifts.tell('Practice Run Interrupted', 'us-east-1b', options);
  expect(events[0]).toMatchObject({
    'detail-type': 'Practice Run Interrupted',
    resources: ['my-alb'],
    detail: {
      data: { additionalFailureInfo: 'Practice run interrupted.' },
      metadata: { awayFrom: 'use1-az3', notes: 'monthly' },
    },
  });
});
