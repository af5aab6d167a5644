#!/bin/bash
# Everything works without root: fusermount3 mounts, the store is the user's, and the owner of the
# files is the user.
source "$(dirname "$0")/lib.sh"
require fusermount3

run=()
if ((EUID == 0)); then
  require setpriv
  # A /dev/fuse that everybody may open, in this test's mount namespace only.
  mkdir "$work/dev"
  mount -t tmpfs tmpfs "$work/dev"
  mknod -m 666 "$work/dev/fuse" c 10 229 || skip "no device nodes here"
  mount --bind "$work/dev/fuse" /dev/fuse
  (: < /dev/fuse) 2> /dev/null || skip "device nodes of a tmpfs cannot be opened here"
  run=(setpriv --reuid 65534 --regid 65534 --clear-groups)
  "${run[@]}" test -x "$IMAGEFS" || { cp "$IMAGEFS" "$work/imagefs"; IMAGEFS=$work/imagefs; }
fi
as_user() { HOME=$work/home XDG_DATA_HOME=$work/home/data "${run[@]}" "$@"; }

make_image odd/user:1 2 "$work/user.tar"
mkdir "$work/home" "$mnt"
((EUID != 0)) || chown 65534:65534 "$work/home" "$mnt"
uid=$(as_user id -u)

note "the default store is \$XDG_DATA_HOME/imagefs"
as_user timeout 30 "$IMAGEFS" mount "$mnt" < /dev/null > "$daemon_log" 2>&1 || fail "imagefs mount"
is_mounted "$mnt" || fail "no mount"
as_user timeout 60 cp "$work/user.tar" "$mnt/ingest/" || fail "cp"
as_user test -f "$mnt/images/odd/user:1/manifest.json" || fail "no image"
expect_eq "$uid" "$(as_user stat -c %u "$mnt/images/odd/user:1/manifest.json")" "owner of a manifest"
blob=$(as_user find "$mnt/blobs/sha256" -size +1M)
as_user cmp "$work/home/data/imagefs/blobs/sha256/${blob##*/}" "$blob" || fail "the bytes of a large blob"
if ((EUID == 0)); then
  ls "$mnt" > /dev/null 2>&1 && fail "without allow_other another user, even root, sees the mount"
fi
head -c 100000 "$work/user.tar" > "$work/cut.tar"
chmod 644 "$work/cut.tar"
as_user timeout 60 cp "$work/cut.tar" "$mnt/ingest/" 2> /dev/null && fail "a cut archive was accepted"
as_user grep -q . "$mnt/ingest/cut.tar.error" || fail "no .error"
as_user timeout 20 fusermount3 -u "$mnt" || fail "fusermount3 -u"
! is_mounted "$mnt" || fail "a mount is left"
STORE=$work/home/data/imagefs fsck_store

note "the command line finds the same store"
expect_eq 1 "$(as_user timeout 30 "$IMAGEFS" ls | grep -c odd/user)" "images that ls shows"
