#!/bin/bash
# What a file in ingest/ is and is not: no spool that could be read or rewritten, judged when closed,
# published when renamed, gone when imported.
source "$(dirname "$0")/lib.sh"

make_image odd/rules:1 1 "$work/rules.tar"
make_image odd/rules:2 1 "$work/rules2.tar"
start_mount -o max_imports=3

broken=$(timeout 120 python3 "$support/ingest_rules.py" "$mnt/ingest" "$mnt/images" "$work/rules.tar")
expect_eq "" "$broken" "broken rules"
fsck_store

note "a temporary name is judged at close and published at the rename"
timeout 60 cp "$work/rules2.tar" "$mnt/ingest/.rules2.tar.Ab12Cd" || fail "cp to a temporary name"
[[ ! -e $mnt/images/odd/rules:2 ]] || fail "the image is there before the rename"
timeout 60 mv "$mnt/ingest/.rules2.tar.Ab12Cd" "$mnt/ingest/rules2.tar" || fail "mv"
[[ -e $mnt/images/odd/rules:2/manifest.json ]] || fail "the image is not there after the rename"
head -c 400000 "$work/rules2.tar" > "$work/cut.tar"
said=$(timeout 60 cp "$work/cut.tar" "$mnt/ingest/.cut.tar.Ab12Cd" 2>&1) && fail "a cut archive was accepted"
expect_eq ENODATA "$(errno_name "$said")" "cp to a temporary name"

note "too many at once"
for i in 1 2 3; do
  eval "exec 1$i> '$mnt/ingest/many-$i.tar'"
  head -c 10000 "$work/rules.tar" >&"1$i"
done
said=$(timeout 20 cp "$work/rules.tar" "$mnt/ingest/many-4.tar" 2>&1) && fail "a fourth import was let in"
expect_eq EAGAIN "$(errno_name "$said")" "the fourth"
expect_eq "many-1.tar many-2.tar many-3.tar" "$(cd "$mnt/ingest" && echo many-?.tar)" "what is arriving"
grep -q many-2.tar "$mnt/.imagefs/status.json" || fail "status.json does not know what is arriving"
for i in 1 2 3; do eval "exec 1$i>&-"; done 2> /dev/null
wait_until 10 test -e "$mnt/ingest/many-3.tar.error"
copy_in "$work/rules.tar" many-4.tar
grep -q many-1.tar "$mnt/.imagefs/status.json" || fail "status.json does not know what was refused"

note "an .error can be removed, and goes when a good archive comes"
rm "$mnt/ingest/many-1.tar.error"
[[ ! -e $mnt/ingest/many-1.tar.error ]] || fail "the .error is still there"
copy_in "$work/rules.tar" many-2.tar
[[ ! -e $mnt/ingest/many-2.tar.error ]] || fail "the .error is still there after a good archive"
fsck_store

note "a mount that is read-only has no ingest/"
stop_mount
start_mount -o ro
[[ ! -e $mnt/ingest ]] || fail "ingest/ is there"
[[ -e $mnt/images/odd/rules:1/manifest.json ]] || fail "the image is not there"
timeout 20 touch "$mnt/x" 2> /dev/null && fail "touch succeeded"
stop_mount
