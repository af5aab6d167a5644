#!/bin/bash
# Every system call of an import that reaches the disk fails once, in each way that it can: the image is
# there whole, or nothing has changed. And at each step of a commit a collection runs in between.
source "$(dirname "$0")/lib.sh"
require strace faketime
export ASAN_OPTIONS=detect_leaks=0  # LeakSanitizer cannot look into a process that is traced

make_image odd/kept:1 1 "$work/kept.tar"
make_image odd/new:1 1 "$work/new.tar"
"$IMAGEFS" import --store "$store" "$work/kept.tar" > /dev/null
good=$(fsck_store)

# Whether the import came through is in $status; what strace could not inject ends the loop.
traced_import() {  # traced_import CALL INJECTION
  status=0
  timeout 60 strace -f -qq -o "$work/trace" -e trace="$1" -e inject="$1:$2" \
    "$IMAGEFS" import --store "$store" "$work/new.tar" > "$work/said" 2>&1 || status=$?
  ! grep -qi ptrace "$work/said" || skip "strace may not trace here"
}

take_back() {
  "$IMAGEFS" rm --store "$store" odd/new:1 > /dev/null 2>&1 || true
  collect_all
  expect_eq "$good" "$(fsck_store)" "the store after all was taken back ($1)"
}

faults=0
refusals=0
fail_each() {  # fail_each CALL ERROR
  local n now
  for n in {1..2000}; do
    traced_import "$1" "error=$2:when=$n"
    grep -q INJECTED "$work/trace" || break
    faults=$((faults + 1))
    # What cannot be removed is left to whoever writes next.
    [[ $1 != unlinkat ]] || timeout 60 "$IMAGEFS" gc --store "$store" > /dev/null
    now=$(fsck_store)
    if ((status == 0)); then
      [[ $now == *odd/new:1* ]] || fail "$1 $n $2: exit status 0, and no image"
    else
      refusals=$((refusals + 1))
      expect_eq "$good" "$now" "the images after $1 $n $2"
      [[ -s $work/said ]] || fail "$1 $n $2: refused without a reason"
    fi
    take_back "$1 $n $2"
  done
  ((n < 2000)) || fail "$1: never came to an end"
  take_back "all of $1"
  note "$1 with $2: $((n - 1)) calls"
}

for fault in pwrite64:EIO pwrite64:ENOSPC pwrite64:EINTR fdatasync:EIO fdatasync:ENOSPC fsync:EIO \
  linkat:EIO linkat:EDQUOT renameat:ENOSPC fchmod:EIO unlinkat:EIO mkdirat:ENOSPC \
  sync_file_range:EIO flock:EINTR openat:EMFILE; do
  fail_each "${fault%:*}" "${fault#*:}"
done
((refusals > 10)) || fail "only $refusals of $faults faults were noticed"
note "$faults faults, $refusals imports refused"

# Runs COMMAND, which stands still at its N-th CALL while OTHER runs or waits. Whether it came so far
# is in $stopped; else OTHER runs afterwards.
stand_still() {  # stand_still CALL N OTHER COMMAND...
  local call=$1 n=$2 other=$3 tracer pid
  shift 3
  rm -f "$work/trace"
  timeout 60 strace -f -qq -o "$work/trace" -e trace="$call" -e inject="$call:signal=STOP:when=$n" \
    "$@" > "$work/said" 2>&1 &
  tracer=$!
  children+=("$tracer")
  stopped=
  for _ in {1..1000}; do
    is_gone "$tracer" && break
    grep -qs 'stopped by SIGSTOP' "$work/trace" && { stopped=yes; break; }
    sleep 0.02
  done
  if [[ -n $stopped ]]; then
    "$other" & pid=$!
    sleep 0.1
    # Each thread's n-th call stops it: it is let go until it is done.
    until is_gone "$tracer"; do
      sed -n 's/^\([0-9]*\) .*stopped by SIGSTOP.*/\1/p' "$work/trace" | sort -u |
        xargs -r kill -CONT 2> /dev/null || true
      sleep 0.02
    done
    wait "$pid" || fail "$other at $call $n of $* failed"
  fi
  wait "$tracer" || fail "$* with $other at $call $n failed: $(cat "$work/said")"
  [[ -n $stopped ]] || "$other" || fail "$other after $*"
  [[ $(fsck_store --unreferenced) == *odd/new:1* ]] || fail "the image is not there after $other at $call $n of $*"
}

# COMMAND stands still at each of its CALLS, one after the other, and each time OTHER comes between.
at_each_step() {  # at_each_step 'CALLS...' PREPARE OTHER COMMAND...
  local calls=$1 prepare=$2 other=$3 steps=0 call n
  shift 3
  for call in $calls; do
    for n in {1..200}; do
      "$prepare" || fail "$prepare"
      stand_still "$call" "$n" "$other" "$@"
      take_back "$other at $call $n"
      [[ -n $stopped ]] || break
      steps=$((steps + 1))
    done
  done
  ((steps > 5)) || fail "only $steps steps"
  note "$steps steps"
}
import_new() { timeout 60 "$IMAGEFS" import --store "$store" "$work/new.tar" > /dev/null; }
leave_garbage() { import_new && "$IMAGEFS" rm --store "$store" odd/new:1 > /dev/null; }

note "a collection while a commit stands still at each of its steps"
at_each_step "flock linkat fsync,fdatasync renameat,renameat2,rename unlinkat" true \
  collect_all "$IMAGEFS" import --store "$store" "$work/new.tar"

note "an import of what a collection is about to remove, which stands still at each of its steps"
at_each_step "flock getdents64 unlinkat fsync,fdatasync renameat,renameat2,rename" leave_garbage \
  import_new faketime -f +3h "$IMAGEFS" gc --store "$store" --older-than 0s
