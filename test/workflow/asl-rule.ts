import type { MachineFile } from './contract.ts';
import type { Machine } from './machine.ts';

/** Something that must hold in every state machine, and faults that must not escape it. */
export interface AslRule {
  readonly says: string;
  /** One line for each breach; empty when it holds. */
  readonly breaches: (machine: Machine) => string[];
  readonly planted: readonly {
    readonly what: string;
    /** It means something in this machine only. */
    readonly only?: MachineFile;
    /** Breaks a clone. */
    readonly plant: (machine: Machine) => void;
  }[];
}
