# An image that programs run from: sourced after lib.sh.
#
#   make_busybox_image   writes $work/{plain,gzip,zstd}-{oci,docker}.tar: docker.io/odd/run-plain:1 …
#
# It has a static busybox and what container managers mount upon.
# shellcheck shell=bash

: "${work:?source lib.sh first}"

make_busybox_image() {
  require busybox gzip zstd tar
  local stage=$work/stage
  mkdir -p "$stage"/{bin,dev,proc,root,run,sys,tmp,var} "$stage"/etc/removed "$stage/usr/lib"
  cp "$(command -v busybox)" "$stage/bin/busybox"
  ln -s busybox "$stage/bin/sh"
  echo 'ID=odd' > "$stage/usr/lib/os-release"
  ln -s ../usr/lib/os-release "$stage/etc/os-release"
  echo 'of the image' > "$stage/etc/mark"
  ln "$stage/etc/mark" "$stage/etc/removed/link"
  tar cf "$work/layer.tar" --owner=0 --group=0 -C "$stage" .
  python3 "$support/image_of_layers.py" run "$work" "$work/layer.tar" || fail "the image could not be made"
}
