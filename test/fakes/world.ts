import type { ApprovalPolicy } from '../../src/domain/approval.ts';
import type { EpochMs, InstanceId } from '../../src/domain/ids.ts';
import type { Incident, IncidentMode, IncidentPatch } from '../../src/domain/incident.ts';
import type { Policy } from '../../src/domain/policy.ts';
import type { ReturnedAgent } from '../../src/domain/quarantine.ts';
import type { Phase } from '../../src/ports/events.ts';
import type { ExecutionStatus } from '../../src/ports/workflow.ts';
import {
  agentOf,
  appOf,
  checksOf,
  cluster,
  dcosOf,
  ids,
  instanceOf,
  newTask,
  policyOf,
  recordOf,
  scope,
  signalOf,
  spareAgent,
  spareInstance,
  t,
  taskOf,
  volumeOf,
} from '../support/build.ts';
import { CallBook } from './call-book.ts';
import { FakeCloud } from './cloud.ts';
import { FakeDcos } from './dcos.ts';
import { ManualClock } from './manual-clock.ts';
import { MemoryLedger } from './memory-ledger.ts';
import { MemoryPace } from './memory-pace.ts';
import { MemoryTelling } from './memory-telling.ts';

/** Step Functions: executions run until a test says otherwise. */
class FakeWorkflow {
  readonly started: {
    readonly mode: IncidentMode;
    readonly name: string;
    readonly input: object;
  }[] = [];
  readonly statuses = new Map<string, ExecutionStatus>();
  failNext: Error | undefined;

  readonly arnOf = (mode: IncidentMode, name: string): string =>
    `arn:aws:states:::execution:${mode === 'drain' ? 'failover_drain' : mode}:${name}`;

  readonly start = async (mode: IncidentMode, name: string, input: object): Promise<string> => {
    const failure = this.failNext;
    this.failNext = undefined;
    if (failure !== undefined) throw failure;
    this.started.push({ mode, name, input });
    return this.arnOf(mode, name);
  };

  /** Task tokens that were answered; those in `late` nobody waits with any more. */
  readonly answered: string[] = [];
  readonly late = new Set<string>();

  readonly answer = async (taskToken: string): Promise<'accepted' | 'late'> => {
    if (this.late.has(taskToken)) return 'late';
    this.late.add(taskToken);
    this.answered.push(taskToken);
    return 'accepted';
  };

  readonly status = async (arn: string): Promise<ExecutionStatus> =>
    this.statuses.get(arn) ??
    (this.started.some(({ mode, name }) => this.arnOf(mode, name) === arn) ? 'RUNNING' : 'UNKNOWN');
}

const thirdAgent = {
  instance: instanceOf({ instanceId: ids.other, privateIp: '10.0.0.9', devices: [] }),
  agent: agentOf({ agentId: ids.otherAgent, hostname: '10.0.0.9' }),
};

const populate = (cloud: FakeCloud, dcos: FakeDcos): void => {
  for (const instance of [instanceOf(), spareInstance(), thirdAgent.instance]) {
    cloud.instances.set(instance.instanceId, instance);
    cloud.checks.set(instance.instanceId, checksOf());
  }
  cloud.volumesById.set(ids.data, volumeOf());
  dcos.listed = [agentOf(), spareAgent(), thirdAgent.agent];
  dcos.allApps = [appOf()];
  dcos.allTasks = [taskOf()];
};

/**
 * A whole small cluster on a manual clock: MySQL on agent .7 and two agents that could take it.
 * Everything works until a test breaks it. `deps` is what every use case is given.
 */
export const createWorld = (change: Partial<Policy> = {}) => {
  const clock = new ManualClock(t(0));
  const ledger = new MemoryLedger();
  const book = new CallBook(ledger, ids.incident);
  const cloud = new FakeCloud(book, clock);
  const dcos = new FakeDcos(book, dcosOf());
  populate(cloud, dcos);
  // Marathon finds an offer soon; the volume must be free, or REX-Ray fails the task.
  dcos.launch = (appId) =>
    clock.after(500, () => {
      if (cloud.volumesById.get(ids.data)?.state !== 'available') return;
      if (!dcos.queued.some((entry) => entry.appId === appId)) return;
      dcos.queued = dcos.queued.filter((entry) => entry.appId !== appId);
      cloud.attach(ids.data, ids.spare);
      dcos.allTasks.push(newTask({ appId, startedAt: clock.now() }));
    });
  const workflow = new FakeWorkflow();
  const published: Phase[] = [];
  const bus = { down: false };
  const counted: string[] = [];
  const logged: string[] = [];
  const adoptions: EpochMs[] = [];
  const note = (message: string): void => void logged.push(message);
  const deps = {
    ledger,
    compute: cloud,
    autoScaling: cloud,
    orchestrator: dcos,
    workflow,
    functions: { warm: async () => undefined },
    adoption: { request: async () => void adoptions.push(clock.now()) },
    events: {
      publish: async (phase: Phase) => {
        if (!bus.down) published.push(phase);
        return !bus.down;
      },
    },
    notifier: undefined,
    pace: new MemoryPace(),
    telling: new MemoryTelling(),
    scope,
    policy: policyOf(change),
    returnedAgent: 'quarantine' as ReturnedAgent,
    approvals: { verdicts: [], waitMs: 900_000 } as ApprovalPolicy,
    drain: { leadMs: 86_400_000, graceMs: 60_000 },
    clock,
    log: { info: note, warn: note, error: note },
    metrics: { count: (name: string) => void counted.push(name) },
  };

  /** The incident as the steps before left it: opened, bound, and saved with this. */
  const given = async (patch: IncidentPatch = {}): Promise<Incident> => {
    const { incident } = await ledger.admit(cluster, signalOf({ receivedAt: clock.now() }));
    const arn = workflow.arnOf('failover', incident.executionName);
    await ledger.bindExecution(incident.id, incident.token, arn, clock.now());
    return ledger.save(incident.id, incident.token, patch, clock.now());
  };

  /** The incident's volume, claimed under epoch 1. */
  const claimed = async (change: Parameters<typeof recordOf>[0] = {}): Promise<void> => {
    await ledger.claim(undefined, recordOf(), clock.now());
    if (Object.keys(change).length > 0) await ledger.advance(recordOf(change), clock.now());
  };

  return {
    clock,
    ledger,
    book,
    cloud,
    dcos,
    workflow,
    published,
    /** The event bus; down it takes nothing. */
    bus,
    counted,
    logged,
    adoptions,
    deps,
    given,
    claimed,
    /** The kernel hangs: EC2 calls it impaired for long enough, and it answers no probe. */
    hang: (instanceId: InstanceId = ids.failed): void => {
      const since = (clock.now() - 120_000) as EpochMs;
      cloud.checks.set(instanceId, checksOf({ instance: 'impaired', impairedSince: since }));
      dcos.silent.add(ids.agent);
    },
    incident: async (): Promise<Incident> => {
      const incident = await ledger.incident(ids.incident);
      if (incident === undefined) throw new Error('no incident was opened');
      return incident;
    },
    /** Another execution takes the incident over. */
    takenOver: () => ledger.takeOver(ids.incident, 1, clock.now()),
    paused: (): void =>
      ledger.setControl(cluster, { paused: { by: 'ops', reason: 'game day' }, maintenance: {} }),
    inMaintenance: (): void =>
      ledger.setControl(cluster, {
        maintenance: { [ids.failed]: { by: 'ops', until: (clock.now() + 3_600_000) as EpochMs } },
      }),
    unpaused: (): void => ledger.setControl(cluster, { maintenance: {} }),
  };
};
export type World = ReturnType<typeof createWorld>;
