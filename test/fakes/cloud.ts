import type { InstanceId, LaunchTime, VolumeId } from '../../src/domain/ids.ts';
import type { FenceMethod, LifecycleHook, StopMethod } from '../../src/domain/incident.ts';
import type {
  Instance,
  ScheduledEvent,
  StatusChecks,
  Tag,
  Volume,
  VolumeCondition,
} from '../../src/domain/machine.ts';
import { tagValue } from '../../src/domain/machine.ts';
import { quarantineTagKey } from '../../src/domain/quarantine.ts';
import type {
  AutoScaling,
  GroupMembership,
  HookAnswer,
  LifecycleHooks,
  StandbyAnswer,
} from '../../src/ports/auto-scaling.ts';
import type {
  ComputeReads,
  DetachAnswer,
  Interruptions,
  MachineMarks,
  PowerAnswer,
  PowerControl,
  PowerRefusal,
  Receipt,
  Safekeeping,
  VolumeControl,
} from '../../src/ports/compute.ts';
import { clusterTag } from '../support/build.ts';
import type { CallBook } from './call-book.ts';
import type { ManualClock } from './manual-clock.ts';

const isOfCluster = ({ tags }: { readonly tags: readonly Tag[] }): boolean =>
  tagValue(tags, clusterTag.key) === clusterTag.value;

type PowerMethod = Exclude<FenceMethod, 'none'>;

/**
 * EC2, EBS and Auto Scaling as far as the use cases see them: stops and detaches take their time,
 * and a test may refuse, delay or change anything. Power and attachments only; no wire, no rights.
 */
