#!/bin/bash
# A thousand readers of a compressed layer, from before it is decoded, and an import among them: each
# gets the right bytes, and the import is not kept waiting by them.
source "$(dirname "$0")/lib.sh"

(
  cd "$support"
  python3 - "$work" << 'PYTHON'
import random, sys
import tarball
from images import Docker

data = random.Random(0).randbytes(1 << 20)
layer = b"".join(tarball.file(f"f{i}", data[i << 10 :]) for i in range(32)) + tarball.END
image = Docker("odd/read:1", layers=(layer,))
image.layers = [tarball.gzip(layer)]
open(sys.argv[1] + "/read.tar", "wb").write(image.archive())
open(sys.argv[1] + "/data", "wb").write(data)
PYTHON
) || fail "the generator failed"
make_image odd/other:1 32 "$work/other.tar"
start_mount
copy_in "$work/read.tar"

note "a thousand readers, whose reads all come to the daemon, and an import"
rm -f "$work/stop"
timeout 200 python3 - "$mnt/images/odd/read:1/rootfs" "$work" << 'PYTHON' &
import mmap, os, pathlib, random, sys, threading

rootfs, work = sys.argv[1], pathlib.Path(sys.argv[2])
data = (work / "data").read_bytes()
begun = threading.Semaphore(0)
stop, failures, reads = threading.Event(), [], [0] * 1000


def read(number):
    i, where = number % 32, random.Random(number)
    buffer = mmap.mmap(-1, 4096)  # aligned, as O_DIRECT wants it
    fd = os.open(f"{rootfs}/f{i}", os.O_RDONLY | os.O_DIRECT)
    while not stop.is_set():
        offset = where.randrange(200) << 12
        os.preadv(fd, [buffer], offset)
        start = (i << 10) + offset
        if buffer[:] != data[start : start + 4096]:
            failures.append(number)
        reads[number] += 1
        if reads[number] == 1:
            begun.release()
    os.close(fd)


threads = [threading.Thread(target=read, args=[n]) for n in range(1000)]
for thread in threads:
    thread.start()
for _ in threads:
    if not begun.acquire(timeout=100):
        print("a reader got nothing")
        os._exit(1)
(work / "all-read").touch()
while not (work / "stop").exists():
    stop.wait(0.05)
stop.set()
for thread in threads:
    thread.join()
print(f"-- {sum(reads)} reads, at least {min(reads)} by each")
sys.exit(len(failures) != 0)
PYTHON
readers=$!
children+=("$readers")
wait_until 120 test -e "$work/all-read"
timeout 60 cp "$work/other.tar" "$mnt/ingest/" || fail "an import among readers"
manifest_of odd/other:1 > /dev/null
touch "$work/stop"
wait "$readers" || fail "a reader failed, or got other bytes"
fsck_store > /dev/null
stop_mount
