# shellcheck shell=bash
# The room: one pid and one mount namespace in which everything runs, containers included. Ending its first process ends
# every process in it, and its mounts go with it, so nothing has to be hunted for. The network is the machine's own.

# Places with fixed paths in Kubernetes and containerd: in the room they are directories of the state.
ROOM_DIRECTORIES=(/run/containerd /run/mount /var/lib/cni /var/lib/containerd /var/lib/kubelet /var/log/containers /var/log/pods)

# Kernel settings that the kubelet changes.
KERNEL_SETTINGS=(vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops kernel/keys/root_maxkeys kernel/keys/root_maxbytes)

# The room's first process, as the machine numbers it. The namespace's number tells it from another process with its pid.
room_pid() {
  local pid namespace
  [[ -r $STATE/room ]] || return 1
  read -r pid namespace <"$STATE/room"
  [[ $(readlink "/proc/$pid/ns/pid" 2>/dev/null) == "$namespace" ]] && printf '%s' "$pid"
}

open_state() {
  if ! is_state_mounted; then
    [[ ! -d $STATE ]] || rmdir "$STATE" 2>/dev/null || die "$STATE exists and is not this cluster's; move it away"
    mkdir -p "$STATE"
    mount --no-mtab -t tmpfs -o mode=0755 kubesync-cluster "$STATE"
  fi
  mkdir -p "$LOGS" "$CONFIG"
}

is_state_mounted() { grep -qF "kubesync-cluster $(realpath -m "$STATE") tmpfs " /proc/mounts; }

open_room() {
  ! room_pid >/dev/null || return 0
  step "opening the room: a pid and a mount namespace"
  note_kernel_settings
  make_mount_points
  # As after a reboot: what was running is gone, what was stored is kept.
  remove_cgroups
  make_cgroups
  rm -rf "$STATE/room" "$STATE/root/run" "$STATE/root/var/lib/cni"
  setsid -f unshare --mount --pid --fork --propagation private \
    bash "$LIB/room-init.sh" "$STATE" "${ROOM_DIRECTORIES[@]}" >"$LOGS/room.log" 2>&1 </dev/null 9>&-
  local end=$((SECONDS + 10))
  until room_pid >/dev/null; do
    ((SECONDS < end)) || die "the room did not open: $(cat "$LOGS/room.log")"
    sleep 0.02
  done
}

make_mount_points() {
  local directory part
  for directory in "${ROOM_DIRECTORIES[@]}"; do
    for part in "$(dirname "$directory")" "$directory"; do
      [[ -d $part ]] || { mkdir "$part" && printf '%s\n' "$part" >>"$STATE/made-directories"; }
    done
  done
}

note_kernel_settings() {
  local name
  [[ ! -e $STATE/kernel-settings ]] || return 0
  for name in "${KERNEL_SETTINGS[@]}"; do
    printf '%s %s\n' "$name" "$(cat "/proc/sys/$name")"
  done >"$STATE/kernel-settings"
}

# in_room COMMAND...: with a plain environment and none of this script's descriptors.
in_room() {
  nsenter --target "$(room_pid)" --mount --pid env -i HOME=/root PATH="$TOOLS/usr/bin:$TOOLS/usr/sbin:/usr/sbin:/usr/bin:/sbin:/bin" "$@" 9>&-
}

close_room() {
  local pid parent
  pid=$(room_pid) || return 0
  parent=$(ps -o ppid= -p "$pid") # unshare, which waits for it
  kill -KILL "$pid"
  wait_for_end "$pid"
  ((parent == 1)) || wait_for_end "$((parent))"
}

wait_for_end() {
  local end=$((SECONDS + 20))
  while [[ -d /proc/$1 ]]; do
    ((SECONDS < end)) || die "process $1 does not end"
    sleep 0.02
  done
}

# What is left on the machine once the room is closed. Every step bears being repeated.
close_state() {
  local name value directory
  remove_cgroups
  if [[ -r $STATE/kernel-settings ]]; then
    while read -r name value; do
      printf '%s\n' "$value" >"/proc/sys/$name"
    done <"$STATE/kernel-settings"
  fi
  if [[ -r $STATE/made-directories ]]; then
    tac "$STATE/made-directories" | while read -r directory; do
      rmdir --ignore-fail-on-non-empty "$directory"
    done
  fi
  if is_state_mounted; then
    umount --no-mtab "$STATE" || die "$STATE is in use"
    rmdir "$STATE"
  fi
}

# The node's root in every hierarchy; in a machine with one hierarchy (version 2) it is in that.
make_cgroups() {
  local directory
  if [[ -e /sys/fs/cgroup/cgroup.controllers ]]; then
    mkdir -p "/sys/fs/cgroup/$CGROUP"
  else
    for directory in /sys/fs/cgroup/*/; do
      mkdir -p "$directory$CGROUP"
    done
  fi
}

remove_cgroups() {
  local directory end=$((SECONDS + 10))
  for directory in /sys/fs/cgroup/"$CGROUP" /sys/fs/cgroup/*/"$CGROUP"; do
    while [[ -d $directory ]]; do
      find "$directory" -depth -type d -exec rmdir {} + 2>/dev/null && break
      ((SECONDS < end)) || die "cannot remove $directory"
      sleep 0.05
    done
  done
}
