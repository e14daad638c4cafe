import { type Environment, processEnvironment } from '../config/environment.ts';
import type { HttpSend } from '../ports/http.ts';
import type { Invoke, LambdaHandler } from './define-handler.ts';

/** What a function stands on besides its environment. In Lambda both are left out. */
export interface Platform {
  /** The door to the network, in place of sockets. */
  readonly send?: HttpSend;
  /** Takes every line of log and metrics, in place of stdout. */
  readonly log?: (line: string) => void;
}

export interface FunctionModule {
  /**
   * A function as after a cold start: everything it remembers begins here.
   *
   * @throws ConfigError for a missing or wrong setting.
   */
  readonly createHandler: (env: Environment, platform?: Platform) => LambdaHandler;
  /** What Lambda loads: built from the process's environment when it is first called. */
  readonly handler: Invoke;
}

/**
 * Makes the two exports of a file in functions/. `handler` is built late so that a wrong setting
 * is an error of the invocation, with a name the workflow can route on, and not of the import.
 */
export const defineFunction = (
  create: (env: Environment, platform: Platform) => LambdaHandler,
): FunctionModule => {
  let built: LambdaHandler | undefined;
  return {
    createHandler: (env, platform = {}) => create(env, platform),
    handler: async (event, context) => {
      built ??= create(processEnvironment(), {});
      return built(event, context);
    },
  };
};
