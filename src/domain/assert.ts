/** Ends a `switch` over a union: a new member that nobody handled does not compile. */
export const assertNever = (value: never): never => {
  throw new TypeError(`unhandled case: ${JSON.stringify(value)}`);
};
