# shellcheck shell=bash
# Messages (all on stderr) and waiting.

STARTED=${EPOCHREALTIME//[!0-9]/}

say() { printf '%s\n' "$*" >&2; }

elapsed() {
  local microseconds=$((${EPOCHREALTIME//[!0-9]/} - STARTED))
  printf "%d.%06d" $((microseconds / 1000000)) $((microseconds % 1000000))
}

step() { printf "%6.1fs  %s\n" "$(elapsed)" "$*" >&2; }

die() {
  say "cluster: $*"
  exit 1
}

# die_with_log COMPONENT MESSAGE...: end with the last lines that the component wrote.
die_with_log() {
  local component=$1 log=$LOGS/$1.log
  shift
  say "cluster: $*"
  if [[ -s $log ]]; then
    say "Last lines of $log:"
    tail -n 25 "$log" | cut -c1-400 >&2
  fi
  exit 1
}

# wait_until SECONDS COMPONENT WHAT COMMAND...: repeat the command until it succeeds.
# Gives up early when the component it depends on is no longer there.
wait_until() {
  local seconds=$1 component=$2 what=$3
  shift 3
  local end=$((SECONDS + seconds))
  until "$@" >/dev/null 2>&1; do
    if ((SECONDS >= end)) || ! is_running "$component"; then die_of_cause "$component" "$what"; fi
    sleep 0.1
  done
}

# The first component that ended is the cause; what comes after it only suffers.
die_of_cause() {
  local component=$1 what=$2 started
  for started in "${STARTED_COMPONENTS[@]}"; do
    is_running "$started" || die_with_log "$started" "$started ended while waiting for $what"
  done
  die_with_log "$component" "no $what in time"
}
