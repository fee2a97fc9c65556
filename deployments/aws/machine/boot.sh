# Runs at each boot: a stack whose image has changed boots its machine anew.
dnf install -y docker awscli-2 aws-cfn-bootstrap
systemctl enable --now docker
chmod 755 /usr/local/bin/driftline-settings
. /etc/driftline.place
case "$IMAGE" in *.dkr.ecr.*)
  aws ecr get-login-password --region "$REGION" |
    docker login --username AWS --password-stdin "${IMAGE%%/*}" ;;
esac
docker pull "$IMAGE"
docker volume create driftline-spool
docker run --rm --user 0 --volume driftline-spool:/spool --entrypoint python3 "$IMAGE" \
  -c 'import os; os.chown("/spool", 1034, 1034)'
systemctl daemon-reload
systemctl enable driftline
systemctl restart driftline
curl --silent --show-error --fail --retry 60 --retry-delay 5 --retry-all-errors http://127.0.0.1:3000/readyz
