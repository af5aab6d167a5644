# What every test of a real mount starts with: `source "$(dirname "$0")/lib.sh"`.
#
# Each test has a private directory, $work, and as root also private mount and process namespaces:
# whatever the test started or mounted is gone when it ends, however it ends. Variables: $IMAGEFS the
# program, $support the scripts of tests/support, $store and $mnt for start_mount.
# shellcheck shell=bash

set -euo pipefail
export LC_ALL=C

# Says that the test cannot be done here, unless CI=true: there everything has to be there.
skip() {
  echo "SKIP: $*"
  [[ ${CI:-} != true ]] || { echo "FAIL: must not be skipped when CI=true"; exit 1; }
  exit 77
}

require() {
  local tool
  for tool in "$@"; do
    command -v "$tool" > /dev/null || skip "$tool is not installed"
  done
}

require_root() {
  ((EUID == 0)) || skip "needs root"
}

[[ -x ${IMAGEFS:-} ]] || { echo "set IMAGEFS to the program to test"; exit 1; }
[[ -e /dev/fuse ]] || skip "no /dev/fuse"
if ((EUID == 0)) && [[ -z ${IMAGEFS_TEST_ISOLATED:-} ]]; then
  export IMAGEFS_TEST_ISOLATED=yes
  unshare --mount true 2> /dev/null || skip "root may not mount here"
  exec unshare --mount --pid --fork --kill-child --mount-proc "$BASH" "$0" "$@"
fi
((EUID == 0)) || [[ -w /dev/fuse ]] || skip "/dev/fuse is not writable for user $EUID"
require python3 timeout

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
support=$here/../support
work=$(mktemp -d "${TMPDIR:-/tmp}/imagefs-test.XXXXXX")
chmod 755 "$work"
store=$work/store
mnt=$work/mnt
daemon_log=$work/daemon.log
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1} TSAN_OPTIONS=${TSAN_OPTIONS:-halt_on_error=0}
declare -A daemons=()  # mountpoint -> pid
children=()            # other processes to end

note() { echo "-- $*"; }

# Also from within $(…) and ( … ) the test fails at the latest when it ends.
fail() {
  touch "$work/failed"
  local frame=1
  while [[ ${BASH_SOURCE[frame]:-} == */lib.sh ]]; do frame=$((frame + 1)); done
  echo "FAIL: $* (line ${BASH_LINENO[frame - 1]})"
  [[ ! -s $daemon_log ]] || { echo "--- what the daemon said last:"; tail -n 12 "$daemon_log"; }
  exit 1
} >&2

expect_eq() {  # expect_eq EXPECTED ACTUAL WHAT
  [[ $1 == "$2" ]] || fail "$3: expected '$1', found '$2'"
}

# Runs a command again until it succeeds; fails after SECONDS_.
wait_until() {  # wait_until SECONDS_ COMMAND...
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS < end)) || fail "waited in vain for: $*"
    sleep 0.05
  done
}

is_mounted() { awk -v m="$1" '$5 == m {found = 1} END {exit !found}' /proc/self/mountinfo; }
is_gone() { ! kill -0 "$1" 2> /dev/null; }

# Mounts $store on $mnt (or what STORE and MNT say) and waits until it answers. Arguments: options of
# `imagefs mount`.
start_mount() {
  local at=${MNT:-$mnt}
  mkdir -p "$at"
  "$IMAGEFS" mount -f --store "${STORE:-$store}" "$@" "$at" >> "$daemon_log" 2>&1 &
  daemons[$at]=$!
  local end=$((SECONDS + 30))
  until is_mounted "$at"; do
    is_gone "${daemons[$at]}" && fail "the daemon ended before the mount was there"
    ((SECONDS < end)) || fail "no mount after 30 s"
    sleep 0.05
  done
  timeout 30 ls "$at" > /dev/null || fail "the mount does not answer"
}

# Asks the daemon to end and checks that it does, cleanly, with no mount left.
stop_mount() {
  local at=${MNT:-$mnt} status=0
  kill -TERM "${daemons[$at]}"
  wait_until 30 is_gone "${daemons[$at]}"
  wait "${daemons[$at]}" || status=$?
  unset "daemons[$at]"
  expect_eq 0 "$status" "exit status of the daemon after SIGTERM"
  ! is_mounted "$at" || fail "a mount is left at $at"
  check_sanitizers
}

kill_daemon() {  # kill -9, and clear the dead mount away
  local at=${MNT:-$mnt}
  kill -KILL "${daemons[$at]}"
  wait "${daemons[$at]}" 2> /dev/null || true
  unset "daemons[$at]"
  unmount "$at"
}

unmount() {
  if ((EUID == 0)); then umount -l "$1"; else fusermount3 -uzq "$1"; fi
}

check_sanitizers() {
  local found='ERROR: (Address|Leak)Sanitizer|WARNING: ThreadSanitizer|runtime error:'
  if grep -Eq "$found" "$daemon_log" 2> /dev/null; then
    grep -EA 40 -m 3 "$found" "$daemon_log"
    echo "FAIL: a sanitizer complained"
    exit 1
  fi
}

