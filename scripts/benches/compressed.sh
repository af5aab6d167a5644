# cp of an OCI archive with gzip layers, and of Docker archives that are compressed as a whole, until
# it returns: verified to its diff IDs. Sourced by scripts/bench.

inflate=(gzip -dc)
! installed igzip || inflate=(igzip -dc)

# One pass over the layers, without the archive around them.
inflate_sha256() {
  local blob
  for blob in "$work"/layout/blobs/sha256/*; do
    if [[ $(head -c 2 "$blob" | od -An -tx1) == ' 1f 8b' ]]; then
      "${inflate[@]}" <"$blob" | openssl dgst -sha256
    fi
  done
}

# One pass over a compressed archive.
decode_sha256() { "${decode[@]}" <"$archive" | openssl dgst -sha256; }

umoci_unpack_prepare() { rm -rf "$work/bundle"; }
umoci_unpack() {
  umoci unpack --image "$work/layout:bench" "$work/bundle" && sync -f "$work/bundle"
}
umoci_unpack_tidy() { rm -rf "$work/bundle"; }

peers=()
! installed umoci || peers+=(umoci_unpack)

archive=$work/oci.tar
scripts/benches/make-archive oci-gzip $((400 << 20)) "$archive"
mkdir "$work/layout"
tar -C "$work/layout" -xf "$archive"
compare 'OCI archive, gzip layers of 0.4 GiB' cp_sync inflate_sha256 imagefs_cp "${peers[@]}"
rm -rf "$archive" "$work/layout"

scripts/benches/make-archive docker $((400 << 20)) "$work/docker.tar"
archive=$work/docker.tar.gz decode=("${inflate[@]}")
gzip -c "$work/docker.tar" >"$archive"
compare 'Docker archive of 0.4 GiB, in gzip' cp_sync decode_sha256 imagefs_cp
rm "$archive"
if installed zstd; then
  archive=$work/docker.tar.zst decode=(zstd -dcq)
  zstd -q "$work/docker.tar" -o "$archive"
  compare 'Docker archive of 0.4 GiB, in zstd' cp_sync decode_sha256 imagefs_cp
fi
