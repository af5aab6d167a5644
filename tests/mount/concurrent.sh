#!/bin/bash
# Many imports at once, and a garbage collection in the middle of them: nothing is lost, nothing is
# stored twice.
source "$(dirname "$0")/lib.sh"
require faketime

make_image odd/one:1 8 "$work/one.tar"
make_image odd/two:1 8 "$work/two.tar"
start_mount

note "the same archive twice adds no byte"
copy_in "$work/one.tar"
before=$(cd "$store/blobs" && find . -type f -printf '%p %s %i\n' | sort)
copy_in "$work/one.tar"
copy_in "$work/one.tar" another-name.tar
expect_eq "$before" "$(cd "$store/blobs" && find . -type f -printf '%p %s %i\n' | sort)" "the blobs"
fsck_store

note "two archives at once share a layer, and eight are the same"
pids=()
for i in 1 2 3 4; do
  timeout 120 cp "$work/one.tar" "$mnt/ingest/one-$i.tar" & pids+=($!)
  timeout 120 cp "$work/two.tar" "$mnt/ingest/two-$i.tar" & pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" || fail "a copy among others failed"; done
expect_eq 2 "$(fsck_store | wc -l)" "images"
manifest_of odd/one:1 > /dev/null
manifest_of odd/two:1 > /dev/null

note "two writers of one name: the second is told that it is busy"
exec 9> "$mnt/ingest/busy.tar"
head -c 1000 "$work/one.tar" >&9
said=$(timeout 20 cp "$work/one.tar" "$mnt/ingest/busy.tar" 2>&1) && fail "a second writer was let in"
expect_eq EBUSY "$(errno_name "$said")" "the second writer"
tail -c +1001 "$work/one.tar" >&9
exec 9>&-

note "garbage collections while imports take a name from each other"
for i in 1 2 3; do
  python3 "$support/archives.py" image "odd/moving:$i" 2 "$work/moving-$i.tar"
done
(
  for _ in {1..8}; do collect_all; done
) & collector=$!
for i in 1 2 3 1 2 3 1 2 3; do
  timeout 60 "$IMAGEFS" rm --store "$store" "odd/moving:$i" > /dev/null 2>&1 || true
  copy_in "$work/moving-$i.tar" "moving-$i.tar"
  timeout 60 "$IMAGEFS" import --store "$store" "$work/moving-$i.tar" > /dev/null || fail "import among collections"
done
wait "$collector" || fail "a collection among imports failed"
fsck_store --unreferenced

note "a collection right before and right after an import"
"$IMAGEFS" rm --store "$store" odd/two:1 > /dev/null
collect_all & pid=$!
copy_in "$work/two.tar"
wait "$pid"
collect_all
expect_eq "docker.io/odd/moving:1 docker.io/odd/moving:2 docker.io/odd/moving:3 docker.io/odd/one:1 docker.io/odd/two:1" \
  "$(fsck_store | cut -d ' ' -f 2 | sort | xargs)" "the names after all"
stop_mount
