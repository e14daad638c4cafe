/** The package ships no types. It writes into its argument: give it a clone. */
declare module 'asl-validator' {
  function validate(definition: object): {
    readonly isValid: boolean;
    readonly errors: readonly { readonly 'Error code': string; readonly Message: string }[];
    readonly errorsText: (separator?: string) => string;
  };
  export = validate;
}
