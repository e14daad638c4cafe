import type { Hold, HoldReason, Incident } from './incident.ts';
import { countsOf, queueOf, type Storm } from './storm.ts';
import { summarise } from './summary.ts';

/** What a pager or a mail is told: once for each incident, or storm, and kind. */
export interface Alert {
  readonly kind: string;
  /** One line of plain ASCII, shorter than 100 characters: SNS takes nothing else. */
  readonly subject: string;
  readonly lines: readonly string[];
}

/**
 * Whom a hold waits for: a person; nobody as a rule, because it passes by itself; or nobody, because a
 * person wanted it so, or because the digest of the storm tells of it.
 */
const waitsFor: Readonly<Record<HoldReason, 'person' | 'passing' | 'nobody'>> = {
  paused: 'person',
  maintenance: 'nobody',
  blind: 'person',
  'unknown-incarnation': 'passing',
  'ambiguous-scope': 'person',
  'multi-attach': 'person',
  'managed-volume': 'person',
  'local-persistent-volumes': 'person',
  'no-agent-id': 'person',
  'protected-from-stop': 'person',
  'cannot-be-stopped': 'person',
  'fence-stuck': 'person',
  'proof-void': 'passing',
  'weak-fence': 'person',
  'terminate-would-delete-data': 'person',
  'volume-stuck': 'person',
  'volume-lost': 'person',
  'volume-attached-elsewhere': 'person',
  'volume-not-usable': 'person',
  'ledger-rewound': 'person',
  'no-placement': 'person',
  'placement-could-leave-zone': 'person',
  'duplicate-volume-name': 'person',
  'orchestrator-unavailable': 'passing',
  'recovery-not-seen': 'person',
  'step-failed': 'person',
  partitioned: 'person',
  storm: 'nobody',
  flapping: 'person',
  'returned-agent': 'person',
  'not-due': 'nobody',
  'another-move': 'nobody',
  'cannot-drain': 'person',
  'drain-stuck': 'person',
  'operator-hold': 'nobody',
  approval: 'person',
};

/** Five minutes of looks: what has not passed by then needs a person after all. */
const passingLooks = 8;

const needsPerson = ({ looks, reason }: Hold): boolean =>
  waitsFor[reason] === 'person' || (waitsFor[reason] === 'passing' && looks >= passingLooks);

const subjectMax = 99;

/** Cut, and without what SNS refuses: controls, line breaks, anything but ASCII. */
export const subjectOf = (text: string): string =>
  text.replaceAll(/[^\x20-\x7e]+/g, '?').slice(0, subjectMax);

const withSubject = ({ cluster, instanceId }: Incident, what: string): Pick<Alert, 'subject'> => ({
  subject: subjectOf(`[${cluster}] ${instanceId} ${what}`),
});

/** What is at stake, and where more of it is. */
const factsOf = (incident: Incident): string[] => {
  const { facts, verdict } = incident;
  return [
    ...(verdict === undefined ? [] : [`Evidence: ${verdict.why.join('; ')}`]),
    ...(facts?.apps.length ? [`Apps: ${facts.apps.map(({ id }) => id).join(', ')}`] : []),
    ...(facts?.volumes.length
      ? [`Volumes: ${facts.volumes.map((v) => `${v.name} (${v.volumeId})`).join(', ')}`]
      : []),
    `Incident: ${incident.id}`,
    `To see it: npx ebs-failover show '${incident.id}'`,
  ];
};

const heldAlert = (incident: Incident, hold: Hold): Alert => ({
  kind: `held:${hold.reason}`,
  ...withSubject(incident, `is held: ${hold.reason}`),
  lines: [
    `${incident.instanceId} is held and needs a person: ${hold.reason}.`,
    hold.says,
    `What to do: docs/runbook.md, section "${hold.reason}". Nothing is changed until then; it looks again by itself.`,
    ...factsOf(incident),
  ],
});

const endAlert = (incident: Incident, status: 'recovered' | 'cancelled'): Alert => ({
  kind: status,
  ...withSubject(incident, status),
  lines: [
    summarise(incident),
    status === 'recovered'
      ? 'What to do: docs/runbook.md, section "After a recovery". The fenced machine must not be started as it is.'
      : 'What to do: nothing. What was prepared is undone.',
    ...factsOf(incident),
  ],
});

const failedAlert = (incident: Incident): Alert => ({
  kind: 'failed',
  ...withSubject(incident, 'the execution failed'),
  lines: [
    `The execution that worked on ${incident.instanceId} failed or timed out; another one has taken over.`,
    'What to do: docs/runbook.md, section "Broken executions": find out why it ended.',
    summarise(incident),
    ...factsOf(incident),
  ],
});

/**
 * What a second channel is told of an incident; undefined: nothing. `phase` is the news that came,
 * `isInStorm` that the digest of a storm tells of it. An end is told of a cancelled one only to who was
 * alerted before (`told`). Pure.
 */
export const alertOf = (
  incident: Incident,
  phase: string | undefined,
  { isInStorm, told }: { readonly isInStorm: boolean; readonly told: readonly string[] },
): Alert | undefined => {
  const { hold, status } = incident;
  if (phase === 'failed') return failedAlert(incident);
  if (status === 'recovered') return endAlert(incident, status);
  if (status === 'cancelled') return told.length > 0 ? endAlert(incident, status) : undefined;
  if (status !== 'held' || hold === undefined || isInStorm) return undefined;
  return needsPerson(hold) ? heldAlert(incident, hold) : undefined;
};

/** So many of those that wait are named. */
const namedMax = 20;

/** One digest for a whole storm, and one when nobody waits any more; undefined: no storm. Pure. */
export const stormAlertOf = (
  cluster: string,
  storm: Storm,
  told: readonly string[],
): Alert | undefined => {
  const queue = queueOf(storm);
  if (queue.length === 0) {
    if (!told.includes('alert storm')) return undefined;
    const lines = [`Nobody waits any more; ${storm.joined} had to wait in all.`];
    return { kind: 'storm-over', subject: subjectOf(`[${cluster}] storm over`), lines };
  }
  const named = queue.slice(0, namedMax).map(([, { instanceId }]) => instanceId);
  const more = queue.length > namedMax ? `, and ${queue.length - namedMax} more` : '';
  return {
    kind: 'storm',
    subject: subjectOf(`[${cluster}] storm: ${queue.length} agents wait`),
    lines: [
      `${queue.length} agents have failed and wait; nothing of theirs is touched.`,
      ...countsOf(queue.map(([, one]) => one)),
      `In order of priority: ${named.join(', ')}${more}`,
      'What to do: docs/runbook.md, sections "storm" and "blind". They go on by priority once nothing more comes; more is told in Slack and by: npx ebs-failover status',
    ],
  };
};

/** The channel that people read takes nothing, by its own word for why. Pure. */
export const silentChannelAlert = (cluster: string, why: string, parked: number): Alert => ({
  kind: 'unreachable',
  subject: subjectOf(`[${cluster}] Slack takes no messages`),
  lines: [
    `Slack takes no messages: ${why}. ${parked} notifications are parked. Failover is not affected.`,
    'What to do: docs/runbook.md, section "Parked notices". They are delivered by themselves when Slack takes them.',
    'Until then: npx ebs-failover status',
  ],
});
