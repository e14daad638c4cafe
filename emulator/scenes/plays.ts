import type { World } from '../world.ts';
import type { Failure } from './given-event.ts';
import type { Outcome } from './report.ts';
import type { Stage, StageOptions } from './stage.ts';

/** Where a scene is played, and who is on it. */
export interface Act {
  world: World;
  stage: Stage;
}

/** One scene: the world it needs, what happens in it, and how it is documented to end. */
export interface Play {
  promised: Outcome;
  /** What happens, for the first line of the story. */
  opening(instanceId: string): string;
  /** A failure of the machine alone; what else happens is in `begin`. */
  failure?: Failure;
  begin?(act: Act): void;
  stage?: Partial<StageOptions>;
  /** Agents that fail together. Absent: one fails alone. */
  crowd?: number;
  /** So long the cluster works before, until every volume is adopted and known; two sweeps, if absent. */
  leadMs?: number;
  /** It is not over before so long, whatever has ended until then. */
  lastsMs?: number;
  /** Nothing else than this ends it. */
  horizonMs?: number;
  /** So many incidents must have ended; one, if absent. */
  ends?: number;
}

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** A person at a console: signed, and with every right. */
const byHand = (
  { world }: Act,
  service: string,
  { headers, body }: { headers: Record<string, string>; body: string },
): void => {
  const { region } = world.infra;
  const scope = `Credential=AKIAPERSON/20261123/${region}/${service}/aws4_request`;
  const asked = world.network.send({
    method: 'POST',
    url: `https://${service}.${region}.amazonaws.com/`,
    headers: {
      authorization: `AWS4-HMAC-SHA256 ${scope}, SignedHeaders=host, Signature=0`,
      'x-amz-date': '20261123T030000Z',
      ...headers,
    },
    body,
  });
  void asked.then(({ status, body: answer }) => {
    if (status >= 400) throw new Error(`${service} refused a person: ${answer}`);
  });
};

/** As docs/runbook.md says it: the reason is put on the incident's record. */
const acknowledge = (act: Act, reason: string): void => {
  const { world, stage } = act;
  const cluster = world.infra.parameters.ClusterName ?? '';
  const id = `${cluster}#${stage.failing.instanceId}#1`;
  byHand(act, 'dynamodb', {
    headers: {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'DynamoDB_20120810.UpdateItem',
    },
    body: JSON.stringify({
      TableName: world.infra.resource('LedgerTable').ref,
      Key: { pk: { S: `INCIDENT#${id}` }, sk: { S: 'STATE' } },
      UpdateExpression: 'SET acknowledged = :reasons',
      ExpressionAttributeValues: { ':reasons': { L: [{ S: reason }] } },
    }),
  });
};

/** Once, so long after the first hold. */
const afterHold = ({ world }: Act, delayMs: number, effect: () => void): void => {
  let isHeld = false;
  world.states.onTransition(({ kind, state }) => {
    if (isHeld || kind !== 'StateEntered' || state !== 'HoldIncident') return;
    isHeld = true;
    world.time.after(delayMs, effect);
  });
};

const leave = (act: Act): void =>
  byHand(act, 'autoscaling', {
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({
      Action: 'TerminateInstanceInAutoScalingGroup',
      Version: '2011-01-01',
      InstanceId: act.stage.failing.instanceId,
      ShouldDecrementDesiredCapacity: 'false',
    }).toString(),
  });

/** Starts the fenced machine again, a minute after its incident is over. */
const comeBack = ({ world, stage }: Act): void => {
  const { instanceId } = stage.failing;
  let isBack = false;
  world.states.onStatus(({ status, output }) => {
    if (isBack || status !== 'SUCCEEDED' || !output?.includes('"recovered"')) return;
    isBack = true;
    world.time.after(MINUTE_MS, () => world.ec2.start(instanceId));
  });
};

