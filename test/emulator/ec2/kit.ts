import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { EC2Client } from '@aws-sdk/client-ec2';
import { HttpResponse } from '@smithy/core/protocols';
import type { AwsEvent } from '../../../emulator/core/aws-event.ts';
import { createDurations } from '../../../emulator/core/durations.ts';
import type { MachineEvent } from '../../../emulator/core/machines.ts';
import { createRng } from '../../../emulator/core/random.ts';
import type { Time } from '../../../emulator/core/time.ts';
import type { Caller, Service } from '../../../emulator/core/wire.ts';
import latency from '../../../emulator/latency.json' with { type: 'json' };
import type { Ec2, Ec2Deps } from '../../../emulator/services/ec2/ec2.ts';
import { createEc2 } from '../../../emulator/services/ec2/ec2.ts';
import { createHealth, type Health } from '../../../emulator/services/health/health.ts';

export const ACCOUNT = '123456789012';
export const REGION = 'us-east-1';
export const ZONE = 'us-east-1a';
/** On a full minute, so that status checks fall on round numbers. */
export const START = Date.parse('2026-11-22T21:00:00.000Z');

export interface ManualTime extends Time {
  /** Runs everything that falls due within `ms`, in order of its time. */
  advance(ms: number): void;
}

const manualTime = (): ManualTime => {
  let now = START;
  let sequence = 0;
  const due: { at: number; sequence: number; effect: () => void }[] = [];
  return {
    now: () => now,
    after(delayMs, effect) {
      const entry = { at: now + delayMs, sequence: sequence++, effect };
      due.push(entry);
      return () => {
        const index = due.indexOf(entry);
        if (index >= 0) due.splice(index, 1);
      };
    },
    advance(ms) {
      const end = now + ms;
      for (;;) {
        due.sort((a, b) => a.at - b.at || a.sequence - b.sequence);
        const [next] = due;
        if (next === undefined || next.at > end) break;
        due.shift();
        now = next.at;
        next.effect();
      }
      now = end;
    },
  };
};

export interface Request {
  protocol: string;
  hostname: string;
  path: string;
  method: string;
  headers: Record<string, string>;
  body?: unknown;
}

/** A request handler for SDK clients that calls the service without a socket. */
const inProcess = (service: Service, caller: Caller = { accessKeyId: 'TEST' }) => ({
  async handle(request: Request) {
    const body = typeof request.body === 'string' ? request.body : '';
    const answer = await service.handle(
      {
        method: request.method,
        url: `${request.protocol}//${request.hostname}${request.path}`,
        headers: request.headers,
        body,
      },
      caller,
    );
    const response = new HttpResponse({
      statusCode: answer.status,
      headers: answer.headers,
      body: Buffer.from(answer.body),
    });
    return { response };
  },
});

const options = (service: Service, caller?: Caller) => ({
  region: REGION,
  maxAttempts: 1,
  credentials: { accessKeyId: 'TEST', secretAccessKey: 'TEST' },
  requestHandler: inProcess(service, caller),
});

export const ec2Client = (service: Service, caller?: Caller): EC2Client =>
  new EC2Client(options(service, caller));

export const autoScalingClient = (service: Service): AutoScalingClient =>
  new AutoScalingClient(options(service));

export interface Bench {
  time: ManualTime;
  ec2: Ec2;
  client: EC2Client;
  health: Health;
  durations: Ec2Deps['durations'];
  events: AwsEvent[];
  machineEvents: MachineEvent[];
  emit: (event: AwsEvent) => void;
}

/** One region with nothing in it. */
export const bench = (deps: Partial<Ec2Deps> = {}): Bench => {
  const time = manualTime();
  const events: AwsEvent[] = [];
  const machineEvents: MachineEvent[] = [];
  const emit = (event: AwsEvent): void => void events.push(event);
  const durations = createDurations(1, latency.world);
  const shared = { time, account: ACCOUNT, region: REGION, emit };
  const health = createHealth({ ...shared, rng: createRng(4) });
  const ec2 = createEc2({ ...shared, rng: createRng(1), durations, health, ...deps });
  ec2.subscribe((event) => machineEvents.push(event));
  return { time, ec2, client: ec2Client(ec2), health, durations, events, machineEvents, emit };
};

/** The code of the refusal the promise ends with. */
export const refusalOf = async (answer: Promise<unknown>): Promise<string> => {
  const outcome = await answer.then(
    () => 'no refusal',
    (error: unknown) => error,
  );
  return outcome instanceof Error ? outcome.name : String(outcome);
};
