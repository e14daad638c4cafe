import type { ParsedEvent } from '../../../src/contracts/events/parse-event.ts';
import type { EpochMs } from '../../../src/domain/ids.ts';
import type { Notice, SignalSource } from '../../../src/domain/incident.ts';
import type { NoteKind } from '../../../src/domain/note.ts';
import { instanceId, otherInstanceId } from './fixtures.ts';

/** What a sample event must come to. */
export type Row =
  | {
      readonly becomes: 'signals' | 'wake-ups';
      readonly source: SignalSource;
      /** The instance's id follows, unless the event's own id is in it. */
      readonly key: string;
      readonly ids?: readonly string[];
      readonly says: RegExp;
      readonly notice?: Notice;
    }
  | { readonly becomes: 'noted'; readonly about: NoteKind; readonly names: readonly string[] }
  | { readonly becomes: 'zone-shift'; readonly key: string; readonly away: boolean }
  | { readonly becomes: 'aborted'; readonly name: string }
  | { readonly becomes: 'ignored' | 'refused'; readonly why: RegExp };

const at = (time: string): EpochMs => Date.parse(time) as EpochMs;

const state = (id: string, says: RegExp, ids?: string[]): Row => ({
  becomes: 'signals',
  source: 'ec2-state',
  key: `ec2:5f0c1d2e-7a3b-4c5d-8e9f-0000000000${id}`,
  says,
  ...(ids && { ids }),
});

const alarm = (name: string, says: RegExp, becomes: 'signals' | 'wake-ups' = 'signals'): Row => ({
  becomes,
  source: 'status-alarm',
  key: `alarm:${name}:2026-10-05T08:15:40.512+0000`,
  says,
});
const check = (kind: string): string => `agent-${kind}-${instanceId}`;

const spot = (id: string, action: Notice['action'], deadline: string): Row => ({
  becomes: 'signals',
  source: 'spot',
  key: `spot:5f0c1d2e-7a3b-4c5d-8e9f-0000000000${id}`,
  says: new RegExp(`will ${action} the Spot instance ${instanceId}`),
  notice: { kind: 'interrupted', action, deadline: at(deadline) },
});

const token = '1f2e3d4c-5b6a-4978-8675-64534231200f';
const leaving = (action: 'stop' | 'terminate'): Row => ({
  becomes: 'signals',
  source: 'auto-scaling',
  key: `auto-scaling:hook:${token}`,
  says: new RegExp(
    `"private-agents" will ${action} ${instanceId} and waits for hook "let-data-go"`,
  ),
  notice: {
    kind: 'leaving',
    action,
    hook: { group: 'private-agents', hook: 'let-data-go', token },
  },
});

const healthKey = (code: string, page: number, communication: number): string =>
  `health:210987654321:arn:aws:health:eu-central-1::event/EC2/${code}/${code}_7f3a:c0ffee42-${communication}:${page}`;
const health = (
  code: string,
  { page = 1, communication = 1, ids = [instanceId], becomes = 'signals' as const } = {},
): Extract<Row, { source: unknown }> => ({
  becomes,
  source: 'health',
  key: healthKey(`AWS_EC2_${code}`, page, communication),
  ids,
  says: new RegExp(`AWS Health (?:reports|announces) "AWS_EC2_${code}" for i-`),
});
const retiring = (
  code: string,
  action: Notice['action'],
  { deadline = '2026-10-12T04:00:00Z', page = 1, ids = [instanceId] } = {},
): Row => ({
  ...health(code, { page, ids }),
  notice: { kind: 'retiring', action, deadline: at(deadline) },
});

const noted = (about: NoteKind, ...names: string[]): Row => ({ becomes: 'noted', about, names });
const volume = 'vol-0c3d4e5f607182930';

const shift = (by: string, away: boolean): Row => ({
  becomes: 'zone-shift',
  key: `euc1-az2 ${by}`,
  away,
});
const balancer = 'manual -central-1:210987654321:loadbalancer/app/public/50dc6c495c0c9188';

