import { NotifierUnavailableError } from '../domain/errors.ts';
import type {
  Desk,
  Operators,
  Press,
  PressAnswers,
  RequestLedger,
  Seal,
  SignedRequest,
} from '../ports/press.ts';
import type { Clock, Log, Metrics } from '../ports/system.ts';

/** What Slack is answered: `says` is for whoever set it up. */
export interface Receipt {
  readonly status: 200 | 400 | 401 | 403 | 405 | 413;
  readonly says: string;
}

/** A press carries the message it stood under, which has its own limit far below this. */
const bodyBytesMax = 1024 * 1024;

export interface ReceivePressDeps {
  readonly seal: Seal;
  readonly ledger: RequestLedger;
  readonly desk: Pick<Desk, 'later'>;
  /** undefined: it is no press of a button. */
  readonly read: (body: Uint8Array) => Press | undefined;
  readonly cluster: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
}

const take = async (deps: ReceivePressDeps, request: SignedRequest): Promise<Receipt> => {
  const { clock, cluster, desk, ledger, read, seal } = deps;
  if (request.method !== 'POST') return { status: 405, says: 'only POST is taken' };
  if (request.body.length > bodyBytesMax) return { status: 413, says: 'the body is too long' };
  const now = clock.now();
  const sealed = await seal.check(request, now);
  if (sealed.kind === 'refused') return { status: 401, says: sealed.why };
  if ((await ledger.rememberRequest(cluster, sealed, now)) === 'known') {
    return { status: 401, says: 'this very request was taken before' };
  }
  const press = read(request.body);
  if (press === undefined) return { status: 400, says: 'this is no press of a button' };
  await desk.later(press);
  return { status: 200, says: '' };
};

const told = (
  { log, metrics }: Pick<ReceivePressDeps, 'log' | 'metrics'>,
  receipt: Receipt,
): Receipt => {
  if (receipt.status === 200) return receipt;
  log.warn('slack request refused', { why: receipt.says, status: receipt.status });
  metrics.count('SlackRequestRefused');
  return receipt;
};

/**
 * The front door: believes nothing but the signature, takes each request once, and hands the press
 * over, so that Slack has its answer long before its three seconds are over.
 */
export const createReceivePress =
  (deps: ReceivePressDeps) =>
  async (request: SignedRequest): Promise<Receipt> =>
    told(deps, await take(deps, request));

/** Where nobody may press, nobody is believed. */
export const createRefusePress = (deps: Pick<ReceivePressDeps, 'log' | 'metrics'>) => (): Receipt =>
  told(deps, {
    status: 403,
    says: 'there are no buttons here: set SlackSigningSecretId and SlackOperators',
  });

export interface CarryOutPressDeps {
  readonly operators: Operators;
  readonly desk: Pick<Desk, 'explain' | 'operate' | 'retell'>;
  readonly answers: PressAnswers;
  readonly log: Log;
  readonly metrics: Metrics;
}

export interface Outcome {
  readonly kind: 'done' | 'unchanged' | 'refused' | 'explained' | 'failed';
  readonly lines: readonly string[];
}

const refused = (...lines: string[]): Outcome => ({ kind: 'refused', lines });

/** Why this person may not press; undefined: they may. Who cannot be looked up may not. */
const whyNot = async ({ operators }: CarryOutPressDeps, { user }: Press) => {
  try {
    return (await operators.mayPress(user.id))
      ? undefined
      : `Nothing was done: ${user.id} is not among those who may press (SlackOperators).`;
  } catch (error) {
    if (!(error instanceof NotifierUnavailableError)) throw error;
    return `Nothing was done: who may press could not be read (${error.message}).`;
  }
};

/** The message says at once what has become of it; if it cannot, the next news says it. */
const retell = async ({ desk, log }: CarryOutPressDeps, { wish }: Press): Promise<void> => {
  if (wish.kind !== 'order' || wish.incidentId === undefined) return;
  const { incidentId } = wish;
  await desk.retell(incidentId).catch((error: Error) => {
    log.warn('message not rewritten', { incidentId, problem: error.message });
  });
};

const carryOut = async (deps: CarryOutPressDeps, press: Press): Promise<Outcome> => {
  const why = await whyNot(deps, press);
  if (why !== undefined) return refused(why);
  const { desk } = deps;
  const { wish } = press;
  switch (wish.kind) {
    case 'unknown':
      return refused(`Nothing was done: ${wish.says}.`);
    case 'explain':
      return { kind: 'explained', lines: await desk.explain(wish.instanceId) };
    case 'order': {
      const { kind, says } = await desk.operate(wish.order);
      const word = { done: 'Done', unchanged: 'Nothing to do', refused: 'Refused' }[kind];
      return { kind, lines: [`${word}: ${says}`] };
    }
  }
};

/** What went wrong half way is told too: the person looks, and presses again or not. */
const attempt = async (deps: CarryOutPressDeps, press: Press): Promise<Outcome> => {
  try {
    return await carryOut(deps, press);
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    deps.log.error('press failed', { by: press.user.id, problem });
    const says = `It is not known whether this was done (${problem}). Look before you press again.`;
    return { kind: 'failed', lines: [says] };
  }
};

/**
 * Does what a button stands for, if the person may press it, and tells that person what became of it.
 * An order is carried out by the function Operate, which keeps who gave it and why. Throws
 * NotifierUnavailableError when the person could not be told.
 */
export const createCarryOutPress =
  (deps: CarryOutPressDeps) =>
  async (press: Press): Promise<{ readonly kind: Outcome['kind'] }> => {
    const { answers, log, metrics } = deps;
    const { kind, lines } = await attempt(deps, press);
    log.info('button pressed', { by: press.user.id, wish: press.wish.kind, outcome: kind });
    metrics.count(kind === 'refused' ? 'SlackPressRefused' : 'SlackPressTaken');
    await retell(deps, press);
    await answers.answer(press, lines);
    return { kind };
  };
