# A real image, and private engines to save it with: sourced after lib.sh.
#
#   build_image        an OCI layout at $layout with one image, tag 1: three layers, hundreds of files
#   start_containerd   then: ctr_ …
#   start_dockerd      then: docker_ …
#   podman_, buildah_, skopeo_   use a storage of their own
#   in_memory docker|containerd|storage…   before these: what they store is kept in memory
#
# Everything lives below $work and in the test's namespaces.
# shellcheck shell=bash

require_root
: "${work:?source lib.sh first}"
layout=$work/layout
image=docker.io/odd/real:1
mkdir -p "$work/run"

build_image() {
  require umoci
  local bundle=$work/bundle rootfs=$work/bundle/rootfs
  umoci init --layout "$layout"
  umoci new --image "$layout:1"
  umoci unpack --image "$layout:1" "$bundle" > /dev/null 2>&1
  mkdir -p "$rootfs"/{bin,etc,usr/share/doc,var/empty}
  cp -a /bin/ls /bin/cat /bin/true "$rootfs/bin/"
  local doc
  for doc in $(find /usr/share/doc -mindepth 1 -maxdepth 1 -type d | sort | head -n 60); do
    cp -a "$doc" "$rootfs/usr/share/doc/"
  done
  echo one > "$rootfs/etc/one"
  umoci repack --image "$layout:1" --refresh-bundle "$bundle" > /dev/null 2>&1
  rm "$rootfs/bin/cat" "$rootfs/etc/one"
  ln "$rootfs/bin/ls" "$rootfs/bin/dir"
  ln -s ls "$rootfs/bin/vdir"
  umoci repack --image "$layout:1" --refresh-bundle "$bundle" > /dev/null 2>&1
  rm -r "$rootfs/var/empty"
  head -c 1000000 /dev/urandom > "$rootfs/etc/random"
  umoci repack --image "$layout:1" "$bundle" > /dev/null 2>&1
  rm -rf "$bundle"
}

# Where engines may keep what they sync layer by layer, in tests that are not about their speed.
in_memory() {  # in_memory DIRECTORY...
  local directory
  for directory in "$@"; do
    mkdir "$work/$directory"
    mount -t tmpfs tmpfs "$work/$directory"
  done
}

start_containerd() {
  require containerd ctr
  local disabled
  disabled=$(printf '"io.containerd.%s.v1.%s",' grpc cri snapshotter aufs snapshotter btrfs \
    snapshotter devmapper snapshotter zfs internal opt)
  cat > "$work/containerd.toml" << TOML
version = 2
root = "$work/containerd"
state = "$work/run/containerd"
disabled_plugins = [${disabled%,}]
[grpc]
  address = "$work/run/containerd.sock"
TOML
  containerd -c "$work/containerd.toml" > "$work/containerd.log" 2>&1 &
  children+=($!)
  wait_until 30 ctr_ version > /dev/null 2>&1
}
ctr_() { timeout 120 ctr --address "$work/run/containerd.sock" "$@"; }

# The digest that ctr gives the only image of an archive, imported into an empty namespace.
ctr_digest() {  # ctr_digest FILE
  local namespace
  namespace=$(basename "$1" | tr -c 'a-z0-9\n' -)
  ctr_ -n "$namespace" images import --no-unpack --digests --base-name x "$1" > /dev/null || fail "ctr import of $1"
  ctr_ -n "$namespace" images ls | awk 'NR > 1 {print $3}' | sort -u
}

start_dockerd() {
  require dockerd docker
  dockerd --storage-driver vfs --iptables=false --ip6tables=false --ip-forward=false \
    --ip-masq=false --bridge=none --data-root "$work/docker" --exec-root "$work/run/docker" \
    --pidfile "$work/run/docker.pid" --host "unix://$work/run/docker.sock" > "$work/dockerd.log" 2>&1 &
  children+=($!)
  wait_until 60 docker_ version > /dev/null 2>&1
}
docker_() { DOCKER_HOST=unix://$work/run/docker.sock timeout 120 docker "$@"; }

storage=(--root "$work/storage" --runroot "$work/run/storage" --storage-driver vfs)
podman_() { timeout 120 podman "${storage[@]}" --cgroup-manager cgroupfs "$@"; }
buildah_() { timeout 120 buildah "${storage[@]}" "$@"; }
skopeo_() { timeout 120 skopeo --tmpdir "$work" "$@"; }
# Saves the image of build_image with every tool, into $work/saved/<tool>[-oci].tar. Needs start_dockerd
# and start_containerd.
save_with_all() {
  local to=$work/saved
  mkdir "$to"
  load_everywhere
  docker_ save -o "$to/docker.tar" "$image"
  podman_ save -q -o "$to/podman.tar" "$image"
  podman_ save -q --format oci-archive -o "$to/podman-oci.tar" "$image"
  buildah_ push -q "$image" "docker-archive:$to/buildah.tar:$image"
  skopeo_ copy -q "oci:$layout:1" "docker-archive:$to/skopeo.tar:$image"
  skopeo_ copy -q "oci:$layout:1" "oci-archive:$to/skopeo-oci.tar:$image"
  umoci tag --image "$layout:1" "$image"
  tar cf "$to/umoci-oci.tar" -C "$layout" .
  umoci rm --image "$layout:$image"
  ctr_ -n saved images import "$to/skopeo.tar" > /dev/null
  ctr_ -n saved images export "$to/ctr.tar" "$image"
}
load_everywhere() {
  require podman buildah skopeo
  skopeo_ copy -q --dest-daemon-host "unix://$work/run/docker.sock" "oci:$layout:1" "docker-daemon:${image#docker.io/}"
  skopeo_ copy -q "oci:$layout:1" "$storage_image"
}
storage_image="containers-storage:[vfs@$work/storage+$work/run/storage]$image"
