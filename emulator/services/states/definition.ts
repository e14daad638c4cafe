/** A state of the Amazon States Language, as far as the emulator itself looks into it. */
export interface AslState {
  Type: string;
  Resource?: string;
  Parameters?: unknown;
  ResultPath?: string | null;
  Catch?: { ResultPath?: string | null }[];
  ItemProcessor?: AslMachine;
  Iterator?: AslMachine;
  Branches?: AslMachine[];
  [other: string]: unknown;
}
export interface AslMachine {
  StartAt: string;
  States: Record<string, AslState>;
  [other: string]: unknown;
}

/** The engine knows no `$$.State.Name`; each state's own name is written in where it is asked for. */
const withStateName = (value: unknown, name: string): unknown => {
  if (Array.isArray(value)) return value.map((part) => withStateName(part, name));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, part]) =>
      part === '$$.State.Name' && key.endsWith('.$')
        ? [key.slice(0, -2), name]
        : [key, withStateName(part, name)],
    ),
  );
};

/** Where a state's parameters take the seconds along that its timeout is read from. */
export const timeoutKey = 'emulatedTimeoutSeconds';

/**
 * Step Functions reads `TimeoutSecondsPath` in what a state is given, as it does `SecondsPath` (Amazon
 * States Language, "Timeouts"); the engine in what its parameters make of that.
 */
const movePath = (state: AslState): void => {
  const { Parameters, TimeoutSecondsPath } = state;
  if (typeof TimeoutSecondsPath !== 'string' || typeof Parameters !== 'object') return;
  state.Parameters = { ...Parameters, [`${timeoutKey}.$`]: TimeoutSecondsPath };
  state.TimeoutSecondsPath = `$.${timeoutKey}`;
};

const nested = (state: AslState): AslMachine[] =>
  [state.ItemProcessor, state.Iterator, ...(state.Branches ?? [])].filter((m) => m !== undefined);

/** Every state of a machine, those inside Map and Parallel included. */
export const allStates = (machine: AslMachine): [name: string, state: AslState][] =>
  Object.entries(machine.States).flatMap(([name, state]) => [
    [name, state] satisfies [string, AslState],
    ...nested(state).flatMap(allStates),
  ]);

/**
 * The machine as it will run: `${...}` placeholders replaced as CloudFormation's
 * DefinitionSubstitutions would. Throws for a placeholder nobody defined: CloudFormation would
 * leave it in the text and every execution would fail.
 */
export const readDefinition = (
  source: string,
  substitutions: Readonly<Record<string, string>>,
): AslMachine => {
  const text = source.replaceAll(/\$\{([A-Za-z0-9_]+)\}/g, (_, name: string) => {
    const value = substitutions[name];
    if (value === undefined) throw new Error(`the state machine asks for an unknown \${${name}}`);
    return value;
  });
  const machine: AslMachine = JSON.parse(text);
  for (const [name, state] of allStates(machine)) {
    // The default, written out: the engine would take "$" for the name of a field.
    for (const place of [state, ...(state.Catch ?? [])]) {
      if (place.ResultPath === '$') delete place.ResultPath;
    }
    if (state.Parameters) state.Parameters = withStateName(state.Parameters, name);
    movePath(state);
    if (state.ItemSelector) state.ItemSelector = withStateName(state.ItemSelector, name);
  }
  return machine;
};
