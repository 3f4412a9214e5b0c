#!/bin/sh
# Installs the AWS-compatible peer of the tests into a folder of its own: .peer/ in the workspace. Quick when it is there.
# The tests find it at $STORYREEL_PEER, else at .peer/bin/ministack.
set -eu
cd "$(dirname "$0")/.."
want='ministack==1.5.33 boto3'
if [ -x .peer/bin/ministack ] && [ "$(cat .peer/.installed 2>/dev/null)" = "$want" ]; then
    exit 0
fi
command -v python3 >/dev/null || { echo "scripts/test-peers.sh: python3 is missing: apt-get install python3 python3-venv" >&2; exit 1; }
echo "installing $want into .peer/ ..." >&2
rm -rf .peer
python3 -m venv .peer || { echo "scripts/test-peers.sh: python3-venv is missing: apt-get install python3-venv" >&2; exit 1; }
# shellcheck disable=SC2086
.peer/bin/pip install -q --disable-pip-version-check $want
# Written last: a broken installation is made again.
printf '%s' "$want" > .peer/.installed
