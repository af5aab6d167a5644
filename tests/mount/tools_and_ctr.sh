#!/bin/bash
# A real image, saved by docker, podman, buildah, skopeo, umoci and ctr: each archive is imported, its
# manifest has the digest that ctr gives it, and skopeo can copy it out of the mount again.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/engines.sh"

build_image
start_dockerd
start_containerd
save_with_all
start_mount

config_and_layers() {  # of a manifest on stdin: the digests, in order
  python3 -c '
import json, sys
manifest = json.load(sys.stdin)
print(*[part["digest"] for part in [manifest["config"], *manifest["layers"]]])'
}

kind_of() {  # of an archive: what it can be read as
  local names
  names=$(tar tf "$1" | sed 's|^\./||')
  grep -x -e manifest.json -e oci-layout <<< "$names" | sort | paste -sd ' '
}

version_of() {  # of the tool that wrote <tool>[-oci].tar
  local tool=${1%.tar}
  tool=${tool%-oci}
  [[ $tool != docker ]] || tool=dockerd
  "$tool" --version | grep -om 1 '[0-9][0-9.]*[0-9]' | head -n 1
}

for file in "$work"/saved/*.tar; do
  tool=${file##*/}
  copy_in "$file"
  digest=$(ctr_digest "$file")
  expect_eq "$digest" "sha256:$(manifest_of "$digest" | sha256sum | cut -c 1-64)" "$tool: manifest of ctr"
  expect_eq "$digest" "sha256:$(manifest_of odd/real:1 | sha256sum | cut -c 1-64)" "$tool: manifest by name"
  note "$tool of version $(version_of "$tool"), of $(kind_of "$file"): $digest as ctr says"

  # To an archive of the same kind: skopeo makes another config of the same image between the kinds.
  kind=docker-archive
  [[ $tool != *-oci.tar ]] || kind=oci-archive
  note "$tool: out of the mount with skopeo, to a $kind, and in again"
  skopeo_ copy -q "dir:$mnt/images/$image" "$kind:$work/again.tar:docker.io/odd/again:1" || fail "skopeo copy dir: of $tool"
  copy_in "$work/again.tar"
  rm "$work/again.tar"
  expect_eq "$(manifest_of odd/real:1 | config_and_layers)" "$(manifest_of odd/again:1 | config_and_layers)" \
    "$tool: config and layers of the copy"
done
fsck_store

note "the mount is an OCI image layout, and so is the store"
umoci ls --layout "$mnt" > /dev/null || fail "umoci cannot read the mount"
for n in 00 01 02; do
  expect_eq "$(readlink -f "$mnt/images/$image/layers/$n" | xargs basename)" \
    "$(sha256sum < "$mnt/images/$image/layers/$n" | cut -c 1-64)" "layer $n"
done
stop_mount