export const plays = {
  hung: {
    failure: 'hung',
    promised: 'recovered',
    opening: (id) => `the kernel of ${id} hangs; EC2 still says running`,
  },
  stopped: {
    failure: 'stopped',
    promised: 'recovered',
    opening: (id) => `somebody stops ${id}`,
  },
  terminated: {
    failure: 'terminated',
    promised: 'recovered',
    opening: (id) => `${id} is terminated`,
    stage: { group: true },
  },
  'lost-event': {
    failure: 'stopped',
    promised: 'recovered',
    opening: (id) => `somebody stops ${id}, and no event tells of it`,
    begin: ({ world }) => {
      world.faults.deliver = (event) => (event.source.startsWith('aws.') ? [] : [{ delayMs: 0 }]);
    },
  },
  partition: {
    promised: 'recovered',
    opening: (id) => `the network between ${id} and the masters is cut; everything on it works on`,
    begin: (act) => {
      act.world.dcos.faults.partition(act.stage.failing.instanceId, true);
      afterHold(act, 2 * MINUTE_MS, () => acknowledge(act, 'partitioned'));
    },
    horizonMs: 30 * MINUTE_MS,
  },
  'masters-partitioned': {
    promised: 'held',
    opening: () => '30 of 40 agents are cut off from the masters; EC2 finds all of them well',
    crowd: 39,
    begin: ({ world, stage }) => {
      for (const { instanceId } of [stage.failing, ...stage.crowd.slice(0, 29)]) {
        world.dcos.faults.partition(instanceId, true);
      }
    },
    horizonMs: 30 * MINUTE_MS,
  },
  reboot: {
    promised: 'cancelled',
    opening: (id) => `the operating system of ${id} is rebooted`,
    begin: ({ world, stage }) => world.ec2.reboot(stage.failing.instanceId),
    lastsMs: 8 * MINUTE_MS,
    horizonMs: 12 * MINUTE_MS,
  },
  flapping: {
    promised: 'cancelled',
    opening: (id) => `the kernel of ${id} hangs for half a minute, again and again`,
    begin: ({ world, stage }) =>
      world.ec2.flap(stage.failing.instanceId, { hungMs: 30_000, wellMs: 30_000, times: 8 }),
    lastsMs: 12 * MINUTE_MS,
    horizonMs: 16 * MINUTE_MS,
  },
  retirement: {
    promised: 'recovered',
    opening: (id) => `AWS announces that it will retire ${id} in six hours`,
    begin: ({ world, stage }) => {
      const notBefore = world.time.now() + 6 * HOUR_MS;
      world.ec2.schedule(stage.failing.instanceId, { code: 'instance-retirement', notBefore });
    },
  },
  spot: {
    promised: 'recovered',
    opening: (id) => `EC2 will take back ${id}, a Spot instance, in two minutes`,
    stage: { machine: { spot: 'one-time' } },
    begin: ({ world, stage }) => world.ec2.interruptSpot(stage.failing.instanceId, 'terminate'),
  },
  'asg-terminate': {
    promised: 'recovered',
    opening: (id) =>
      `the Auto Scaling group of ${id} is told to terminate it; its hook waits for us`,
    stage: { group: true, hooks: [{ name: 'move-first' }] },
    begin: leave,
  },
  zombie: {
    failure: 'stopped',
    promised: 'recovered',
    opening: (id) => `somebody stops ${id}, and starts it again once its volumes have moved`,
    begin: comeBack,
    ends: 2,
  },
  storm: {
    promised: 'recovered',
    opening: () => 'every agent with data is stopped at once',
    crowd: 99,
    stage: { volumesEach: 4, spares: 60 },
    // Four hundred volumes are adopted one after the other.
    leadMs: 8 * MINUTE_MS,
    begin: ({ world, stage }) => {
      for (const { instanceId } of [stage.failing, ...stage.crowd]) world.ec2.stop(instanceId);
    },
  },
  'zone-loss': {
    promised: 'held',
    opening: () => 'the zone is lost, with every agent and every volume in it',
    crowd: 5,
    begin: ({ world, stage }) => world.ec2.loseZone(stage.zone),
    horizonMs: 30 * MINUTE_MS,
  },
} satisfies Record<string, Play>;

export type SceneName = keyof typeof plays;
export const sceneNames = Object.keys(plays) as readonly SceneName[];
