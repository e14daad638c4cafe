import type { Alert } from '../domain/alert.ts';

/** A channel for mail and pagers: told little, and nothing is ever rewritten there. */
export interface Alerts {
  /** Throws NotifierUnavailableError. */
  tell(alert: Alert): Promise<void>;
}
