#!/bin/bash
# As many archives at once as a mount takes: all arrive, in bounded memory and threads, and nobody
# who looks meanwhile has to wait. A thousand names in ingest/.
source "$(dirname "$0")/lib.sh"

most=64
python3 - "$support" "$work" $most << 'PYTHON' || fail "the generator failed"
import random
import sys

sys.path.insert(0, sys.argv[1])
import tarball
from images import Docker

shared = tarball.file("shared", random.Random(0).randbytes(1 << 20)) + tarball.END
for i in range(int(sys.argv[3]) + 1):
    own = tarball.file("own", random.Random(1 + i).randbytes(1 << 20)) + tarball.END
    open(f"{sys.argv[2]}/{i}.tar", "wb").write(Docker(f"odd/many:{i}", layers=(shared, own)).archive())
PYTHON
half=1500000

# Stops half-way, until something comes through the pipe.
copy_by_halves() {  # copy_by_halves NUMBER
  exec > "$mnt/ingest/$1.tar" || return 1
  head -c $half "$work/$1.tar" && touch "$work/half.$1" && read -r < "$work/go.$1" &&
    tail -c +$((half + 1)) "$work/$1.tar"
}
status_of() { awk -v key="$1:" '$1 == key {print $2}' "/proc/${daemons[$mnt]}/status"; }
all_half_way() { (($(find "$work" -name 'half.*' | wc -l) == most)); }

start_mount
copy_in "$work/0.tar"
threads_before=$(status_of Threads)

note "$most copies at once"
pids=()
for ((i = 0; i < most; i++)); do
  mkfifo "$work/go.$i"
  copy_by_halves "$i" 2> "$work/said.$i" &
  pids+=($!)
done
children+=("${pids[@]}")
wait_until 60 all_half_way
expect_eq $most "$(find "$mnt/ingest" -type f | wc -l)" "names in ingest/"

note "one more is told why it may not"
said=$(timeout 20 cp "$work/$most.tar" "$mnt/ingest/" 2>&1) && fail "it was let in"
expect_eq EAGAIN "$(errno_name "$said")" "the copy too many"
grep -q max_imports "$mnt/.imagefs/status.json" || fail "status.json does not say why"

note "who looks does not wait"
latency=$(timeout 60 python3 - "$mnt" << 'PYTHON'
import os
import sys
import time

image = sys.argv[1] + "/images/docker.io/odd/many:0"
actions = {
    "ls": lambda: os.listdir(image + "/rootfs"),
    "stat": lambda: os.stat(image + "/config.json"),
    "open and read": lambda: open(image + "/rootfs/own", "rb").read(4096),
    "status.json": lambda: open(sys.argv[1] + "/.imagefs/status.json", "rb").read(),
}
for name, action in actions.items():
    taken = []
    for _ in range(100):
        start = time.monotonic()
        action()
        taken.append(time.monotonic() - start)
    taken.sort()
    print(f"{name}: median {taken[50] * 1000:.2f} ms, slowest {taken[-1] * 1000:.2f} ms")
PYTHON
) || fail "a look failed, or hangs"
echo "$latency"
threads=$(status_of Threads)
memory=$(status_of RssAnon)
echo "threads: $threads, $threads_before before; RssAnon: $memory KiB"
# One that reads a copy, one that hashes it, and 50 that wait for what is slow (fs/fuse_mount.h).
((threads <= threads_before + 2 * most + 50)) || fail "more than two threads for each copy"
[[ $(nm -D "$IMAGEFS" 2> /dev/null) == *__[at]san_init* ]] || ((memory <= most * 4096)) ||
  fail "more than 4 MiB for each copy"

note "all arrive"
for ((i = 0; i < most; i++)); do echo > "$work/go.$i"; done
for ((i = 0; i < most; i++)); do wait "${pids[i]}" || fail "copy $i: $(cat "$work/said.$i")"; done
settled() { (($(find "$mnt/ingest" -type f | wc -l) == 0)); }
wait_until 60 settled
expect_eq $most "$(find "$mnt/images/docker.io/odd" -mindepth 1 -maxdepth 1 | wc -l)" "images"
fsck_store --unreferenced > /dev/null
copy_in "$work/$most.tar"

note "a thousand names, one after the other: good ones and others"
for ((i = 0; i < 500; i++)); do
  cp "$work/0.tar" "$mnt/ingest/good-$i.tar" || fail "copy $i"
  ! head -c 1000 "$work/0.tar" 2> /dev/null > "$mnt/ingest/bad-$i.tar" || true
done
wait_until 60 test ! -e "$mnt/ingest/good-499.tar"
names=$(find "$mnt/ingest" -type f | wc -l)
((names > 0 && names <= 256)) || fail "$names names are left in ingest/"
[[ -s $mnt/ingest/bad-499.tar.error ]] || fail "the newest refusal is gone"
fsck_store --unreferenced > /dev/null
stop_mount
