#!/bin/bash
# Of a mount with `ro` the kernel has nothing opened, flushed or read twice; what others do to the
# store shows all the same.
source "$(dirname "$0")/lib.sh"

make_image read/only:1 1 "$work/1.tar"
make_image read/only:2 2 "$work/2.tar"
timeout 60 "$IMAGEFS" import --store "$store" "$work/1.tar" > /dev/null || fail "import"
sums() { (cd "$mnt" && find . -path ./.imagefs -prune -o -path ./ingest -prune -o -type f -print0 |
  LC_ALL=C sort -z | timeout 60 xargs -0 sha256sum) || fail "the mount cannot be read"; }

note "it reads as a mount that can be written"
start_mount
expected=$(sums)
stop_mount
start_mount -o ro
expect_eq "$expected" "$(sums)" "the files of the mount"
image=$mnt/images/docker.io/read/only:1
for path in "$image/config.json" "$mnt/new" "$mnt/.imagefs/status.json"; do
  said=$(timeout 10 dd if=/dev/null of="$path" 2>&1) && fail "$path was opened for writing"
  [[ $said == *"Read-only file system"* ]] || fail "$path: $said"
done

note "a file that was read is read again without the daemon"
file=$(cd "$image/rootfs" && find . -type f -size +0 -print -quit)
sum=$(cd "$image/rootfs" && sha256sum "$file")
cd "$image/rootfs"
kill -STOP "${daemons[$mnt]}"
again=$(timeout 10 sha256sum "$file") || { kill -CONT "${daemons[$mnt]}"; fail "it takes a request"; }
kill -CONT "${daemons[$mnt]}"
cd "$work"
expect_eq "$sum" "$again" "the file"

note "what changes is not kept"
python3 -m json.tool "$mnt/.imagefs/status.json" > /dev/null || fail "status.json"
timeout 60 "$IMAGEFS" import --store "$store" "$work/2.tar" > /dev/null || fail "import"
wait_until 10 test -e "$mnt/images/docker.io/read/only:2/manifest.json"
cmp "$store/index.json" "$mnt/index.json"
python3 -m json.tool "$mnt/.imagefs/status.json" > /dev/null || fail "status.json after an import"
timeout 10 cat "$mnt/images/docker.io/read/only:2/rootfs/$file" > /dev/null || fail "the new image"

note "what is removed takes no space"
timeout 60 "$IMAGEFS" rm --store "$store" read/only:1 read/only:2 > /dev/null || fail "rm"
collect_all
holds_nothing() { ! ls -l "/proc/${daemons[$mnt]}/fd" | grep -Fq " (deleted)"; }
wait_until 10 holds_nothing

note "a blob that is not what its name says is EIO"
timeout 60 "$IMAGEFS" import --store "$store" "$work/1.tar" > /dev/null || fail "import"
wait_until 10 test -e "$image/config.json"
blob=$store/blobs/sha256/$(sha256sum < "$image/config.json" | cut -c 1-64)
stop_mount
chmod u+w "$blob"
printf x | dd of="$blob" conv=notrunc status=none
start_mount -o ro
said=$(timeout 10 cat "$image/config.json" 2>&1) && fail "a damaged config was read"
[[ $said == *"Input/output error"* ]] || fail "$said"
stop_mount
