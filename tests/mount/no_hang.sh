#!/bin/bash
# A write that waits holds nobody up: not rm, ls and touch beside it, not kill -9 of its writer, not
# the end of the daemon.
source "$(dirname "$0")/lib.sh"
require strace
export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0  # leaks cannot be looked for under strace

make_image odd/parked:1 64 "$work/parked.tar"
make_image odd/other:1 1 "$work/other.tar"

# Not write(2): sanitizers use that to see whether memory may be read.
slow_disk() { slow_down pwrite64,pwritev; }

# A cp whose write waits; $writer is its pid.
park() {
  cp "$work/parked.tar" "$mnt/ingest/parked.tar" 2> "$work/cp.said" &
  writer=$!
  children+=("$writer")
  wait_until 30 is_parked
}
# In a request to FUSE, and still at the same file offset after a while.
is_parked() {
  local at
  at=$(grep -h ^pos: /proc/"$writer"/fdinfo/* 2> /dev/null) && [[ -n $at ]] || return 1
  sleep 0.7
  [[ $at == "$(grep -h ^pos: /proc/"$writer"/fdinfo/* 2> /dev/null)" ]]
}

quick() { timeout -k 5 20 "$@" || fail "hangs or fails: $*"; }

start_mount
copy_in "$work/other.tar"
before=$(store_state)

note "rm of a file whose write waits; ls and touch beside it"
slow_disk
park
quick rm "$mnt/ingest/parked.tar" & remover=$!
quick ls -l "$mnt/ingest" > /dev/null
quick touch "$mnt/ingest/beside.tar"
quick cat "$mnt/images/odd/other:1/manifest.json" > /dev/null
quick cat "$mnt/.imagefs/status.json" > /dev/null
wait "$remover" || fail "rm"
wait_until 30 is_gone "$writer"
wait "$writer" && fail "cp of a file that was removed succeeded"
speed_up
wait_until 20 test ! -e "$mnt/ingest/parked.tar"
expect_eq "$before" "$(store_state)" "the store"

note "kill -9 of a writer that waits"
slow_disk
park
kill -KILL "$writer"
wait_until 20 is_gone "$writer"
speed_up
wait_until 30 test -e "$mnt/ingest/parked.tar.error"
expect_eq "$before" "$(store_state)" "the store"

note "umount while a write waits: busy; umount -l goes at once"
slow_disk
park
if ((EUID == 0)); then
  timeout 20 umount "$mnt" 2> /dev/null && fail "umount under a copy succeeded"
fi
quick true
speed_up
wait "$writer" || fail "cp after the disk was fast again: $(cat "$work/cp.said")"
"$IMAGEFS" rm --store "$store" odd/parked:1 > /dev/null

note "SIGTERM while a write waits"
fsck_store --unreferenced
slow_disk
park
daemon=${daemons[$mnt]}
kill -TERM "$daemon"
wait_until 30 is_gone "$daemon"
speed_up
status=0
wait "$daemon" || status=$?
unset "daemons[$mnt]"
expect_eq 0 "$status" "exit status of the daemon"
wait_until 20 is_gone "$writer"
wait "$writer" && fail "cp into an ended daemon succeeded"
! is_mounted "$mnt" || fail "a mount is left"
fsck_store --unreferenced

note "the store's lock is held by another: copies wait, everything else goes on"
start_mount
exec 6> "$store/lock"
flock 6
cp "$work/parked.tar" "$mnt/ingest/parked.tar" 2> "$work/cp.said" &
writer=$!
children+=("$writer")
wait_until 60 is_parked
quick ls -l "$mnt/ingest" > /dev/null
quick touch "$mnt/ingest/beside.tar"
quick cat "$mnt/images/odd/other:1/manifest.json" > /dev/null
kill -KILL "$writer"
wait_until 20 is_gone "$writer"
exec 6>&-
copy_in "$work/parked.tar" again.tar
fsck_store --unreferenced
stop_mount
