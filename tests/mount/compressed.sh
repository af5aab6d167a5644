#!/bin/bash
# A whole archive may be compressed; by what, its content says. Cut or damaged it is refused.
source "$(dirname "$0")/lib.sh"
require gzip zstd xz bzip2 lz4

make_image odd/compressed:1 3 "$work/plain.tar"
start_mount
copy_in "$work/plain.tar"
manifest=$(manifest_of odd/compressed:1)
before=$(fsck_store)

for tool in gzip zstd xz bzip2 lz4; do
  "$tool" -q -1 -c < "$work/plain.tar" > "$work/archive.$tool"
  "$IMAGEFS" rm --store "$store" odd/compressed:1 > /dev/null
  wait_until 10 test ! -e "$mnt/images/odd/compressed:1"
  copy_in "$work/archive.$tool" "archive.tar.of-$tool"
  expect_eq "$manifest" "$(manifest_of odd/compressed:1)" "$tool: manifest"
  expect_eq "$before" "$(fsck_store)" "$tool: images"

  cp "$work/archive.$tool" "$work/by-another-suffix.jpg"
  copy_in "$work/by-another-suffix.jpg"

  state=$(store_state)
  head -c -100000 "$work/archive.$tool" > "$work/cut.$tool"
  copy_refused "$work/cut.$tool" "ENODATA|EBADMSG" .
  { head -c 1000000 "$work/archive.$tool"; head -c 1000 /dev/zero; tail -c +1001001 "$work/archive.$tool"; } > "$work/damaged.$tool"
  copy_refused "$work/damaged.$tool" "EBADMSG|EINVAL" .
  { cat "$work/archive.$tool"; echo trailing garbage; } > "$work/garbage.$tool"
  copy_refused "$work/garbage.$tool" "EBADMSG" .
  expect_eq "$state" "$(store_state)" "$tool: the store after the refusals"
done

note "several members or frames are one stream"
for tool in gzip zstd xz bzip2 lz4; do
  { head -c 1000000 "$work/plain.tar" | "$tool" -q -c; tail -c +1000001 "$work/plain.tar" | "$tool" -q -c; } > "$work/members.$tool"
  copy_in "$work/members.$tool"
done
expect_eq "$before" "$(fsck_store)" "images"
stop_mount
