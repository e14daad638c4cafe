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
  /** The project's door to the network: the SDK's own handler is not even in the bundles. */
  readonly send: HttpSend;
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
  readonly ignoreConfiguredEndpointUrls: true;
  /** Names us in CloudTrail's user agents. */
  readonly userAgentAppId: 'ebs-failover';
  readonly requestHandler: HttpHandlerUserInput;
  readonly credentials?: AwsCredentials;
  readonly endpoint?: string;
}

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
  // No variable or file redirects a client; looking for them would also cost on every request.
  ignoreConfiguredEndpointUrls: true,
  userAgentAppId: 'ebs-failover',
  requestHandler: createSdkRequestHandler(settings.send),
  // A copy: the SDK writes its own marks on the object, and configuration is frozen.
  ...(settings.credentials === undefined ? {} : { credentials: { ...settings.credentials } }),
  ...(settings.endpoint === undefined ? {} : { endpoint: settings.endpoint }),
});
