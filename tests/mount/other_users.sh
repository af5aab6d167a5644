#!/bin/bash
# A mount with allow_other, and a local user who means harm.
source "$(dirname "$0")/lib.sh"
require setpriv
require_root

# Everything below $work must be reachable for others.
chmod 755 "$work"
alice() { setpriv --reuid 65533 --regid 65533 --clear-groups timeout 60 "$@"; }
mallory() { setpriv --reuid 65534 --regid 65534 --clear-groups timeout 60 "$@"; }
# What Mallory tries fails with one of ERRNOS (a|b).
in_vain() {  # in_vain ERRNOS COMMAND...
  local errnos=$1 said
  shift
  said=$(mallory "$@" 2>&1) && fail "Mallory can: $*"
  [[ "|$errnos|" == *"|$(errno_name "$said")|"* ]] || fail "expected $errnos of $*: $said"
}

# Its root directory is for its owner alone.
make_closed_image() {
  (
    cd "$support"
    python3 - "$work/closed.tar" << 'PYTHON'
import sys
import tarball
from images import Docker

layer = tarball.header(b"./", kind=b"5", mode=0o700) + tarball.file("secret", b"hers") + tarball.END
open(sys.argv[1], "wb").write(Docker("odd/closed:1", layers=(layer,)).archive())
PYTHON
  ) || fail "the generator failed"
}

# An overlay goes by what it is told when it first looks a name up.
overlay_of_the_image() {
  local image=$mnt/images/docker.io/odd/closed:1
  mkdir -p "$work/empty" "$work/merged"
  mount -t overlay -o "lowerdir=${image//:/\\:}:$work/empty" overlay "$work/merged" || fail "no overlay"
}

make_image odd/hers:1 1 "$work/hers.tar"
make_image odd/his:1 1 "$work/his.tar"
chmod 644 "$work"/*.tar

note "he reads nothing that umask= forbids"
start_mount -o allow_other,umask=0027
copy_in "$work/hers.tar"
in_vain EACCES ls "$mnt/"
in_vain EACCES cat "$mnt/index.json"
in_vain EACCES ls "$mnt/images/docker.io/odd"
in_vain EACCES cat "$mnt/images/odd/hers:1/config.json"
stop_mount

start_mount -o allow_other,max_imports=4
note "he changes nothing that is hers while it arrives, and sees no byte of it"
mkfifo "$work/go"
chmod 666 "$work/go"
# shellcheck disable=SC2016
alice bash -c 'exec > "$1/ingest/half.tar"; head -c 500000 "$2"; read -r < "$3"; tail -c +500001 "$2"' \
  _ "$mnt" "$work/hers.tar" "$work/go" & writer=$!
children+=("$writer")
wait_until 20 test -s "$mnt/ingest/half.tar"
in_vain EPERM\|EACCES rm -f "$mnt/ingest/half.tar"
in_vain EPERM\|EACCES mv "$mnt/ingest/half.tar" "$mnt/ingest/mine.tar"
in_vain EACCES\|EBUSY\|EPERM cp "$work/his.tar" "$mnt/ingest/half.tar"
in_vain EPERM\|EACCES truncate -s 0 "$mnt/ingest/half.tar"
in_vain EPERM\|EACCES chmod 666 "$mnt/ingest/half.tar"
in_vain EPERM\|EACCES cat "$mnt/ingest/half.tar"
mallory cp "$work/his.tar" "$mnt/ingest/.his.tar" || fail "cp to a temporary name"
in_vain EPERM\|EACCES\|EBUSY mv "$mnt/ingest/.his.tar" "$mnt/ingest/half.tar"

note "he holds nobody up"
# shellcheck disable=SC2016
mallory bash -c 'for i in 1 2 3 4 5 6 7 8; do
  exec {fd}> "$1/ingest/held-$i.tar" && head -c 1000 "$2" >&$fd; done 2> /dev/null; sleep 50' \
  _ "$mnt" "$work/his.tar" & holder=$!
children+=("$holder")
sleep 1
alice cp "$work/hers.tar" "$mnt/ingest/more.tar" || fail "another's descriptors keep her out"
echo > "$work/go"
wait "$writer" || fail "her copy failed"
kill "$holder" 2> /dev/null || true

note "he gets into no rootfs/ that is closed, not even as the first to look, without an index"
make_closed_image
copy_in "$work/closed.tar"
stop_mount
rm -rf "$store/cache"
start_mount -o allow_other,max_imports=4
in_vain EACCES cat "$mnt/images/odd/closed:1/rootfs/secret"
expect_eq 700 "$(mallory stat -c %a "$mnt/images/odd/closed:1/rootfs")" "mode of rootfs/"
stop_mount
rm -rf "$store/cache"
start_mount -o allow_other,max_imports=4
overlay_of_the_image
in_vain EACCES cat "$work/merged/rootfs/secret"
umount "$work/merged"
expect_eq hers "$(cat "$mnt/images/odd/closed:1/rootfs/secret")" "the file"

note "he cannot push her refusals out"
alice bash -c 'head -c 1000 "$1" > "$2/ingest/hers.tar"' _ "$work/hers.tar" "$mnt" 2> /dev/null || true
wait_until 20 test -e "$mnt/ingest/hers.tar.error"
in_vain EPERM\|EACCES rm -f "$mnt/ingest/hers.tar.error"
# shellcheck disable=SC2016
mallory bash -c 'for i in {1..400}; do head -c 1000 "$1" > "$2/ingest/bad-$i.tar"; done' \
  _ "$work/his.tar" "$mnt" 2> /dev/null || true
[[ -e $mnt/ingest/hers.tar.error ]] || fail "her refusal is gone"
fsck_store --unreferenced > /dev/null
stop_mount
