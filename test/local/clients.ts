import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { EC2Client } from '@aws-sdk/client-ec2';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';

/** The service's own clients, pointed at the local port by the variables it printed. */
export const clientsOf = (variables: Readonly<Record<string, string>>, region?: string) => {
  const options = {
    endpoint: variables.AWS_ENDPOINT_URL ?? '',
    region: region ?? variables.AWS_REGION ?? '',
    maxAttempts: 1,
    credentials: {
      accessKeyId: variables.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: variables.AWS_SECRET_ACCESS_KEY ?? '',
    },
  };
  return {
    autoScaling: new AutoScalingClient(options),
    dynamodb: new DynamoDBClient(options),
    ec2: new EC2Client(options),
    events: new EventBridgeClient(options),
    lambda: new LambdaClient(options),
    secrets: new SecretsManagerClient(options),
    states: new SFNClient(options),
  };
};
