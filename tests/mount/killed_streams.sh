#!/bin/bash
# An import is killed at a hundred moments while the archive streams: the store is as it was, nothing
# is left over, and the next import succeeds.
source "$(dirname "$0")/lib.sh"
require strace

make_image odd/kept:1 1 "$work/kept.tar"
make_image odd/new:1 110 "$work/new.tar"
"$IMAGEFS" import --store "$store" "$work/kept.tar" > /dev/null
before=$(store_state)
good=$(fsck_store)

# The archive is read in pieces of 1 MiB. strace ends as what it traces does: a shell tells us.
import_killed_at() {  # import_killed_at READ
  timeout 60 bash -c '"$@"; exit' _ strace -f -qq -o /dev/null -e trace=read \
    -e inject=read:signal=KILL:when="$1" "$IMAGEFS" import --store "$store" - \
    < "$work/new.tar" > "$work/said" 2>&1
}
for n in {4..103}; do
  import_killed_at "$n" && fail "it was not killed at read $n"
  ! grep -qi ptrace "$work/said" || skip "strace may not trace here"
  expect_eq "$before" "$(store_state)" "the store after read $n"
done
expect_eq "" "$(find "$store/cache" -name '.tmp-*')" "what is left in cache/"
expect_eq "$good" "$(fsck_store)" "the store"
timeout 60 "$IMAGEFS" import --store "$store" "$work/new.tar" > /dev/null || fail "the next import"
[[ $(fsck_store) == *odd/new:1* ]] || fail "the image is not there"
