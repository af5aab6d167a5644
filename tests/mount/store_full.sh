#!/bin/bash
# The store's disk is full: cp says so, the space comes back, and what was there can still be read.
source "$(dirname "$0")/lib.sh"
require_root

mkdir "$store"
mount -t tmpfs -o size=20M tmpfs "$store"
make_image odd/small:1 2 "$work/small.tar"
make_image odd/other:1 2 "$work/other.tar"
make_image odd/big:1 40 "$work/big.tar"
start_mount
copy_in "$work/small.tar"
before=$(store_state)
free=$(stat -f -c %f "$store")

for _ in 1 2 3; do
  copy_refused "$work/big.tar" ENOSPC 'full|space'
  expect_eq "$before" "$(store_state)" "the store"
  sync -f "$store"
  (($(stat -f -c %f "$store") >= free - 64)) || fail "space has not come back: $free, now $(stat -f -c %f "$store")"
done
cmp "$mnt/images/odd/small:1/layers/01" <(tar xOf "$work/small.tar" "$(tar tf "$work/small.tar" | sed -n 2p)") || fail "the small image reads differently"
copy_in "$work/other.tar"
expect_eq 2 "$(fsck_store | wc -l)" "images"

note "full of other things"
dd if=/dev/zero of="$store/filler" bs=64k > /dev/null 2>&1 || true
make_image odd/third:1 1 "$work/third.tar"
copy_refused "$work/third.tar" ENOSPC 'full|space'
rm "$store/filler"
copy_in "$work/third.tar"

note "df shows the store's disk"
expect_eq "$(stat -f -c %b "$store")" "$(($(stat -f -c '%b * %S' "$mnt") / $(stat -f -c %S "$store")))" "blocks"
stop_mount

note "min_free leaves room for others"
start_mount -o min_free=16M
copy_refused "$work/big.tar" ENOSPC 'min_free|free|space'
make_image odd/fourth:1 4 "$work/fourth.tar"
copy_refused "$work/fourth.tar" ENOSPC 'min_free|free|space'
fsck_store
stop_mount
