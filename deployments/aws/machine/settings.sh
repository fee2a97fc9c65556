#!/bin/sh
# Writes what the service is told, secrets among it, into the memory of the machine: $RUNTIME_DIRECTORY/env.
set -eu
umask 077
read_secret() {
  aws secretsmanager get-secret-value --region "$REGION" --secret-id "$1" --query SecretString --output text
}
settings=$(read_secret "$SETTINGS")
key=$(read_secret "$KEY")
printf %s "$settings" | python3 -c '
import json, sys
for name, value in json.load(sys.stdin).items():
    if name.startswith("DRIFTLINE_"):
        print(name + "=" + value.replace("\n", " "))
' > "$RUNTIME_DIRECTORY/env"
{
  echo "DRIFTLINE_API_KEYS=$key"
  echo "DRIFTLINE_STORE_URL=$STORE"
  echo "AWS_DEFAULT_REGION=$REGION"
} >> "$RUNTIME_DIRECTORY/env"
