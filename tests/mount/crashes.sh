#!/bin/bash
# The copy, the daemon or the disk gives up in the middle: nothing is left, nothing is lost.
source "$(dirname "$0")/lib.sh"
require strace faketime

make_image odd/old:1 2 "$work/old.tar"
make_image odd/big:1 40 "$work/big.tar"
start_mount
copy_in "$work/old.tar"
before=$(store_state)
manifest=$(manifest_of odd/old:1)
size=$(stat -c %s "$work/big.tar")

cat > "$work/half_writer.py" << 'PYTHON'
import sys, time

source, target, count = open(sys.argv[1], "rb"), open(sys.argv[2], "wb", buffering=0), int(sys.argv[3])
while count:
    count -= target.write(source.read(min(count, 1 << 20)))
open(sys.argv[4], "w").close()
time.sleep(600)
PYTHON

# A writer that stops after BYTES and waits to be killed; $writer is its pid.
start_half_writer() {  # start_half_writer BYTES NAME
  python3 "$work/half_writer.py" "$work/big.tar" "$mnt/ingest/$2" "$1" "$work/half" &
  writer=$!
  children+=("$writer")
  wait_until 60 test -e "$work/half"
  rm "$work/half"
}

note "kill -9 of the writer"
for bytes in 1000 $((size / 2)) $((size - 4000)); do
  start_half_writer "$bytes" big.tar
  kill -KILL "$writer"
  wait "$writer" 2> /dev/null || true
  wait_until 20 test -e "$mnt/ingest/big.tar.error"
  expect_eq "$before" "$(store_state)" "the store after a writer was killed at $bytes"
  rm "$mnt/ingest/big.tar.error"
done

note "kill -9 of the daemon"
for bytes in 1000 $((size / 2)); do
  start_half_writer "$bytes" big.tar
  kill_daemon
  kill -KILL "$writer"
  expect_eq "$before" "$(store_state)" "the store after the daemon was killed at $bytes"
  fsck_store
  start_mount
  expect_eq "$manifest" "$(manifest_of odd/old:1)" "the old image"
done
copy_in "$work/big.tar"
fsck_store
stop_mount

note "killed at each step of a commit"
make_image odd/last:1 1 "$work/last.tar"
good=$(fsck_store)
for call in linkat renameat,renameat2,rename unlinkat,unlink fsync,fdatasync; do
  for n in {1..400}; do
    status=0
    ASAN_OPTIONS=detect_leaks=0 timeout 60 strace -f -qq -o /dev/null -e trace="$call" \
      -e inject="$call:signal=KILL:when=$n" "$IMAGEFS" import --store "$store" "$work/last.tar" > "$work/strace" 2>&1 || status=$?
    ! grep -qi 'ptrace' "$work/strace" || skip "strace may not trace here"
    left=$(find "$store" -name intent)
    # The next command that writes sweeps what is left.
    timeout 60 "$IMAGEFS" gc --store "$store" > /dev/null || fail "gc after $call $n"
    [[ ! -e $store/intent ]] || fail "the intent is still there after $call $n"
    now=$(fsck_store)
    if ((status == 0)); then break; fi
    [[ $now == "$good" || $now == *odd/last:1* ]] || fail "$call $n: $now"
    [[ -n $left ]] && echo "$call $n left an intent" >> "$work/intents"
    timeout 60 "$IMAGEFS" rm --store "$store" odd/last:1 > /dev/null 2>&1 || true
    collect_all
    expect_eq "$good" "$(fsck_store)" "after $call $n"
  done
  ((status == 0)) || fail "$call: never came to an end"
  timeout 60 "$IMAGEFS" rm --store "$store" odd/last:1 > /dev/null
  collect_all
  expect_eq "$good" "$(fsck_store)" "after all of $call"
  note "$call: $((n - 1)) places"
done
[[ -s $work/intents ]] || fail "no crash was within a commit"
