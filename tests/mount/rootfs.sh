#!/bin/bash
# rootfs/ of a real image is what umoci unpacks of it: names, types, modes, owners, times, sizes, link
# counts, targets, xattrs and every byte; by tools that walk, read in pieces, map and copy.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/engines.sh"
require skopeo rsync

build_image
umoci unpack --image "$layout:1" "$work/bundle" > /dev/null 2>&1
unpacked=$work/bundle/rootfs
skopeo_ copy -q "oci:$layout:1" "oci-archive:$work/real.tar:$image"
skopeo_ copy -q "oci:$layout:1" "docker-archive:$work/plain.tar:odd/plain:1"
start_mount
copy_in "$work/real.tar"
copy_in "$work/plain.tar"

# A line for each entry; the time of a directory is not that of the archive after umoci.
tree() {
  (cd "$1" && find . -mindepth 1 \( -type d -printf '%P %y %m %U:%G\n' \) -o \
    -printf '%P %y %m %U:%G %s %n %T@ %l\n' | sort)
}

for name in "$image" docker.io/odd/plain:1; do
  rootfs=$mnt/images/$name/rootfs
  note "$name: the tree"
  diff <(tree "$unpacked") <(tree "$rootfs") | head -n 20
  diff -q <(tree "$unpacked") <(tree "$rootfs") > /dev/null || fail "$name: the trees differ"
  note "$name: the bytes"
  timeout 120 diff -r --no-dereference "$unpacked" "$rootfs" > "$work/diff" || fail "$name: $(head -n 5 "$work/diff")"
  note "$name: hard links, tar, rsync, cp"
  expect_eq "$(stat -c %i "$rootfs/bin/ls")" "$(stat -c %i "$rootfs/bin/dir")" "inode of a hard link"
  diff -q <(tar cf - --sort=name -C "$unpacked" bin etc | tar tvf - | grep -v '^d') \
    <(tar cf - --sort=name -C "$rootfs" bin etc | tar tvf - | grep -v '^d') || fail "$name: tar sees a difference"
  expect_eq "" "$(rsync -aHXn --omit-dir-times --itemize-changes "$rootfs/" "$unpacked/")" "what rsync would copy"
  rm -rf "$work/copy"
  cp -a "$rootfs/etc" "$work/copy"
  diff -r "$work/copy" "$unpacked/etc"
  note "$name: reads in pieces, mapped, executed"
  cmp <(dd if="$rootfs/etc/random" bs=1000 skip=1234 count=5 status=none) \
    <(dd if="$unpacked/etc/random" bs=1000 skip=1234 count=5 status=none)
  python3 - "$rootfs/etc/random" "$unpacked/etc/random" << 'PYTHON'
import mmap, sys
mapped, plain = (open(p, "rb") for p in sys.argv[1:])
assert mmap.mmap(mapped.fileno(), 0, prot=mmap.PROT_READ)[:] == plain.read()
PYTHON
  "$rootfs/bin/true" || fail "$name: a program of the image does not run"
  ! touch "$rootfs/etc/new" 2> /dev/null || fail "$name: rootfs/ is writable"
done
stop_mount
