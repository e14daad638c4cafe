import { readLedger } from '../../emulator/scenes/ledger-view.ts';
import type { Cloud } from './cloud.ts';

/** A person with every right, at a console or a command line. */
const signed = (service: string): string =>
  `AWS4-HMAC-SHA256 Credential=AKIAPERSON/20261005/eu-central-1/${service}/x`;

/** Sends it and lets time run until the answer is there. */
const ask = async (
  cloud: Cloud,
  url: string,
  headers: Record<string, string>,
  body: object,
): Promise<Record<string, unknown>> => {
  let answer: string | undefined;
  const sent = cloud.network.send({ method: 'POST', url, headers, body: JSON.stringify(body) });
  void sent.then(({ body: said }) => {
    answer = said;
  });
  await cloud.until(() => answer !== undefined);
  return JSON.parse(answer ?? '');
};

export const invoke = (cloud: Cloud, key: string, payload: object) => {
  const name = `ebs-failover-main-${key}`;
  const host = `lambda.${cloud.infra.region}.amazonaws.com`;
  const url = `https://${host}/2015-03-31/functions/${name}/invocations`;
  return ask(cloud, url, { authorization: signed('lambda') }, payload);
};

/** An order through the function Operate; answers what it answered. */
export const order = (cloud: Cloud, what: object) =>
  invoke(cloud, 'operate', { by: 'ana', reason: 'game day', ...what });

export const states = (cloud: Cloud, operation: string, body: object) =>
  ask(
    cloud,
    `https://states.${cloud.infra.region}.amazonaws.com/`,
    {
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': `AWSStepFunctions.${operation}`,
      authorization: signed('states'),
    },
    body,
  );

/** Starts a workflow as from the console. */
export const start = async (cloud: Cloud, logicalId: string, input: unknown): Promise<string> => {
  const stateMachineArn = cloud.infra.resource(logicalId).ref;
  const body = { stateMachineArn, input: JSON.stringify(input) };
  return String((await states(cloud, 'StartExecution', body)).executionArn);
};

export const incidentOf = async (cloud: Cloud, instanceId: string) =>
  (await cloud.clock.busy(readLedger(cloud, instanceId))).incident;

const READ = /^(?:Describe|Get|List|Query|GET|Scan|BatchGet)/;
const CHANGED = ['ec2', 'autoscaling', 'mesos', 'marathon', 'dcos'];
/** Tagging what is well is no step of an incident. */
const APART = ['adopt'];

/** What the service changed of the machines, the volumes and the cluster, and when. */
export const changesOf = (cloud: Cloud) =>
  cloud.network
    .calls()
    .filter(
      ({ functionName, operation, service }) =>
        functionName !== undefined &&
        !APART.includes(functionName) &&
        CHANGED.includes(service) &&
        !READ.test(operation) &&
        !operation.startsWith('POST /acs/'),
    )
    .map(({ at, functionName, operation }) => ({ at, functionName, operation }));
