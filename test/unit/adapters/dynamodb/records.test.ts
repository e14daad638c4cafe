import { describe, expectTypeOf, it } from 'vitest';
import type * as z from 'zod';
import type {
  auditRecord,
  controlRecord,
  epochRecord,
  incidentRecord,
  inventoryRecord,
  messageRecord,
} from '../../../../src/adapters/dynamodb/records.ts';
import type { AuditRecord, Incident } from '../../../../src/domain/incident.ts';
import type { Ownership } from '../../../../src/domain/ownership.ts';
import type { Inventory } from '../../../../src/domain/service.ts';
import type { Control } from '../../../../src/ports/ledger.ts';

type Frozen<T> = T extends string | number | boolean | null | undefined
  ? T
  : { readonly [K in keyof T]: Frozen<T[K]> };

/** The compiler runs these: a field the domain has and the record has not would be lost silently. */
describe('records', () => {
  it('read exactly what the domain knows, no field less and none more', () => {
    expectTypeOf<Frozen<z.output<typeof incidentRecord>>>().toEqualTypeOf<Frozen<Incident>>();
    expectTypeOf<Frozen<z.output<typeof auditRecord>>>().toEqualTypeOf<Frozen<AuditRecord>>();
    expectTypeOf<Frozen<z.output<typeof epochRecord>>>().toEqualTypeOf<Frozen<Ownership>>();
    expectTypeOf<Frozen<z.output<typeof inventoryRecord>>>().toEqualTypeOf<Frozen<Inventory>>();
    expectTypeOf<Frozen<z.output<typeof controlRecord>>>().toEqualTypeOf<Frozen<Control>>();
    expectTypeOf<Frozen<z.output<typeof messageRecord>>>().toEqualTypeOf<{
      readonly channel: string;
      readonly ts: string;
    }>();
  });
});
