#!/usr/bin/env bash
# The room's first process: it arranges the mounts, then only reaps what ends.
# Usage: room-init.sh STATE DIRECTORY...
set -euo pipefail

state=$1
shift

read -r pid _ </proc/self/stat # /proc is still the machine's, and so is the number
namespace=$(readlink "/proc/$pid/ns/pid")
mount -t proc proc /proc

for directory in "$@"; do
  mkdir -p "$state/root$directory"
  mount --bind "$state/root$directory" "$directory"
done
mount --bind "$state/config/hosts" /etc/hosts
mount --make-rshared / # the kubelet's volumes have to reach containers; nothing reaches the machine

printf '%s %s\n' "$pid" "$namespace" >"$state/room.new"
mv "$state/room.new" "$state/room"

trap '' HUP INT TERM
while :; do
  sleep infinity &
  wait $! || true
done
