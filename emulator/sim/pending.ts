/**
 * Faults of the catalogue that cannot be injected yet, with what they wait for. The list may only
 * shrink.
 */
export const pending: Readonly<Record<string, string>> = {
  'EV-08': 'storm brake',
  'EC-07': 'planned moves and storms: nothing ships several ids in one call',
  'DB-04': 'every shipped read is consistent; a planted bug has one that is not',
  'DB-07': 'no record has a time to live, and a test says so',
  'MR-09': 'DC/OS versions: incidents that begin after the agent was given up',
  'MR-12': 'cluster identity',
  'SL-07': 'storm digest',
  'AS-03': 'planned moves: the emulated Auto Scaling has no lifecycle hooks',
  'AS-05': 'storm brake',
  'AZ-01': 'storm brake',
  'AZ-02': 'storm brake',
  'AZ-06': 'storm brake',
  'AZ-07': 'documentation only',
  'NW-02': 'the emulated wire has no TLS',
  'SE-02': 'secrets',
  'SE-03': 'secrets',
};

export const pendingIds: readonly string[] = Object.keys(pending);