export class FakeCloud
  implements
    ComputeReads,
    Interruptions,
    LifecycleHooks,
    PowerControl,
    VolumeControl,
    Safekeeping,
    MachineMarks,
    AutoScaling
{
  readonly instances = new Map<InstanceId, Instance>();
  readonly volumesById = new Map<VolumeId, Volume>();
  /** Those of other volumes are in order. */
  readonly conditions = new Map<VolumeId, VolumeCondition>();
  readonly checks = new Map<InstanceId, StatusChecks>();
  readonly groups = new Map<InstanceId, GroupMembership>();
  /** How long each way down takes; Infinity: for ever. */
  readonly downMs: Record<PowerMethod, number> = {
    graceful: 30_000,
    skip: 3_000,
    force: 30_000,
    'force-skip': 1_000,
    terminate: 5_000,
    'terminate-force': 1_000,
  };
  detachMs = 1_000;
  /** Refusals of the next power commands by method. */
  readonly refusals = new Map<PowerMethod, PowerRefusal>();
  /** The answer to the next detaches, once each. */
  readonly detachAnswers: DetachAnswer[] = [];
  standbyAnswer: StandbyAnswer = { kind: 'accepted', receipt: {} };
  /** What AWS has scheduled, by instance. */
  readonly scheduled = new Map<InstanceId, readonly ScheduledEvent[]>();
  /** Spot instances that EC2 takes back. */
  readonly marked = new Map<InstanceId, 'stop' | 'terminate'>();
  hookAnswer: HookAnswer = { kind: 'accepted', receipt: {} };
  /** EC2 takes a flag and forgets it. */
  flagsStick = true;
  readonly #book: CallBook;
  readonly #clock: ManualClock;

  constructor(book: CallBook, clock: ManualClock) {
    this.#book = book;
    this.#clock = clock;
  }

  setInstance(id: InstanceId, change: Partial<Instance>): void {
    const known = this.instances.get(id);
    if (known !== undefined) this.instances.set(id, { ...known, ...change });
  }

  setVolume(id: VolumeId, change: Partial<Volume>): void {
    const known = this.volumesById.get(id);
    if (known !== undefined) this.volumesById.set(id, { ...known, ...change });
  }

  restart(id: InstanceId, launchTime: LaunchTime): void {
    this.setInstance(id, { state: 'running', launchTime });
  }

  attach(volumeId: VolumeId, instanceId: InstanceId): void {
    const attachments = [
      { instanceId, device: '/dev/xvdf', state: 'attached', deleteOnTermination: false } as const,
    ];
    this.setVolume(volumeId, { state: 'in-use', attachments });
  }

  free(volumeId: VolumeId): void {
    this.setVolume(volumeId, { state: 'available', attachments: [] });
  }

  instance(instanceId: InstanceId): Promise<Instance | undefined> {
    return this.#book.read('instance', () => {
      const instance = this.instances.get(instanceId);
      return instance && { ...instance, devices: this.#devicesOf(instance) };
    });
  }

  /** As given, and what was attached since; EC2 lists none of a terminated instance. */
  #devicesOf({ instanceId, state, devices }: Instance): Instance['devices'] {
    const isListed = ({ volumeId }: Volume): boolean =>
      devices.some((device) => device.volumeId === volumeId);
    if (state === 'terminated') return devices;
    const since = this.#attachedTo([instanceId]).filter((volume) => !isListed(volume));
    return [
      ...devices,
      ...since.map(({ volumeId, attachments: [attachment] }) => ({
        volumeId,
        device: attachment?.device ?? '',
        deleteOnTermination: attachment?.deleteOnTermination ?? false,
        status: attachment?.state ?? '',
      })),
    ];
  }

  statusChecks(instanceId: InstanceId): Promise<StatusChecks | undefined> {
    return this.#book.read('statusChecks', () =>
      this.instances.get(instanceId)?.state === 'running' ? this.checks.get(instanceId) : undefined,
    );
  }

  volumesOf(instanceId: InstanceId): Promise<Volume[]> {
    return this.#book.read('volumesOf', () => this.#attachedTo([instanceId]));
  }

  volumes(volumeIds: readonly VolumeId[]): Promise<Volume[]> {
    return this.#book.read('volumes', () =>
      volumeIds.flatMap((id) => this.volumesById.get(id) ?? []),
    );
  }

  volumeConditions(volumeIds: readonly VolumeId[]): Promise<VolumeCondition[]> {
    return this.#book.read('volumeConditions', () =>
      volumeIds
        .filter((volumeId) => this.volumesById.has(volumeId))
        .map(
          (volumeId) =>
            this.conditions.get(volumeId) ?? ({ volumeId, io: 'ok', modifying: false } as const),
        ),
    );
  }

  volumesNamed(names: readonly string[]): Promise<Volume[]> {
    return this.#book.read('volumesNamed', () =>
      [...this.volumesById.values()].filter((volume) =>
        names.includes(tagValue(volume.tags, 'Name') ?? ''),
      ),
    );
  }

  instancesOfCluster(): Promise<Instance[]> {
    return this.#book.read('instancesOfCluster', () =>
      [...this.instances.values()].filter(isOfCluster),
    );
  }

  volumesOfInstances(instanceIds: readonly InstanceId[]): Promise<Volume[]> {
    return this.#book.read('volumesOfInstances', () => [
      ...new Set([
        ...this.#attachedTo(instanceIds),
        ...[...this.volumesById.values()].filter(isOfCluster),
      ]),
    ]);
  }

  #attachedTo(instanceIds: readonly InstanceId[]): Volume[] {
    return [...this.volumesById.values()].filter((volume) =>
      volume.attachments.some((a) => instanceIds.includes(a.instanceId)),
    );
  }

  statusChecksOf(instanceIds: readonly InstanceId[]): Promise<Map<InstanceId, StatusChecks>> {
    return this.#book.read(
      'statusChecksOf',
      () => new Map([...this.checks].filter(([id]) => instanceIds.includes(id))),
    );
  }

  stop(instanceId: InstanceId, method: StopMethod): Promise<PowerAnswer> {
    return this.#power('StopInstances', instanceId, method, 'stopping', 'stopped');
  }

  terminate(instanceId: InstanceId, method: 'terminate' | 'terminate-force'): Promise<PowerAnswer> {
    return this.#power('TerminateInstances', instanceId, method, 'shutting-down', 'terminated');
  }

  detach(
    volumeId: VolumeId,
    from: InstanceId,
    options: { readonly force: boolean },
  ): Promise<DetachAnswer> {
    return this.#book.make('DetachVolume', volumeId, { from, ...options }, () => {
      const scripted = this.detachAnswers.shift();
      if (scripted !== undefined) return scripted;
      const volume = this.volumesById.get(volumeId);
      if (volume === undefined) return { kind: 'volume-not-found', code: 'InvalidVolume.NotFound' };
      if (!volume.attachments.some((a) => a.instanceId === from)) {
        return { kind: 'not-attached-there', code: 'InvalidAttachment.NotFound' };
      }
      if (Number.isFinite(this.detachMs)) {
        this.#clock.after(this.detachMs, () => this.free(volumeId));
      }
      return { kind: 'accepted', receipt: { requestId: 'req-detach' } };
    });
  }

  keepOnTermination(
    instanceId: InstanceId,
    devices: readonly { readonly device: string; readonly volumeId: VolumeId }[],
  ): Promise<Receipt> {
    return this.#book.make('ModifyInstanceAttribute', instanceId, devices, () => {
      const named = devices.map(({ volumeId }) => volumeId);
      const mapped = this.instances.get(instanceId)?.devices ?? [];
      if (this.flagsStick) {
        this.setInstance(instanceId, {
          devices: mapped.map((d) =>
            named.includes(d.volumeId) ? { ...d, deleteOnTermination: false } : d,
          ),
        });
      }
      return {};
    });
  }

  markQuarantined(instanceId: InstanceId, value: string): Promise<Receipt> {
    return this.#book.make('CreateTags', instanceId, value, () => {
      this.#setMark(instanceId, [{ key: quarantineTagKey, value }]);
      return {};
    });
  }

  unmarkQuarantined(instanceId: InstanceId): Promise<Receipt> {
    return this.#book.make('DeleteTags', instanceId, {}, () => {
      this.#setMark(instanceId, []);
      return {};
    });
  }

  #setMark(instanceId: InstanceId, mark: readonly Tag[]): void {
    const tags = this.instances.get(instanceId)?.tags ?? [];
    const others = tags.filter(({ key }) => key !== quarantineTagKey);
    this.setInstance(instanceId, { tags: [...others, ...mark] });
  }

  tagVolume(volumeId: VolumeId, tags: Readonly<Record<string, string>>): Promise<Receipt> {
    return this.#book.make('CreateTags', volumeId, tags, () => {
      const kept = (this.volumesById.get(volumeId)?.tags ?? []).filter((t) => !(t.key in tags));
      const added = Object.entries(tags).map(([key, value]) => ({ key, value }));
      this.setVolume(volumeId, { tags: [...kept, ...added] });
      return {};
    });
  }

  membership(instanceId: InstanceId): Promise<GroupMembership | undefined> {
    return this.#book.read('membership', () => this.groups.get(instanceId));
  }

  enterStandby(
    group: string,
    instanceId: InstanceId,
    options: { readonly decrementDesired: boolean },
  ): Promise<StandbyAnswer> {
    return this.#book.make('EnterStandby', instanceId, { group, ...options }, () => {
      const member = this.groups.get(instanceId);
      if (member !== undefined && this.standbyAnswer.kind === 'accepted') {
        this.groups.set(instanceId, { ...member, lifecycleState: 'Standby' });
      }
      return this.standbyAnswer;
    });
  }

  exitStandby(group: string, instanceId: InstanceId): Promise<StandbyAnswer> {
    return this.#book.make('ExitStandby', instanceId, { group }, () => this.standbyAnswer);
  }

  suspendReplacement(group: string): Promise<Receipt> {
    return this.#book.make('SuspendProcesses', group, {}, () => ({}));
  }

  resumeReplacement(group: string): Promise<Receipt> {
    return this.#book.make('ResumeProcesses', group, {}, () => ({}));
  }

  scheduledEvents(instanceId: InstanceId): Promise<ScheduledEvent[]> {
    return this.#book.read('scheduledEvents', () => [...(this.scheduled.get(instanceId) ?? [])]);
  }

  interruption(instanceId: InstanceId) {
    return this.#book.read('interruption', () => this.marked.get(instanceId));
  }

  lifecycleState(instanceId: InstanceId): Promise<string | undefined> {
    return this.#book.read('lifecycleState', () => this.groups.get(instanceId)?.lifecycleState);
  }

  heartbeat(hook: LifecycleHook, instanceId: InstanceId): Promise<HookAnswer> {
    return this.#book.make(
      'RecordLifecycleActionHeartbeat',
      instanceId,
      hook,
      () => this.hookAnswer,
    );
  }

  completeHook(hook: LifecycleHook, instanceId: InstanceId): Promise<HookAnswer> {
    return this.#book.make('CompleteLifecycleAction', instanceId, hook, () => this.hookAnswer);
  }

  #power(
    call: string,
    instanceId: InstanceId,
    method: PowerMethod,
    during: Instance['state'],
    then: Instance['state'],
  ): Promise<PowerAnswer> {
    return this.#book.make(call, instanceId, { method }, (): PowerAnswer => {
      const why = this.refusals.get(method);
      if (why !== undefined) return { kind: 'refused', why, code: 'OperationNotPermitted' };
      const known = this.instances.get(instanceId);
      if (known?.state === 'running' || known?.state === 'stopping') {
        this.setInstance(instanceId, { state: during });
        const { launchTime } = known;
        if (Number.isFinite(this.downMs[method])) {
          this.#clock.after(this.downMs[method], () => {
            const now = this.instances.get(instanceId);
            if (now?.launchTime === launchTime) this.setInstance(instanceId, { state: then });
          });
        }
      }
      return { kind: 'accepted', receipt: { requestId: 'req-power' } };
    });
  }
}
