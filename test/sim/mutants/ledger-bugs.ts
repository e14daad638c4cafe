import type { Mutant } from './mutant.ts';

const admission = 'src/adapters/dynamodb/admission.ts';
const calls = 'src/application/calls.ts';

/** Bugs of tokens, epochs, intents and of taking up what stopped. */
export const ledgerBugs: readonly Mutant[] = [
  {
    name: 'the token is not checked',
    faults: ['SF-01'],
    invariants: ['S4'],
    trouble: 'frozen fence',
    patches: [
      {
        file: 'src/adapters/dynamodb/incident-ledger.ts',
        exact: 'when: `#token = :token AND ',
        replacement: 'when: `#token >= :token AND ',
      },
    ],
  },
  {
    name: 'a claim without its condition',
    faults: ['SF-01', 'EV-02'],
    invariants: ['S4', 'S5'],
    trouble: 'frozen claim',
    patches: [
      {
        file: 'src/adapters/dynamodb/ownership-ledger.ts',
        exact: 'await this.#table.put(ownerKey(next.volumeId), record, standsAt(current));',
        replacement:
          'await this.#table.put(ownerKey(next.volumeId), record, ' +
          "{ when: 'attribute_exists(#pk) OR attribute_not_exists(#pk)' });",
      },
    ],
  },
  {
    name: 'the ledger is read eventually consistent',
    invariants: ['S4'],
    trouble: 'none',
    patches: [
      {
        file: 'src/adapters/dynamodb/table.ts',
        exact: '      Key: attributes({ ...key }),\n      ConsistentRead: true,',
        replacement: '      Key: attributes({ ...key }),\n      ConsistentRead: false,',
      },
    ],
  },
  {
    name: 'one incident for each signal',
    invariants: ['S5'],
    trouble: 'none',
    patches: [
      {
        file: admission,
        exact: 'await enter(table, cluster, signal.instanceId);',
        replacement: 'await enter(table, cluster, signal.instanceId, signal.key);',
      },
      {
        file: admission,
        exact:
          'const enter = async (table: LedgerTable, cluster: string, instanceId: InstanceId) => {\n' +
          '  const key = gateKey(instanceId);',
        replacement:
          'const enter = async (table: LedgerTable, cluster: string, instanceId: InstanceId, signalKey: string) => {\n' +
          '  const key = gateKey((instanceId + signalKey) as InstanceId);',
      },
      {
        file: admission,
        exact: 'const n = (gate?.n ?? 0) + 1;',
        replacement: 'const n = (gate?.n ?? 0) + 1 + signalKey.length;',
      },
    ],
  },
  {
    name: 'the intent is written after the call',
    invariants: ['S12'],
    trouble: 'none',
    patches: [
      {
        file: calls,
        exact: '  const records = await ledger.intend(\n',
        replacement:
          '  const made = await Promise.all(calls.map((call) => call.make().then(\n' +
          "    (answer) => ({ kind: 'answered', answer }) as const,\n" +
          "    (error: unknown) => ({ kind: 'failed', error }) as const)));\n" +
          '  const records = await ledger.intend(\n',
      },
      {
        file: calls,
        exact: 'await settle(call.make());',
        replacement: 'made[index] as CallResult<Answer>;',
      },
    ],
  },
  {
    name: 'nobody takes up what died',
    faults: ['SF-01'],
    invariants: ['L4'],
    trouble: 'aborted',
    patches: [
      {
        file: 'src/application/resume.ts',
        exact: 'if (ended === undefined) return false;',
        replacement: 'if (incident !== undefined) return false;',
      },
    ],
  },
  {
    name: 'a hold looks no more',
    faults: ['OP-07', 'OP-10'],
    invariants: ['L5'],
    trouble: 'unprotected',
    patches: [
      {
        file: 'src/application/hold-incident.ts',
        exact: 'return waitsInside(held.since, now)',
        replacement: 'return held.looks < 0',
      },
      {
        file: 'src/application/resume.ts',
        exact: '(incident.hold?.retryAt ?? 0)',
        replacement: 'Number.POSITIVE_INFINITY',
      },
    ],
  },
  {
    name: 'the epoch of a claim is the one before',
    invariants: ['S4'],
    patches: [
      {
        file: 'src/domain/ownership.ts',
        exact: "return { kind: 'claim', epoch: ledgerEpoch + 1 };",
        replacement: "return { kind: 'claim', epoch: ledgerEpoch };",
      },
      {
        file: 'src/adapters/dynamodb/ownership-ledger.ts',
        exact: 'if (next.epoch <= (current?.epoch ?? 0)) {',
        replacement: 'if (next.epoch < (current?.epoch ?? 0)) {',
      },
    ],
  },
  {
    name: 'nobody waits for the intent',
    invariants: ['S12'],
    patches: [
      {
        file: calls,
        exact: '  const records = await ledger.intend(\n',
        replacement: '  const intending = ledger.intend(\n',
      },
      {
        file: calls,
        exact: 'const seq = records[index]?.seq;',
        replacement: 'const seq = (await intending)[index]?.seq;',
      },
    ],
  },
  {
    name: 'a failed deactivation counts as done',
    faults: ['MR-05', 'MR-01'],
    invariants: ['S12'],
    patches: [
      {
        file: 'src/application/protection.ts',
        exact: 'make: () => deps.orchestrator.deactivate(agentId),',
        replacement: 'make: () => deps.orchestrator.deactivate(agentId).catch(() => true),',
      },
    ],
  },
  {
    name: 'the sweep takes over what somebody works on',
    faults: ['EC-11', 'EB-03'],
    invariants: ['S5'],
    patches: [
      {
        file: 'src/application/resume.ts',
        exact: "return status === 'RUNNING' ? undefined : status;",
        replacement: "return 'SUCCEEDED';",
      },
    ],
  },
  {
    name: 'each look at a stuck volume detaches it anew',
    faults: ['EB-02', 'EB-03'],
    invariants: ['L9'],
    patches: [
      {
        file: 'src/application/release-volume.ts',
        exact: 'const detaches = detachesOf(audit, volumeId);',
        replacement: 'const detaches = detachesOf(audit.slice(0, 0), volumeId);',
      },
    ],
  },
  {
    name: 'nobody watches for zombies',
    faults: ['ZM-02', 'ZM-03', 'ZM-04'],
    invariants: ['S10'],
    patches: [
      {
        file: 'src/application/sweep.ts',
        exact: 'await admitReturned(deps, quarantines, ',
        replacement: 'await admitReturned(deps, [], ',
      },
    ],
  },
];
