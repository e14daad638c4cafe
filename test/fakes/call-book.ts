import type { IncidentId } from '../../src/domain/ids.ts';
import type { IncidentLedger } from '../../src/ports/ledger.ts';

/** One mutating call as it reached the world. */
export interface BookedCall {
  readonly call: string;
  readonly target: string;
  readonly detail: unknown;
  /** The ledger held an intent for it, without an outcome, when it was made. */
  readonly intended: boolean;
}

interface Trouble {
  readonly call: string;
  readonly when: 'before' | 'after';
  readonly error: Error;
}

/**
 * Books every mutating call of the fakes beside what the ledger knew of it at that moment, and
 * makes calls fail: `before` anything was done, or `after` it was done with the answer lost.
 */
export class CallBook {
  readonly calls: BookedCall[] = [];
  /** Happens just before a call reaches the world. */
  onCall: ((call: BookedCall) => void | Promise<void>) | undefined;
  readonly #ledger: Pick<IncidentLedger, 'audit'>;
  readonly #incidentId: IncidentId;
  #troubles: Trouble[] = [];

  constructor(ledger: Pick<IncidentLedger, 'audit'>, incidentId: IncidentId) {
    this.#ledger = ledger;
    this.#incidentId = incidentId;
  }

  /** The names of the calls made, in order. */
  get names(): string[] {
    return this.calls.map(({ call }) => call);
  }

  /** The next call of this name, or the next read, fails once. */
  fail(call: string, error: Error, when: Trouble['when'] = 'before'): void {
    this.#troubles.push({ call, error, when });
  }

  /** A read: nothing to book, but it may fail. */
  async read<T>(name: string, answer: () => T): Promise<T> {
    this.#trip(name, 'before');
    return answer();
  }

  async make<T>(call: string, target: string, detail: unknown, answer: () => T): Promise<T> {
    const audit = await this.#ledger.audit(this.#incidentId);
    const intended = audit.some(
      (r) => r.call === call && r.target === target && r.outcome === undefined,
    );
    const booked = { call, target, detail, intended };
    this.calls.push(booked);
    await this.onCall?.(booked);
    this.#trip(call, 'before');
    const answered = answer();
    this.#trip(call, 'after');
    return answered;
  }

  #trip(call: string, when: Trouble['when']): void {
    const trouble = this.#troubles.find((each) => each.call === call && each.when === when);
    if (trouble === undefined) return;
    this.#troubles = this.#troubles.filter((each) => each !== trouble);
    throw trouble.error;
  }
}
