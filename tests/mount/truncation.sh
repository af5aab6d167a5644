#!/bin/bash
# An archive that is cut, at every block and at 200 random places, is refused, unless all that is
# referenced is there. Nothing changes.
source "$(dirname "$0")/lib.sh"

archives odd
start_mount
before=$(store_state)
whole=$work/odd/manifest-first.tar
last=$work/odd/manifest-last.tar
seed=${SEED:-20240229}
note "seed $seed"

timeout 300 python3 - "$mnt/ingest" "$whole" "$last" "$seed" << 'PYTHON' || fail "cut archives were judged wrongly"
import errno, os, random, sys

ingest, seed = sys.argv[1], int(sys.argv[4])
wrong = refused = 0


def drop(name, data):
    """The errno of copying `data` in; 0 when it was accepted."""
    try:
        with open(os.path.join(ingest, name), "wb", buffering=0) as out:
            view = memoryview(data)
            while view:
                view = view[out.write(view) :]
    except OSError as error:
        return error.errno
    return 0


def check(name, data, cut):
    global wrong, refused
    result = drop(name, data[:cut])
    if result == 0:
        print(f"{name}: accepted at {cut} of {len(data)} bytes")
        wrong += 1
        return
    refused += 1
    with open(os.path.join(ingest, name + ".error")) as error:
        reason = error.read()
    expected = (errno.ENODATA, errno.EINVAL) if cut < 512 else (errno.ENODATA,)
    if result not in expected or not reason.strip():
        print(f"{name}: {errno.errorcode[result]} at {cut} of {len(data)} bytes: {reason}")
        wrong += 1


for path in sys.argv[2:4]:
    data = open(path, "rb").read()
    needed = len(data.rstrip(b"\0"))  # the last byte that is not padding or the end marker
    cuts = set(range(512, needed, 512))
    cuts |= set(random.Random(seed).sample(range(1, needed), 200))
    for cut in sorted(cuts):
        check(os.path.basename(path), data, cut)
print(f"-- {refused} cuts refused")
sys.exit(wrong != 0)
PYTHON

expect_eq "$before" "$(store_state)" "the store after all cuts"
expect_eq "" "$(fsck_store)" "images in the store"
note "an archive without its end-of-archive marker is complete"
head -c -1024 "$whole" > "$work/no-marker.tar"
copy_in "$work/no-marker.tar"
copy_in "$last"
fsck_store
stop_mount