# From now on each CALL of the daemon takes 3 s, until speed_up or the end of $tracer.
slow_down() {  # slow_down CALL[,CALL...]
  strace -f -qq -o /dev/null -e trace="$1" -e inject="$1:delay_enter=3000000" \
    -p "${daemons[$mnt]}" 2> "$work/strace" &
  tracer=$!
  children+=("$tracer")
  wait_until 10 is_traced
}
is_traced() {
  ! is_gone "$tracer" || skip "strace may not trace here: $(cat "$work/strace")"
  grep -Eq '^TracerPid:[[:space:]]*[1-9]' "/proc/${daemons[$mnt]}/status"
}
speed_up() {
  kill -TERM "$tracer" 2> /dev/null || true
  wait "$tracer" 2> /dev/null || true
}

# Ends a FUSE connection that may hang: nothing else wakes those who wait for it.
abort_connection() {
  local id fusectl=/sys/fs/fuse/connections
  id=$(awk -v m="$1" '$5 == m {split($3, device, ":"); print device[2]}' /proc/self/mountinfo)
  ((EUID != 0)) || [[ -e $fusectl/$id ]] || mount -t fusectl none $fusectl 2> /dev/null || true
  echo 1 2> /dev/null > "$fusectl/$id/abort" || true
}

cleanup() {
  local status=$? at pid
  trap - EXIT
  set +e
  for pid in "${children[@]}"; do
    kill -KILL "$pid" 2> /dev/null
    wait "$pid" 2> /dev/null
  done
  for at in "${!daemons[@]}"; do
    is_mounted "$at" && { abort_connection "$at"; unmount "$at"; }
    kill -KILL "${daemons[$at]}" 2> /dev/null
    wait "${daemons[$at]}" 2> /dev/null
  done
  declare -F test_cleanup > /dev/null && test_cleanup
  for at in $(awk -v w="$work/" 'index($5, w) == 1 {print $5}' /proc/self/mountinfo | tac); do
    unmount "$at"
  done
  ((status != 0)) || (check_sanitizers) || status=1
  ((status != 0)) || [[ ! -e $work/failed ]] || status=1
  rm -rf --one-file-system "$work"
  exit "$status"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

# The errno that a message of a tool ends with.
errno_name() {
  case $1 in
    *"No data available"*) echo ENODATA ;;
    *"Permission denied"*) echo EACCES ;;
    *"Operation not permitted"*) echo EPERM ;;
    *"Bad message"*) echo EBADMSG ;;
    *"Invalid argument"*) echo EINVAL ;;
    *"Operation not supported"*) echo EOPNOTSUPP ;;
    *"File too large"*) echo EFBIG ;;
    *"No space left on device"*) echo ENOSPC ;;
    *"Device or resource busy"*) echo EBUSY ;;
    *"Resource temporarily unavailable"*) echo EAGAIN ;;
    *"Interrupted system call"*) echo EINTR ;;
    *"Operation canceled"*) echo ECANCELED ;;
    *) echo "another: $1" ;;
  esac
}

copy_in() {  # copy_in FILE [NAME]: must succeed
  timeout 120 cp "$1" "$mnt/ingest/${2:-${1##*/}}" || fail "cp of ${1##*/} failed"
}

# Copies a file that must be refused, with one of ERRNOS (a|b) and a reason that matches REGEX.
copy_refused() {  # copy_refused FILE ERRNOS REGEX
  local name=${1##*/} said status=0 reason
  said=$(timeout 120 cp "$1" "$mnt/ingest/$name" 2>&1) || status=$?
  ((status != 0)) || fail "$name was accepted"
  ((status != 124)) || fail "cp of $name hangs"
  [[ "|$2|" == *"|$(errno_name "$said")|"* ]] || fail "$name: expected $2, cp said: $said; .error says: $(cat "$mnt/ingest/$name.error")"
  [[ -f $mnt/ingest/$name.error ]] || fail "$name: no .error"
  reason=$(cat "$mnt/ingest/$name.error")
  expect_eq 1 "$(wc -l < "$mnt/ingest/$name.error")" "lines in $name.error"
  grep -Eq -- "$3" <<< "$reason" || fail "$name: the reason does not match '$3': $reason"
}

fsck_store() {  # fsck_store [--unreferenced]: prints the images
  timeout 120 python3 "$support/fsck_store.py" "$@" "${STORE:-$store}" || fail "the store is not whole"
}

# A fingerprint of all that an import may change, cache/ apart.
store_state() {
  (cd "${STORE:-$store}" && find . -path ./cache -prune -o -type f -printf '%p %s %i\n' | sort; cat index.json) | sha256sum
}

archives() {  # archives odd|hostile: writes them into $work/<kind>
  python3 "$support/archives.py" "$1" "$work/$1" || fail "the generator failed"
}

# A collection of all that no name leads to, as it would be three hours from now.
collect_all() {
  ASAN_OPTIONS=$ASAN_OPTIONS:verify_asan_link_order=0 timeout 60 faketime -f +3h \
    "$IMAGEFS" gc --store "$store" --older-than 0s > /dev/null || fail "imagefs gc"
}

manifest_of() { cat "$mnt/images/$1/manifest.json"; }

# A Docker archive of NAME with a small layer that all share and one of MIB MiB that is its own.
make_image() {  # make_image NAME MIB FILE
  python3 "$support/archives.py" image "$@" || fail "the generator failed"
}
