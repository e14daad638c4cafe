/** Environment variables as a function gets them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The only place that reads this process's own environment. */
export const processEnvironment = (): Environment => process.env;
