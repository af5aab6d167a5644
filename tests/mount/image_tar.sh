#!/bin/bash
# image.tar of every image can be loaded by docker, podman, skopeo and ctr, and by imagefs itself, with
# the same digests; it takes no room and reads the same each time.
source "$(dirname "$0")/lib.sh"
source "$(dirname "$0")/engines.sh"

build_image
start_dockerd
start_containerd
save_with_all
start_mount

for saved in docker podman-oci; do
  copy_in "$work/saved/$saved.tar"
  digest=sha256:$(manifest_of odd/real:1 | sha256sum | cut -c 1-64)
  config=$(sha256sum < "$mnt/images/odd/real:1/config.json" | cut -c 1-64)
  tar=$mnt/images/$image/image.tar

  note "$saved: a file like any other, without blocks"
  expect_eq 0 "$(stat -c %b "$tar")" "blocks of image.tar"
  cp "$tar" "$work/image.tar"
  expect_eq "$(stat -c %s "$tar")" "$(stat -c %s "$work/image.tar")" "size of image.tar"
  cmp "$tar" "$work/image.tar"
  cmp <(tail -c +123456 "$tar" | head -c 99999) <(tail -c +123456 "$work/image.tar" | head -c 99999)
  timeout 60 tar tf "$tar" > "$work/list" || fail "tar cannot read image.tar"
  grep -Fxq manifest.json "$work/list"
  grep -Fxq index.json "$work/list"

  note "$saved: ctr"
  cp "$tar" "$work/$saved-image.tar"
  expect_eq "$digest" "$(ctr_digest "$work/$saved-image.tar")" "the digest that ctr finds"

  note "$saved: docker"
  docker_ rmi -f "$image" > /dev/null
  docker_ load -q < "$tar" > /dev/null || fail "docker load"
  expect_eq "sha256:$config" "$(docker_ image inspect -f '{{.Id}}' "$image")" "the config that docker has"

  note "$saved: podman"
  podman_ rmi -f "$image" > /dev/null
  podman_ load -q < "$tar" > /dev/null || fail "podman load"
  expect_eq "$config" "$(podman_ image inspect -f '{{.Id}}' "$image")" "the config that podman has"

  note "$saved: skopeo, for which a path has no colon"
  ln -sfn "$tar" "$work/link.tar"
  skopeo_ inspect "docker-archive:$work/link.tar" > /dev/null || fail "skopeo inspect docker-archive:"
  expect_eq "$digest" "sha256:$(skopeo_ inspect --raw "oci-archive:$work/link.tar" | sha256sum | cut -c 1-64)" "the manifest that skopeo finds"

  note "$saved: into another store"
  MNT=$work/second STORE=$work/second-store start_mount
  timeout 60 cp "$tar" "$work/second/ingest/" || fail "cp from mount to mount"
  cmp "$mnt/images/$image/manifest.json" "$work/second/images/$image/manifest.json"
  cmp "$tar" "$work/second/images/$image/image.tar"
  MNT=$work/second STORE=$work/second-store stop_mount
  rm -rf "$work/second-store"
done
stop_mount
