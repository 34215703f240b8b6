#!/bin/sh
# Runs a command beside a private dockerd: own network and mount namespace, own bridge, own folder; nothing of it stays.
# `bench/with-dockerd.sh npx -y pnpm@12 bench engine-run`; dockerd (Debian's docker.io) must be on PATH.
set -eu
if [ "${LAP_PRIVATE_DOCKERD:-}" != inside ]; then
  LAP_PRIVATE_DOCKERD=inside exec unshare --net --mount --propagation private "$0" "$@"
fi
folder=$(mktemp -d)
ip link set lo up
ip link add lapbench0 type bridge
ip addr add 172.31.240.1/24 dev lapbench0
ip link set lapbench0 up
dockerd --host "unix://$folder/sock" --data-root "$folder/data" --exec-root "$folder/exec" --pidfile "$folder/pid" \
  --bridge lapbench0 --storage-driver overlay2 >"$folder/log" 2>&1 &
daemon=$!
end() {
  kill "$daemon" 2>/dev/null || true
  wait "$daemon" 2>/dev/null || true
  rm -rf "$folder"
}
trap end EXIT
export DOCKER_HOST="unix://$folder/sock"
for _ in $(seq 100); do
  docker version >/dev/null 2>&1 && break
  kill -0 "$daemon" 2>/dev/null || { cat "$folder/log" >&2; exit 1; }
  sleep 0.1
done
"$@"
