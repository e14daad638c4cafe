"""One call of Step Functions by boto3: operation and parameters as JSON; the answer as JSON."""
import json
import os
import sys

import boto3

states = boto3.client("stepfunctions", endpoint_url=os.environ["AWS_ENDPOINT_URL"])
answer = getattr(states, sys.argv[1])(**json.loads(sys.argv[2]))
print(json.dumps(answer, default=str))
