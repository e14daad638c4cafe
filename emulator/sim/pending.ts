/**
 * Faults of the catalogue that cannot be injected yet, with what they wait for. The list may only
 * shrink.
 */
export const pending: Readonly<Record<string, string>> = {
  'EV-08': 'storm brake',
  'EC-07': 'planned moves and storms: nothing ships several ids in one call',
  'EB-11': 'a second inventory after the proof',
  'DB-04': 'the checker demands consistent reads; none is missing that could be answered old',
  'DB-07': 'no record has a time to live',
  'DB-08': 'edited and future records',
  'DB-09': 'point-in-time restore',
  'MR-07': 'agent ids that map to another machine',
  'MR-09': 'the removal limiter is gone round by mark-gone',
  'MR-10': 'deployments that lock an app',
  'MR-12': 'cluster identity',
  'SL-07': 'storm digest',
  'OP-09': 'edited records',
  'AS-03': 'planned moves: the emulated Auto Scaling has no lifecycle hooks',
  'AS-05': 'storm brake',
  'AZ-01': 'storm brake',
  'AZ-02': 'storm brake',
  'AZ-06': 'storm brake',
  'AZ-07': 'documentation only',
  'CK-03': 'events from the future',
  'ZM-02': 'zombies',
  'ZM-03': 'zombies',
  'ZM-04': 'zombies',
  'ZM-06': 'zombies',
  'NW-02': 'the emulated wire has no TLS',
  'SE-02': 'secrets',
  'SE-03': 'secrets',
};

export const pendingIds: readonly string[] = Object.keys(pending);
