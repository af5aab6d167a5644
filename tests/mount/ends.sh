#!/bin/bash
# Mounting and its end: in the background and in the foreground, by umount, fusermount3 and signals,
# also while archives arrive; as root and as an ordinary user.
source "$(dirname "$0")/lib.sh"
require fusermount3

make_image odd/end:1 1 "$work/end.tar"
make_image odd/long:1 80 "$work/long.tar"

ends_cleanly() {  # ends_cleanly HOW: the daemon of $mnt is gone with status 0, and so is the mount
  local status=0
  wait_until 30 is_gone "${daemons[$mnt]}"
  wait "${daemons[$mnt]}" || status=$?
  unset "daemons[$mnt]"
  expect_eq 0 "$status" "exit status of the daemon after $1"
  ! is_mounted "$mnt" || fail "a mount is left after $1"
  check_sanitizers
}

for signal in TERM HUP; do
  note "SIG$signal"
  start_mount
  copy_in "$work/end.tar"
  kill "-$signal" "${daemons[$mnt]}"
  ends_cleanly "SIG$signal"
done

note "umount, fusermount3 -u"
start_mount
if ((EUID == 0)); then timeout 20 umount "$mnt"; else timeout 20 fusermount3 -u "$mnt"; fi
ends_cleanly umount
start_mount
timeout 20 fusermount3 -u "$mnt"
ends_cleanly "fusermount3 -u"

note "umount -l with a file open: served until it is closed"
start_mount
exec 7< "$mnt/images/odd/end:1/layers/01"
unmount "$mnt"
wait_until 10 test ! -e "$mnt/images"
timeout 20 sha256sum <&7 > /dev/null || fail "the open file cannot be read"
exec 7<&-
ends_cleanly "umount -l"

note "SIGTERM while archives arrive"
start_mount
before=$(store_state)
pids=()
for i in 1 2 3; do
  { head -c 40000000 "$work/long.tar"; exec sleep 600; } > "$mnt/ingest/long-$i.tar" 2> /dev/null & pids+=($!)
done
children+=("${pids[@]}")
wait_until 60 test -s "$mnt/ingest/long-3.tar"
kill -TERM "${daemons[$mnt]}"
ends_cleanly "SIGTERM while archives arrive"
for pid in "${pids[@]}"; do kill -KILL "$pid" 2> /dev/null || true; done
expect_eq "$before" "$(store_state)" "the store"
fsck_store

note "in the background: the mount answers when the command has returned"
timeout 30 "$IMAGEFS" mount --store "$store" "$mnt" < /dev/null > "$work/out" 2>&1 || fail "imagefs mount: $(cat "$work/out")"
is_mounted "$mnt" || fail "the command has returned and the mount is not there"
copy_in "$work/end.tar"
timeout 20 fusermount3 -u "$mnt" || fail "fusermount3 -u"

note "what cannot be mounted is said, with exit status 1 or 2"
refuses() {
  local status=0
  timeout 30 "$IMAGEFS" mount "$@" > "$work/out" 2>&1 || status=$?
  ((status == 1 || status == 2)) || fail "imagefs mount $*: exit status $status: $(cat "$work/out")"
  grep -q '^imagefs: ' "$work/out" || fail "imagefs mount $* says: $(cat "$work/out")"
}
refuses --store "$store" "$work/absent"
refuses --store /dev/null "$mnt"
refuses -o no_such_option --store "$store" "$mnt"
mkdir "$work/no-store" && touch "$work/no-store/file"
refuses --store "$work/no-store" "$mnt"

note "two mounts of one store: each shows what the other imports"
start_mount
MNT=$work/second start_mount
make_image odd/second:1 1 "$work/second.tar"
copy_in "$work/second.tar"
wait_until 10 test -e "$work/second/images/odd/second:1/manifest.json"
MNT=$work/second stop_mount
stop_mount
