#!/bin/bash
# rootfs/ of a Debian image with entries of every kind in four layers is what its layers say, what
# umoci unpacks and what docker exports: every attribute of every entry, but for their known faults
# (unpacked.tsv); with layers that are plain, gzip and zstd.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/engines.sh"
require umoci docker zstd gzip tar dpkg-query

python3 "$support/debian_layers.py" "$work/layers" || fail "the layers could not be made"
layers=("$work"/layers/?.tar)
python3 "$support/image_of_layers.py" debian "$work" "${layers[@]}" || fail "the image could not be made"
in_memory docker
start_dockerd
start_mount

# Zstd is what some cannot read: what they made of the plain layers stands in for it.
cannot() {  # cannot TOOL REGEX: unless it said so, the test fails
  [[ $compression == zstd ]] && grep -Eq "$2" "$work/said" || fail "$1: $compression: $(tail -n 1 "$work/said")"
  note "this $1 cannot read zstd: compared with the plain layers"
  ln -s "$work/plain.$1" "$work/zstd.$1"
}

# Both leave what they made as $work/<compression>.umoci and .docker.
unpack_with_umoci() {  # unpack_with_umoci COMPRESSION
  mkdir "$work/$1-layout"
  tar xf "$work/$1-oci.tar" -C "$work/$1-layout"
  timeout 60 umoci unpack --image "$work/$1-layout:1" "$work/$1" > "$work/said" 2>&1 || return
  mv "$work/$1/rootfs" "$work/$1.umoci"
}
export_with_docker() {  # export_with_docker COMPRESSION
  local name=odd/debian-$1:1 container
  docker_ load -q -i "$work/$1-docker.tar" > "$work/said" 2>&1 || return
  container=$(docker_ create --network none "$name" /bin/true)
  docker_ export -o "$work/$1.docker" "$container" || fail "docker export: $1"
  docker_ rm "$container" > /dev/null
  docker_ rmi "$name" > /dev/null  # else the next load takes its layers from here
}

for compression in plain gzip zstd; do
  note "$compression"
  unpack_with_umoci "$compression" || cannot umoci 'blob is not correct mediatype: .*[+]zstd'
  export_with_docker "$compression" || cannot docker 'invalid tar header'  # before Docker 23
  copy_in "$work/$compression-oci.tar"
  timeout 120 python3 "$support/compare_trees.py" "$mnt/images/odd/debian-$compression:1/rootfs" "$here/unpacked.tsv" \
    --layers "${layers[@]}" --umoci "$work/$compression.umoci" --docker "$work/$compression.docker" ||
    fail "$compression: rootfs/ differs"
done
stop_mount
