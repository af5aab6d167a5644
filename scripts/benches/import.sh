# cp of a Docker archive until it returns: verified, durable, browsable. Sourced by scripts/bench.

sha256() { openssl dgst -sha256 "$archive"; }

imagefs_dd_64k_prepare() { mount_store rw; }
imagefs_dd_64k() { dd if="$archive" of="$mnt/ingest/a.tar" bs=64k; }
imagefs_dd_64k_tidy() { unmount; }

skopeo_copy() { skopeo copy docker-archive:"$archive" docker-archive:"$1":bench/skopeo:latest; }
skopeo_to_disk_prepare() { rm -f "$work/copy"; }
skopeo_to_disk() { skopeo_copy "$work/copy" && sync -f "$work/copy"; }
skopeo_to_disk_tidy() { rm -f "$work/copy"; }
skopeo_to_imagefs_prepare() { mount_store rw; }
skopeo_to_imagefs() { skopeo_copy "$mnt/ingest/a.tar"; }
skopeo_to_imagefs_tidy() { unmount; }

# From the rename that completes it until its image can be looked at.
imagefs_drop_prepare() {
  mkdir -p "$work/drop"
  mount_store "drop=$work/drop"
  cp "$archive" "$work/drop/.a.tar"
}
imagefs_drop() {
  mv "$work/drop/.a.tar" "$work/drop/a.tar"
  until [[ -e $mnt/images/docker.io/library/bench:latest ]]; do sleep 0.01; done
}
imagefs_drop_tidy() {
  unmount
  rm -r "$work/drop"
}

all_of() {  # all_of PID...: waits for each; fails when one failed
  local pid status=0
  for pid; do wait "$pid" || status=1; done
  return "$status"
}

at_once() {  # at_once COPIES DIRECTORY
  local i pids=()
  for ((i = 0; i < $1; ++i)); do
    cp "$archive" "$2/$i.tar" &
    pids+=($!)
  done
  all_of "${pids[@]}"
}

copies_prepare() { mkdir -p "$work/copies"; }
copies_tidy() { rm -rf "$work/copies"; }
cp_sync_4_prepare() { copies_prepare; }
cp_sync_4() { at_once 4 "$work/copies" && sync -f "$work/copies"; }
cp_sync_4_tidy() { copies_tidy; }
sha256_4() {
  local pids=() _
  for _ in 1 2 3 4; do
    sha256 &
    pids+=($!)
  done
  all_of "${pids[@]}"
}
imagefs_4_prepare() { mount_store max_imports=16; }
imagefs_4() { at_once 4 "$mnt/ingest"; }
imagefs_4_tidy() { unmount; }
imagefs_16_prepare() { mount_store max_imports=16; }
imagefs_16() { at_once 16 "$mnt/ingest"; }
imagefs_16_tidy() { unmount; }

containerd=
ctr_import_prepare() {
  stop_containerd
  rm -rf "$work/containerd"
  containerd --root "$work/containerd/root" --state "$work/containerd/state" \
    --address "$work/containerd.sock" --log-level error >"$work/containerd.log" 2>&1 &
  containerd=$!
  local tries=0
  until ctr --address "$work/containerd.sock" version >/dev/null 2>&1; do
    ((++tries < 100))
    sleep 0.1
  done
}
ctr_import() { ctr --address "$work/containerd.sock" images import --no-unpack "$archive"; }
ctr_import_tidy() { stop_containerd; }
stop_containerd() {
  [[ $containerd ]] || return 0
  kill "$containerd" 2>/dev/null || true
  wait "$containerd" 2>/dev/null || true
  containerd=
}

podman_load_prepare() { rm -rf "$work/podman"; }
podman_load() {
  podman --root "$work/podman/root" --runroot "$work/podman/run" --storage-driver overlay \
    load --input "$archive"
}
podman_load_tidy() {
  umount "$work/podman/root/overlay" 2>/dev/null || true
  rm -rf --one-file-system "$work/podman"
}

peers=()
! { installed containerd && installed ctr; } || peers+=(ctr_import)
! installed podman || peers+=(podman_load)

archive=$work/small.tar
scripts/benches/make-archive docker $((400 << 20)) "$archive"
compare 'Docker archive, 0.4 GiB' cp_sync sha256 imagefs_cp imagefs_dd_64k "${peers[@]}"
others=(imagefs_drop)
! installed skopeo || others+=(skopeo_to_disk skopeo_to_imagefs)
compare 'the same, by other ways' cp_sync sha256 "${others[@]}"
compare 'the same, 4 and 16 copies at once' cp_sync_4 sha256_4 imagefs_4 imagefs_16
rm "$archive"
archive=$work/large.tar
scripts/benches/make-archive docker $((2 << 30)) "$archive"
compare 'Docker archive, 2 GiB' cp_sync sha256 imagefs_cp imagefs_dd_64k "${peers[@]}"
