import type { Incident } from '../domain/incident.ts';

export type Phase =
  | 'opened'
  | 'assessed'
  | 'protected'
  | 'fenced'
  | 'released'
  | 'handed-off'
  | 'recovered'
  | 'cancelled'
  | 'held';

/** Tells the world. Losing an event changes no outcome, so this never throws: it counts. */
export interface PhaseEvents {
  publish(phase: Phase, incident: Incident, at: number): Promise<void>;
}

/** A message for people, about one incident. */
export interface IncidentMessage {
  /** One line. */
  readonly title: string;
  readonly lines: readonly string[];
  readonly mood: 'working' | 'waiting' | 'good' | 'calm';
}

/** Throws NotifierUnavailableError. */
export interface Notifier {
  post(message: IncidentMessage): Promise<{ readonly channel: string; readonly ts: string }>;
  update(channel: string, ts: string, message: IncidentMessage): Promise<void>;
}
