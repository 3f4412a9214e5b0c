#!/bin/sh
# Installs the Debian packages that are missing, and nothing where none is: quick when all are there.
#   scripts/install-deps.sh          what the build and the demo need
#   scripts/install-deps.sh test     also what the tests need; where CI is set to true, Chromium too
#   scripts/install-deps.sh long     also what the long tests need
#   scripts/install-deps.sh bench    also what the benchmark needs
# Needs root or sudo for that; without either it prints the one command that is missing and stops.
set -eu

packages='pkg-config clang libclang-dev
    libavcodec-dev libavformat-dev libavutil-dev libavfilter-dev libswscale-dev libswresample-dev libavdevice-dev
    ffmpeg fonts-noto-color-emoji fonts-noto-cjk ca-certificates'
case ${1:-} in test | long) packages="$packages python3 python3-venv libopenh264-dev" ;; esac
# 290 MB: without it the test that plays a film says that it is skipped.
case ${1:-}${CI:-} in testtrue | long*) packages="$packages chromium" ;; esac
[ "${1:-}" != long ] || packages="$packages gstreamer1.0-tools gstreamer1.0-plugins-good gstreamer1.0-plugins-bad"
[ "${1:-}" != bench ] || packages="$packages python3 valgrind fonts-dejavu-core"

if ! command -v dpkg-query >/dev/null; then
    echo "storyreel: this is no Debian system; its equivalents of these packages are needed:" $packages >&2
    exit 0
fi

missing=
for package in $packages; do
    # "ii": wanted, and installed whole.
    status=$(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null || true)
    case $status in ii*) ;; *) missing="$missing $package" ;; esac
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ]; then
    root=
elif command -v sudo >/dev/null && { sudo -n true 2>/dev/null || [ -t 0 ]; }; then
    root=sudo
else
    echo "storyreel: packages are missing, and neither root nor sudo is at hand. Have this run, then try again:" >&2
    echo "  apt-get update && apt-get install -y --no-install-recommends$missing" >&2
    exit 1
fi

echo "storyreel: installing$missing" >&2
# Lists may be recent enough; they are fetched only where the packages are not found or no longer there.
install() {
    $root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
}
install >/dev/null 2>&1 || { $root apt-get update -qq && install >/dev/null; }
