# Reading a blob of 1 GiB, and all files of a rootfs/ whose layers are compressed. Sourced by
# scripts/bench.

random_reads=400000
declare -A blob  # the same file, natively and in the mount

sequential() { seconds dd if="$1" of=/dev/null bs=1M; }
# What fio measures itself: its start takes longer than the reads.
random() {
  fio --name=read --filename="$1" --rw=randread --bs=4k --number_ios="$random_reads" \
    --io_size=100g --norandommap --invalidate=0 --randseed=1 --output-format=json |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["jobs"][0]["read"]["runtime"] / 1000)'
}

read_blob() {  # read_blob LABEL cold|warm MEASURE
  local run place
  times=()
  for ((run = 0; run < runs; ++run)); do
    for place in native imagefs; do
      [[ $2 == warm ]] || drop_caches
      times[$place]+=" $("$3" "${blob[$place]}")"
    done
  done
  printf '%-28s %9s %9s %9s\n' "$1" "$(median "${times[native]}")" "$(median "${times[imagefs]}")" \
    "$(ratio "$(median "${times[imagefs]}")" "$(median "${times[native]}")")"
}

read_blobs() {
  local large
  scripts/benches/make-archive docker $((5 << 30)) "$archive"
  mount_store rw
  cp "$archive" "$mnt/ingest/"
  rm "$archive"
  large=$(find "$work/store/blobs/sha256" -size +900M -print -quit)
  blob=([native]=$large [imagefs]=$mnt/blobs/sha256/${large##*/})
  printf '\na blob of 1 GiB, %d runs\n%-28s %9s %9s %9s\n' "$runs" '' 'native s' 'imagefs s' ratio
  read_blob 'sequential, cold' cold sequential
  read_blob 'sequential, warm' warm sequential
  ! installed fio || read_blob "$random_reads x 4 KiB, warm" warm random
  unmount
}

native_cat() { cat_all "$work/native/rootfs"; }
umoci_unpack_cat_prepare() { rm -rf "$work/bundle"; }
umoci_unpack_cat() {
  umoci unpack --image "$work/layout:bench" "$work/bundle" && cat_all "$work/bundle/rootfs"
}
umoci_unpack_cat_tidy() { rm -rf "$work/bundle"; }
# No layer of it has been read before.
imagefs_cat_prepare() {
  mount_store rw
  cp "$archive" "$mnt/ingest/"
}
imagefs_cat() { cat_all "$mnt/images/docker.io/library/a:bench/rootfs"; }
imagefs_cat_tidy() { unmount; }

archive=$work/a.tar
read_blobs
if installed umoci; then
  scripts/benches/make-archive oci-gzip $((400 << 20)) "$archive"
  mkdir "$work/layout"
  tar -C "$work/layout" -xf "$archive"
  umoci unpack --image "$work/layout:bench" "$work/native"
  compare 'All files of gzip layers of 0.4 GiB' native_cat umoci_unpack_cat imagefs_cat
fi
