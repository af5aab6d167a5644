#!/bin/bash
# image.tar of an image with 128 layers: the same bytes in whatever order they are read and after a
# restart; podman, ctr and skopeo load it and give the image back unchanged, docker one of 125 layers,
# which is all that docker takes.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/engines.sh"
require podman skopeo ctr docker gzip zstd faketime

make_many() {  # make_many NAME LAYERS
  mkdir "$work/$1"
  python3 "$support/many_layers.py" "$2" "$work/$1/layers"
  python3 "$support/image_of_layers.py" "$1" "$work/$1" "$work/$1"/layers/*.tar || fail "the image could not be made"
}

digest_of() { echo "sha256:$(manifest_of "$1" | sha256sum | cut -c 1-64)"; }
config_id_of() { sha256sum < "$mnt/images/$1/config.json" | cut -c 1-64; }
count_layers() { find "$mnt/images/$1/layers/" -type l | wc -l; }

# The archive that an engine has saved comes in again, in place of the one that it loaded.
gives_back() {  # gives_back NAME FILE DIGEST|-: "-" when the engine writes a manifest of its own
  "$IMAGEFS" rm --store "$store" "$1" > /dev/null
  wait_until 10 test ! -e "$mnt/images/$1"
  collect_all
  copy_in "$2"
  [[ $3 == - ]] || expect_eq "$3" "$(digest_of "$1")" "the digest of what comes back"
  expect_eq "$config" "$(config_id_of "$1")" "the config of what comes back"
  expect_eq "$layers" "$(count_layers "$1")" "the layers of what comes back"
  diff -r "$mnt/images/$1/rootfs/" "$work/first" || fail "rootfs/ of what comes back differs"
}

load_and_save() {  # load_and_save TOOL COMMAND...
  note "$layers layers, $1"
  shift
  "$@" > "$work/said" 2>&1 || fail "$*: $(cat "$work/said")"
}

take() {  # take NAME FILE LAYERS: imports it; the variables of what follows
  name=docker.io/odd/$1:1 layers=$3
  copy_in "$2"
  expect_eq "$layers" "$(count_layers "$name")" "layers"
  expect_eq "$((layers - 1))" "$(cat "$mnt/images/$name/rootfs/etc/top")" "what the last layer wrote"
  digest=$(digest_of "$name")
  config=$(config_id_of "$name")
  rm -rf "$work/first"
  cp -r "$mnt/images/$name/rootfs" "$work/first"
}

in_memory docker storage containerd
make_many most 128
make_many dockers 125
start_dockerd
start_containerd
start_mount

take most-gzip "$work/most/gzip-oci.tar" 128
note "128 layers, read in random order and in sequence, with a restart between"
tar=$mnt/images/$name/image.tar
timeout 60 python3 "$support/read_in_random_order.py" "$tar" "$work/random.tar" 1 || fail "a read came up short"
stop_mount
start_mount
timeout 60 cp "$tar" "$work/image.tar"
cmp "$work/image.tar" "$work/random.tar" || fail "image.tar depends on how it is read"
stop_mount
start_mount
timeout 60 python3 "$support/read_in_random_order.py" "$tar" "$work/again.tar" 2
cmp "$work/image.tar" "$work/again.tar" || fail "image.tar depends on how it is read"

ln -s "$work/image.tar" "$work/without-colon.tar"
load_and_save skopeo skopeo_ copy -q "oci-archive:$work/without-colon.tar" "oci-archive:$work/skopeo.tar:$name"
gives_back "$name" "$work/skopeo.tar" "$digest"

load_and_save ctr ctr_ images import --no-unpack "$work/image.tar"
expect_eq "$digest" "$(ctr_ images ls "name==$name" | awk 'NR > 1 {print $3}')" "the digest that ctr has"
load_and_save 'ctr, out' ctr_ images export "$work/ctr.tar" "$name"
gives_back "$name" "$work/ctr.tar" "$digest"

load_and_save podman podman_ load -q -i "$work/image.tar"
expect_eq "$config" "$(podman_ image inspect -f '{{.Id}}' "$name")" "the config that podman has"
load_and_save 'podman, out' podman_ save -q --format oci-archive -o "$work/podman.tar" "$name"
gives_back "$name" "$work/podman.tar" -

take dockers-plain "$work/dockers/plain-docker.tar" 125
load_and_save docker docker_ load -q -i "$mnt/images/$name/image.tar"
expect_eq "sha256:$config" "$(docker_ image inspect -f '{{.Id}}' "$name")" "the config that docker has"
load_and_save 'docker, out' docker_ save -o "$work/docker.tar" "$name"
# Since Docker 25 this is an OCI archive, with a manifest of Docker's own making.
tar tf "$work/docker.tar" > "$work/listed"
! grep -qx oci-layout "$work/listed" || digest=-
gives_back "$name" "$work/docker.tar" "$digest"
fsck_store > /dev/null
stop_mount
