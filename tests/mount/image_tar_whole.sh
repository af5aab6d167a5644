#!/bin/bash
# Who reads image.tar gets all of the image, or an error: also when blobs are missing or damaged, when
# the image is removed meanwhile, and when descriptors are short.
source "$(dirname "$0")/lib.sh"
require faketime

python3 - "$support" "$work" << 'PYTHON'
import random
import sys
sys.path.insert(0, sys.argv[1])
import tarball
from images import Docker, layer

def large(seed):
    return tarball.file("large", random.Random(seed).randbytes(4 << 20)) + tarball.END

def write(name, *layers):
    open(f"{sys.argv[2]}/{name}.tar", "wb").write(Docker(f"odd/{name}:1", layers=layers).archive())

write("large", large(1), large(2), large(3))
for i in 1, 2, 3:
    write(f"many-{i}", *(layer(f"{i}/{n}") for n in range(100)))
PYTHON
tar_of() { echo "$mnt/images/docker.io/odd/$1:1/image.tar"; }
blob_of() { readlink -e "$mnt/images/docker.io/odd/large:1/$1"; }

cannot_be_read() {  # cannot_be_read FILE WHAT
  local said
  said=$(timeout 30 cp "$1" "$work/copy" 2>&1) && fail "$2: image.tar was read"
  [[ $said == *"Input/output error"* ]] || fail "$2: $said"
}

start_mount
copy_in "$work/large.tar"
tar=$(tar_of large)
cp "$tar" "$work/whole"
size=$(stat -c %s "$tar")
expect_eq "$size" "$(stat -c %s "$work/whole")" "bytes that are read"
layer=$(basename "$(blob_of layers/01)")
config=$(sha256sum < "$(blob_of config.json)" | cut -c 1-64)
manifest=$(sha256sum < "$(blob_of manifest.json)" | cut -c 1-64)

for gone in "$layer" "$config"; do
  note "a blob is missing, $gone"
  mv "$store/blobs/sha256/$gone" "$work/"
  cannot_be_read "$tar" "without a blob"
  expect_eq "$size" "$(stat -c %s "$tar")" "the size without a blob"
  grep -q "odd/large:1/image.tar cannot be read: .*$gone is missing" "$daemon_log" || fail "the log does not tell"
  mv "$work/$gone" "$store/blobs/sha256/"
  cmp "$work/whole" "$tar"
done

note "nor can it be read without OPEN"
MNT=$work/read-only start_mount -o ro
mv "$store/blobs/sha256/$layer" "$work/"
cannot_be_read "$work/read-only/images/docker.io/odd/large:1/image.tar" "ro"
mv "$work/$layer" "$store/blobs/sha256/"
cmp "$work/whole" "$work/read-only/images/docker.io/odd/large:1/image.tar"
MNT=$work/read-only stop_mount

note "a damaged config, for a daemon that has not read it before"
stop_mount
cp "$store/blobs/sha256/$config" "$work/config"
chmod u+w "$store/blobs/sha256/$config"
printf x | dd of="$store/blobs/sha256/$config" conv=notrunc status=none
start_mount
cannot_be_read "$tar" "with a damaged config"
cat "$work/config" > "$store/blobs/sha256/$config"
cmp "$work/whole" "$tar"

note "an image that is listed, and whose manifest is gone"
stop_mount
mv "$store/blobs/sha256/$manifest" "$work/"
start_mount
for command in ls find cat; do
  path=${tar%/image.tar}
  [[ $command != cat ]] || path+=/manifest.json
  said=$(timeout 10 "$command" "$path" 2>&1) && fail "$command: the manifest is gone"
  [[ $said == *"Input/output error"* ]] || fail "$command: $said"
done
mv "$work/$manifest" "$store/blobs/sha256/"

note "who has begun to read it reads it to its end when the image is removed"
exec 7< "$tar"
head -c 65536 <&7 > "$work/read"
timeout 60 "$IMAGEFS" rm --store "$store" odd/large:1 > /dev/null || fail "rm"
collect_all
[[ ! -e $store/blobs/sha256/$layer ]] || fail "the layer was not collected"
timeout 60 cat <&7 >> "$work/read" || fail "it cannot be read to its end"
exec 7<&-
cmp "$work/whole" "$work/read"
holds_nothing() { ! ls -l "/proc/${daemons[$mnt]}/fd" | grep -Fq " (deleted)"; }
wait_until 10 holds_nothing
stop_mount

note "three images of 100 layers, and 128 descriptors"
for i in 1 2 3; do timeout 60 "$IMAGEFS" import --store "$store" "$work/many-$i.tar" > /dev/null || fail "import"; done
(
  ulimit -n 128
  start_mount
  for i in 1 2 3; do
    cp "$(tar_of "many-$i")" "$work/many-$i"
    tar tf "$work/many-$i" > "$work/list" || fail "the archive is damaged"
    expect_eq 102 "$(grep -c 'blobs/sha256/.' "$work/list")" "blobs of image $i"
  done
  exec 5< "$(tar_of many-1)" 6< "$(tar_of many-2)" 7< "$(tar_of many-3)"
  copy_in "$work/large.tar"
  cmp "$work/many-1" <(cat <&5)
  cmp "$work/many-2" <(cat <&6)
  cmp "$work/many-3" <(cat <&7)
  exec 5<&- 6<&- 7<&-
  stop_mount
)
