import type { IncidentId } from '../domain/ids.ts';
import type { Incident } from '../domain/incident.ts';
import type { IncidentMessage } from '../domain/message.ts';

export type Phase =
  | 'assessed'
  | 'protected'
  | 'fenced'
  | 'released'
  | 'handed-off'
  | 'recovered'
  | 'cancelled'
  | 'held'
  /** Its execution failed or timed out, and the next one has taken over. */
  | 'failed'
  /** A person is asked before anything is done, and what was answered. */
  | 'approval-requested'
  | 'approved'
  | 'denied'
  /** Of a storm, told by one of the incidents that wait in it. */
  | 'storm';

/** What an event of the bus is about; whoever hears it reads the rest from the ledger. */
export interface PhaseNews {
  readonly incidentId: IncidentId;
  readonly phase?: string;
}

/**
 * Tells the world; answers whether the bus took the event. Losing one changes no outcome, so this
 * never throws: it counts.
 */
export interface PhaseEvents {
  publish(phase: Phase, incident: Incident, at: number): Promise<boolean>;
}

/** Throws NotifierUnavailableError. */
export interface Notifier {
  post(message: IncidentMessage): Promise<{ readonly channel: string; readonly ts: string }>;
  update(channel: string, ts: string, message: IncidentMessage): Promise<void>;
  /** Into the thread of that message. */
  reply(channel: string, ts: string, lines: readonly string[]): Promise<void>;
}
