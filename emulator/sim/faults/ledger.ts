import {
  answered,
  createStretch,
  drawStretch,
  type FaultKind,
  fault,
  isStep,
  lostAnswer,
  strike,
} from '../fault.ts';

const JSON_1_0 = 'application/x-amz-json-1.0';
const AWS = 'com.amazonaws.dynamodb.v20120810';
const throttled = answered(
  400,
  JSON.stringify({
    __type: `${AWS}#ProvisionedThroughputExceededException`,
    message: 'The level of configured provisioned throughput was exceeded.',
  }),
  JSON_1_0,
);
const broken = answered(
  500,
  JSON.stringify({ __type: `${AWS}#InternalServerError`, message: 'Internal server error' }),
  JSON_1_0,
);

/** Calls that may have been answered since the last look. */
const RECENT = 200;

const isLedger = ({ service }: { service: string }): boolean => service === 'dynamodb';
const isWrite = ({ operation }: { operation: string }): boolean =>
  ['PutItem', 'UpdateItem', 'DeleteItem'].includes(operation);

export const ledgerFaults: readonly FaultKind[] = [
  fault('DB-01', {
    draw: (rng) => ({ ...drawStretch(rng), every: rng.int(2, 4) }),
    arm: (site, params) => strike(site, 'DB-01', params, isLedger, throttled),
  }),
  fault('DB-02', {
    draw: (rng) => ({ ms: rng.int(0, 40), copies: rng.int(2, 4) }),
    arm: (site, { ms, copies }) => {
      const { world, stage } = site;
      // Two deliveries at one moment race for the same writes; the loser is refused.
      site.on('deliver', ({ detail }) => {
        if (!JSON.stringify(detail).includes(stage.failing.instanceId)) return undefined;
        return Array.from({ length: copies }, (_, i) => ({ delayMs: i * ms }));
      });
      const counted = new WeakSet<object>();
      site.on('request', () => {
        const lost = world.network
          .calls()
          .slice(-RECENT)
          .filter((call) => call.service === 'dynamodb' && call.status === 400);
        for (const call of lost) if (!counted.has(call)) site.hit('DB-02');
        for (const call of lost) counted.add(call);
        return undefined;
      });
    },
  }),
  fault('DB-03', {
    draw: (rng) => ({ ...drawStretch(rng), every: rng.int(3, 9) }),
    arm: (site, params) =>
      strike(
        site,
        'DB-03',
        { ...params, fromS: 0 },
        (passing) => isLedger(passing) && isWrite(passing) && isStep(passing),
        lostAnswer,
      ),
  }),
  fault('DB-05', {
    // From the failure on, so that no event finds the table, or from the midst of the incident.
    draw: (rng) => ({ atOnce: rng.next() < 0.5, fromS: rng.int(0, 20), forS: 600 }),
    arm: (site, { atOnce, ...params }) => {
      const { time } = site;
      const downUntil = time.now() + params.forS * 1000;
      const within = createStretch(site, params);
      site.on('request', (passing) => {
        const isDown = atOnce ? time.now() < downUntil : within(passing);
        if (!isDown || !isLedger(passing)) return undefined;
        site.hit('DB-05');
        return broken;
      });
    },
  }),
];
