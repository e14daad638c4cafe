import type { Incident } from './incident.ts';
import { meaningOf } from './order.ts';

export const buttonActions = [
  'approve',
  'deny',
  'hold',
  'resume',
  'acknowledge',
  'acknowledge-storm',
  'explain',
] as const;
export type ButtonAction = (typeof buttonActions)[number];

/** Asked before anything is sent. */
export interface Confirm {
  readonly title: string;
  readonly text: string;
  readonly yes: string;
}

/** What a person may press under a message. It carries names, never a right. */
export interface Button {
  readonly action: ButtonAction;
  readonly words: string;
  /** What it is about, as an order names it: `incidentId`, `approvalId`, `hold`. */
  readonly about: Readonly<Record<string, string>>;
  readonly style?: 'primary' | 'danger';
  readonly confirm?: Confirm;
}

/** So long everything is let through the storm brake by one press. */
export const stormPassMinutes = 15;

const acknowledgeOf = (
  about: Button['about'],
  { acknowledged = [], hold }: Incident,
): readonly Button[] => {
  const meaning = hold && meaningOf(hold.reason);
  if (hold === undefined || meaning === undefined) return [];
  if (acknowledged.includes(hold.reason)) return [];
  const confirm = { title: `Acknowledge ${hold.reason}?`, text: `Then ${meaning}.`, yes: 'Do it' };
  const about_ = { ...about, hold: hold.reason };
  return [{ action: 'acknowledge', words: 'Acknowledge', about: about_, style: 'danger', confirm }];
};

/** The answers to what is asked, for as long as it is asked. */
const answersOf = ({ approval, status }: Incident, about: Button['about']): readonly Button[] => {
  if (status !== 'held' || approval?.status !== 'pending') return [];
  const asked = { ...about, approvalId: approval.id };
  const confirm = {
    title: `Approve ${approval.id}?`,
    text: `It will ${approval.says}.`,
    yes: 'Do it',
  };
  return [
    { action: 'approve', words: 'Approve', about: asked, style: 'primary', confirm },
    { action: 'deny', words: 'Deny', about: asked, style: 'danger' },
  ];
};

/**
 * What may be pressed in the incident's state. One that is over can only be explained. The order is
 * decided on anew whoever presses what, however old the message is. Pure.
 */
export const buttonsOf = (incident: Incident): readonly Button[] => {
  const { id, operatorHold, status } = incident;
  const about = { incidentId: id };
  const explain: Button = { action: 'explain', words: 'Explain', about };
  if (status === 'recovered' || status === 'cancelled') return [explain];
  if (operatorHold !== undefined) {
    return [{ action: 'resume', words: 'Resume', about, style: 'primary' }, explain];
  }
  const hold: Button = { action: 'hold', words: 'Hold', about };
  if (status === 'open') return [hold, explain];
  const answers = answersOf(incident, about);
  if (answers.length > 0) return [...answers, hold, explain];
  const again: Button = { action: 'resume', words: 'Resume', about };
  return [...acknowledgeOf(about, incident), again, hold, explain];
};

/** Under the one message of a storm. Pure. */
export const stormButtons = (cluster: string): readonly Button[] => [
  {
    action: 'acknowledge-storm',
    words: 'Let the storm through',
    about: { cluster },
    style: 'danger',
    confirm: {
      title: 'Let the storm through?',
      text: `For ${stormPassMinutes} minutes the storm brake of ${cluster} holds nobody back: every agent that waits may be fenced.`,
      yes: 'Do it',
    },
  },
];
