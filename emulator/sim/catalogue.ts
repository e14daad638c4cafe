const numbered = (family: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${family}-${String(i + 1).padStart(2, '0')}`);

/** Every fault of the failure model, by its stable id. */
export const catalogue: readonly string[] = [
  ...numbered('EV', 11),
  ...numbered('LM', 15),
  ...['T', 'OOM', 'CC', 'CS', 'DEP'].map((name) => `LM-${name}`),
  ...numbered('SF', 4),
  ...numbered('EC', 19),
  ...numbered('EB', 16),
  ...numbered('DB', 9),
  ...numbered('MR', 14),
  ...numbered('SL', 7),
  ...numbered('OP', 11),
  ...numbered('AS', 5),
  ...numbered('AZ', 7),
  ...numbered('TG', 7),
  ...numbered('CK', 4),
  ...numbered('ZM', 6),
  ...numbered('NW', 2),
  ...numbered('SE', 3),
];
