import type { HttpHandlerUserInput } from '@smithy/core/protocols';
import type { HttpSend } from '../../ports/http.ts';
import { createSdkRequestHandler } from './request-handler.ts';

export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface AwsClientSettings {
  readonly region: string;
  /** The network, when it is not the SDK's own: the embedded cloud, a test. */
  readonly send?: HttpSend;
  /** When they do not come from the function's role. */
  readonly credentials?: AwsCredentials;
  /** Absolute URL, when it is not AWS's own. */
  readonly endpoint?: string;
}

/** What every client of the SDK is made with. */
export interface AwsClientOptions {
  readonly region: string;
  readonly maxAttempts: 1;
  readonly retryMode: 'standard';
  readonly useDualstackEndpoint: false;
  readonly useFipsEndpoint: false;
  /** Names us in CloudTrail's user agents. */
  readonly userAgentAppId: 'ebs-failover';
  readonly requestHandler: HttpHandlerUserInput;
  readonly credentials?: AwsCredentials;
  readonly endpoint?: string;
}

/**
 * Shorter than any function's timeout, so that a lost answer surfaces as an error of ours that the
 * workflow can tell from a crash. EC2 itself answers within 300 ms at p99 on a good day.
 */
export const sdkTimeouts = { connectMs: 2_000, requestMs: 10_000 } as const;

/**
 * Options for `new EC2Client(...)` and its siblings. One attempt only: retries live in the state
 * machine, where they are bounded, jittered and visible, and where an ambiguous answer leads to a
 * read instead of a repeat. The modes are written out so that no environment or configuration file
 * changes how a client behaves.
 */
export const awsClientOptions = (settings: AwsClientSettings): AwsClientOptions => ({
  region: settings.region,
  maxAttempts: 1,
  retryMode: 'standard',
  useDualstackEndpoint: false,
  useFipsEndpoint: false,
  userAgentAppId: 'ebs-failover',
  requestHandler:
    settings.send === undefined
      ? {
          connectionTimeout: sdkTimeouts.connectMs,
          requestTimeout: sdkTimeouts.requestMs,
          // Without this the SDK only warns and goes on waiting.
          throwOnRequestTimeout: true,
        }
      : createSdkRequestHandler(settings.send),
  // A copy: the SDK writes its own marks on the object, and configuration is frozen.
  ...(settings.credentials === undefined ? {} : { credentials: { ...settings.credentials } }),
  ...(settings.endpoint === undefined ? {} : { endpoint: settings.endpoint }),
});
