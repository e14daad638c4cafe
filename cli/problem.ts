/** What the command ends with. Documented in the README and by `--help`. */
export const exitCodes = {
  /** Done, or shown, as asked. */
  done: 0,
  /** Refused by the service or by whoever was asked to confirm, or it ended otherwise than asked. */
  refused: 1,
  /** The command was written wrongly; nothing was asked of anybody. */
  usage: 2,
  /** There is no such incident, instance or volume. */
  unknown: 3,
  /** No credentials, no region, or no right. */
  access: 4,
  /** The deployment is not there, cannot be reached, or failed to answer. */
  unavailable: 5,
} as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Ends the command with one line for people: what is wrong, and what to do. */
export class Problem extends Error {
  override readonly name = 'Problem';
  readonly exitCode: ExitCode;
  constructor(
    message: string,
    { is, ...options }: ErrorOptions & { readonly is: Exclude<keyof typeof exitCodes, 'done'> },
  ) {
    super(message, options);
    this.exitCode = exitCodes[is];
  }
}