const ignored = (why: RegExp): Row => ({ becomes: 'ignored', why });
const refused = (why: RegExp): Row => ({ becomes: 'refused', why });
const practice = ignored(/practice run: nothing is wrong with the zone/);
const execution = ignored(/the sweep resumes what an execution left/);

/** Every sample event, by name, with the signal, its key and what else it carries. */
export const table: Readonly<Record<string, Row>> = {
  'ec2-pending': ignored(/is pending, which is no failure/),
  'ec2-running': ignored(/is running, which is no failure/),
  'ec2-stopping': state('03', /i-0a1b2c3d4e5f60718 is stopping/),
  'ec2-stopped': state('04', /has stopped/),
  'ec2-shutting-down': state('05', /is being terminated/),
  'ec2-terminated': state('06', /is terminated/),
  'ec2-stopped-short-id': state('07', /has stopped/, ['i-4f3e2d1c']),
  'ec2-other-account': refused(/account "345678901234", not 210987654321/),
  'ec2-other-region': refused(/region "us-east-1", not eu-central-1/),
  'ec2-malformed-id': refused(/"i-12345" is no instance id/),

  'spot-warning': spot('21', 'terminate', '2026-10-05T08:17:42Z'),
  'spot-stop': spot('22', 'stop', '2026-10-05T08:17:42Z'),
  'spot-hibernate': spot('23', 'hibernate', '2026-10-05T08:15:42Z'),
  'spot-rebalance': ignored(/a risk, no date/),
  'spot-fulfilled': ignored(/new Spot instance/),

  'asg-terminate-hook': leaving('terminate'),
  'asg-terminate-hook-older': leaving('terminate'),
  'asg-terminate-hook-warm-pool': leaving('stop'),
  'asg-terminate-successful': {
    becomes: 'wake-ups',
    source: 'auto-scaling',
    key: 'auto-scaling:terminated:8d7c6b5a-4f3e-4d2c-9b1a-09f8e7d6c5b4',
    says: /"private-agents" has terminated i-0a1b2c3d4e5f60718/,
  },
  'asg-terminate-unsuccessful': ignored(/still there/),
  'asg-launch-hook': ignored(/being launched/),
  'asg-launch-successful': ignored(/being launched/),
  'asg-launch-unsuccessful': ignored(/no machine came up/),

  'alarm-system': alarm(check('StatusCheckFailed_System'), /fails the system status check/),
  'alarm-instance': alarm(check('StatusCheckFailed_Instance'), /fails the instance status check/),
  'alarm-attached-ebs': alarm(
    check('StatusCheckFailed_AttachedEBS'),
    /fails the attached EBS status check/,
  ),
  'alarm-any-check': alarm(check('StatusCheckFailed'), /fails a status check/),
  'alarm-math': alarm('agent-math', /"agent-math".*system status check/),
  'alarm-insufficient-data': alarm(
    check('StatusCheckFailed_System'),
    /hears no more of the system status check/,
    'wake-ups',
  ),
  'alarm-ok': ignored(/is OK/),
  'alarm-muted': ignored(/is muted/),
  'alarm-composite': refused(/composite alarm, which names no instance/),
  'alarm-math-without-instance': refused(/no EC2 status check of a single instance/),
  'alarm-cpu': refused(/no EC2 status check of a single instance/),
  'alarm-group': refused(/no EC2 status check of a single instance/),

  'health-issue': health('SIMPLIFIED_AUTO_RECOVERY_FAILURE'),
  'health-issue-arn': health('HOST_RECOVERY_FAILURE'),
  'health-issue-page-2': health('NETWORK_CONNECTIVITY_ISSUE', {
    page: 2,
    communication: 2,
    ids: [instanceId, otherInstanceId],
  }),
  'health-issue-partly-resolved': health('NETWORK_CONNECTIVITY_ISSUE', { ids: [otherInstanceId] }),
  'health-issue-resolved': ignored(/well again/),
  'health-recovery-success': {
    ...health('SIMPLIFIED_AUTO_RECOVERY_SUCCESS'),
    becomes: 'wake-ups',
  },
  'health-scheduled': retiring('PERSISTENT_INSTANCE_RETIREMENT_SCHEDULED', 'stop', {
    deadline: '2026-10-05T08:10:00Z',
  }),
  'health-retirement': retiring('INSTANCE_RETIREMENT_SCHEDULED', 'terminate'),
  'health-retirement-expedited': retiring('PERSISTENT_INSTANCE_RETIREMENT_EXPEDITED', 'stop', {
    deadline: '2026-10-05T08:10:00Z',
  }),
  'health-stop-scheduled': retiring('INSTANCE_STOP_SCHEDULED', 'stop'),
  'health-reboot-scheduled': retiring('INSTANCE_REBOOT_MAINTENANCE_SCHEDULED', 'reboot'),
  'health-network-maintenance': retiring('INSTANCE_NETWORK_MAINTENANCE_SCHEDULED', 'maintenance'),
  'health-schedule-page-1': retiring('PERSISTENT_INSTANCE_RETIREMENT_SCHEDULED', 'stop'),
  'health-schedule-page-2': retiring('PERSISTENT_INSTANCE_RETIREMENT_SCHEDULED', 'stop', {
    page: 2,
    ids: [otherInstanceId],
  }),
  'health-schedule-closed': ignored(/is closed/),
  'health-schedule-done': ignored(/done or withdrawn/),
  'health-schedule-unknown': noted('unknown-code'),
  'health-unknown-code': noted('unknown-code', instanceId),
  'health-investigation': noted('investigation', instanceId),
  'health-notification': ignored(/accountNotification/),
  'health-public': noted('public-issue'),
  'health-volume-lost': noted('volume-lost', volume),
  'health-volume-degraded': noted('volume-degraded', volume),
  'health-closed': ignored(/is closed/),
  'health-backup-copy': ignored(/backup copy/),
  'health-other-region': refused(/concerns region "us-east-1"/),
  'health-other-account': refused(/concerns account "345678901234"/),
  'health-nobody': refused(/names no affected instance/),

  'ebs-attach-failed': noted('attach-failed', volume),
  'ebs-reattach-failed': noted('attach-failed', volume),
  'ebs-deleted': noted('volume-deleted', volume),
  'ebs-created': ignored(/nothing waits for that/),
  'ebs-create-failed': ignored(/nothing waits for that/),
  'ebs-modified': ignored(/nothing waits for that/),
  'ebs-initialized': ignored(/^initializeVolume "completed"/),
  'ebs-detach-by-cloudtrail': ignored(/where a volume is, is read from EC2/),
  'ebs-snapshots': ignored(/nothing waits for snapshots/),

  'arc-autoshift': shift('autoshift', true),
  'arc-autoshift-observer': shift('autoshift', true),
  'arc-autoshift-completed': shift('autoshift', false),
  'arc-manual-started': shift(balancer, true),
  'arc-manual-updated': shift(balancer, true),
  'arc-manual-canceled': shift(balancer, false),
  'arc-experiment': shift('experiment', true),
  'arc-experiment-completed': shift('experiment', false),
  'arc-experiment-canceled': shift('experiment', false),
  'arc-practice-started': practice,
  'arc-practice-succeeded': practice,
  'arc-practice-interrupted': practice,
  'arc-practice-failed': practice,

  'execution-running': execution,
  'execution-succeeded': execution,
  'execution-failed': execution,
  'execution-timed-out': execution,
  'execution-aborted': { becomes: 'aborted', name: 'fo-i-0a1b2c3d4e5f60718-1-1' },
};

/** The names of the samples that become this. */
export const samplesOf = (becomes: ParsedEvent['kind']): string[] =>
  Object.keys(table).filter((name) => table[name]?.becomes === becomes);
