/**
 * Faults of the catalogue that cannot be injected yet, with what they wait for. The list may only
 * shrink.
 */
export const pending: Readonly<Record<string, string>> = {
  'MR-12': 'cluster identity',
  'NW-02': 'the emulated wire has no TLS',
  'SE-02': 'secrets',
  'SE-03': 'secrets',
};

export const pendingIds: readonly string[] = Object.keys(pending);

/**
 * What no world can do to the service: mistakes in its own files, with the test that forbids them, and
 * what is documentation only.
 */
export const notInjected: Readonly<Record<string, string>> = {
  'DB-04': 'test/unit/adapters/dynamodb/table.test.ts',
  'DB-07': 'test/package/template.test.ts',
  'AZ-07': 'docs/failure-model.md',
};
