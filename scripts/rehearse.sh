#!/usr/bin/env bash
# Fresh-machine rehearsal of the README's two commands: the committed tree cloned into an empty folder, an empty HOME
# and pnpm store, system folders as PATH. Not part of CI: it installs everything anew.
# `rehearse.sh test` or `rehearse.sh demo` runs only that command; KEEP=1 keeps the folder.
set -euo pipefail
source_tree=$(cd "$(dirname "$0")/.." && pwd)
place=$(mktemp -d "${TMPDIR:-/tmp}/lap-rehearsal.XXXXXX")
trap '[ -n "${KEEP:-}" ] && echo "kept $place" || rm -rf "$place"' EXIT
mkdir "$place/home"

if [ -n "$(git -C "$source_tree" status --porcelain)" ]; then
  echo "rehearse: uncommitted changes are not part of the clone"
fi
git clone --quiet --no-hardlinks "$source_tree" "$place/clone"
cd "$place/clone"

rehearse() {
  echo "== npx -y pnpm@12 $1"
  local started=$SECONDS code=0
  # Proxies and certificates belong to the machine, not to the person's set-up, so they stay.
  env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME="$place/home" TERM="${TERM:-dumb}" LANG=C.UTF-8 \
    ${HTTPS_PROXY:+HTTPS_PROXY="$HTTPS_PROXY"} ${NODE_EXTRA_CA_CERTS:+NODE_EXTRA_CA_CERTS="$NODE_EXTRA_CA_CERTS"} \
    timeout 900 npx -y pnpm@12 "$1" </dev/null || code=$?
  echo "== $1: exit $code after $((SECONDS - started)) s"
  return $code
}

for command in ${1:-demo test}; do rehearse "$command"; done
echo "rehearse: a fresh clone works with: ${1:-demo test}"
