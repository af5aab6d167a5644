#!/usr/bin/env bash
# Whoever waits for a layer that is being decoded, for an index or for the store's lock holds nobody
# up: not others who look, not kill -9, not the end of the daemon.
source "$(dirname "$0")/lib.sh"
require strace
export ASAN_OPTIONS=$ASAN_OPTIONS:detect_leaks=0  # leaks cannot be looked for under strace

waiting=40  # more than the daemon has threads for
readers=()
quick() { timeout -k 5 20 "$@" || fail "hangs or fails: $*"; }
mount_is_quick() {
  quick ls -l "$mnt" "$mnt/images/odd" > /dev/null
  quick stat "$mnt/images/odd/packed:1/manifest.json" > /dev/null
  quick cat "$mnt/.imagefs/status.json" > /dev/null
}

# A gzip layer with 56 files of 1 MiB that do not compress, and next to it what is quick to read.
make_packed_image() {
  (
    cd "$support"
    python3 - "$work/packed.tar" << 'PYTHON'
import random, sys
import tarball
from images import Docker

files = (tarball.file(f"f{i}", random.Random(i).randbytes(1 << 20)) for i in range(56))
image = Docker("odd/packed:1", layers=(b"".join(files) + tarball.END,))
image.layers = [tarball.gzip(layer) for layer in image.layers]
open(sys.argv[1], "wb").write(image.archive())
PYTHON
  ) || fail "the generator failed"
}

# A layer whose index takes a while to read.
make_big_image() {
  (
    cd "$support"
    python3 - "$work/big.tar" << 'PYTHON'
import sys
import tarball
from images import Docker

root = tarball.header(b"./", kind=b"5", mode=0o711)
files = (tarball.file(f"one file of many, number {i}", b"") for i in range(20000))
image = Docker("odd/big:1", layers=(root + b"".join(files) + tarball.END,))
open(sys.argv[1], "wb").write(image.archive())
PYTHON
  ) || fail "the generator failed"
}

# COMMAND on many files, from fFIRST on, which come round after COUNT. (Readers of one file would wait
# for its pages, in the kernel.)
start_readers() {  # start_readers COMMAND FIRST COUNT
  local i
  readers=()
  for ((i = 0; i < waiting; i++)); do
    "$1" "$mnt/images/odd/packed:1/rootfs/f$(($2 + i % $3))" > /dev/null 2>&1 &
    readers+=($!)
  done
  children+=("${readers[@]}")
  sleep 1
}

# Those of $readers have an error by then.
end_while_they_wait() {
  local daemon=${daemons[$mnt]} status=0 reader
  kill -TERM "$daemon"
  wait_until 30 is_gone "$daemon"
  wait "$daemon" || status=$?
  unset "daemons[$mnt]"
  expect_eq 0 "$status" "exit status of the daemon"
  for reader in "${readers[@]}"; do
    wait_until 20 is_gone "$reader"
    ! wait "$reader" 2> /dev/null || fail "a reader got what was not there"
  done
  ! is_mounted "$mnt" || fail "a mount is left"
  kill -TERM "$tracer" 2> /dev/null || true
}

make_packed_image
make_image odd/other:1 8 "$work/other.tar"
start_mount
copy_in "$work/packed.tar"
copy_in "$work/other.tar"

note "$waiting readers of a layer that is being decoded"
copy_in "$work/other.tar" .moved.tar
slow_down pwrite64
start_readers cat 16 "$waiting"
mount_is_quick
# Reads ahead of one file do not stand behind those of another.
quick cat "$mnt/images/odd/other:1/rootfs/data" > /dev/null
# Nor does an archive that is published at its rename.
quick mv "$mnt/ingest/.moved.tar" "$mnt/ingest/moved.tar"
for reader in "${readers[@]}"; do ! is_gone "$reader" || fail "a reader did not wait"; done

note "kill -9 of those who have a thread, and of those who stand in line"
for reader in "${readers[0]}" "${readers[@]: -2}"; do
  kill -KILL "$reader"
  wait_until 20 is_gone "$reader"
done

note "SIGTERM while they wait"
end_while_they_wait

note "a directory whose index has to be made"
rm -rf "$store/cache"
start_mount
slow_down pwrite64
for _ in 1 2 3 4; do
  ls "$mnt/images/odd/packed:1/rootfs" > "$work/listed" 2>&1 &
  children+=($!)
done
sleep 1
mount_is_quick
kill -TERM "$tracer"
wait_until 60 grep -qx f31 "$work/listed"

stop_mount

note "kill -9 and SIGTERM while an index is made"
rm -rf "$store/cache"
start_mount
mount_is_quick
slow_down pread64
stat "$mnt/images/odd/packed:1/rootfs/f0" > /dev/null 2>&1 &
children+=("$!")
sleep 1
mount_is_quick
kill -KILL "$!"
wait_until 20 is_gone "$!"
# The kernel asks for one name of a directory at a time and keeps the others waiting, deaf to kill.
start_readers stat 0 32
mount_is_quick
end_while_they_wait

note "renames that publish, while another holds the store's lock"
start_mount
copy_in "$work/other.tar" .one.tar
copy_in "$work/other.tar" .two.tar
copy_in "$work/other.tar" .three.tar
exec 6> "$store/lock"
flock 6
renames=()
for name in one two three; do
  timeout 120 mv "$mnt/ingest/.$name.tar" "$mnt/ingest/$name.tar" 6>&- &
  renames+=($!)
done
sleep 1
mount_is_quick
for pid in "${renames[@]}"; do ! is_gone "$pid" || fail "a rename did not wait for the lock"; done
exec 6>&-
for pid in "${renames[@]}"; do wait "$pid" || fail "a rename failed"; done
manifest_of odd/other:1 > /dev/null
fsck_store > /dev/null
stop_mount

note "the attributes of a rootfs/ with a big index are right from the first look"
make_big_image
start_mount
copy_in "$work/big.tar"
stop_mount
start_mount
expect_eq 711 "$(quick stat -c %a "$mnt/images/odd/big:1/rootfs")" "mode of rootfs/"
stop_mount
start_mount
listed=$(quick ls -l "$mnt/images/odd/big:1" | grep ' rootfs$')
expect_eq drwx--x--x "${listed%% *}" "mode of rootfs/ in a listing"
expect_eq 20000 "$(quick ls "$mnt/images/odd/big:1/rootfs" | wc -l)" "files of rootfs/"
stop_mount
