#!/usr/bin/env bash
# The command line without a mount: what it prints, where, and with which exit status.
set -euo pipefail
export LC_ALL=C
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/imagefs-test.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"
fail() { echo "FAIL: $*" >&2; exit 1; }

# expect STATUS PATTERN COMMAND...: PATTERN must be in what it says; $out and $err have the rest.
expect() {
  local status=0 wanted=$1 pattern=$2
  shift 2
  "$@" >out 2>err </dev/null || status=$?
  out=$(<out) err=$(<err)
  ((status == wanted)) || fail "$*: exit status $status, not $wanted: $out $err"
  [[ $out$err =~ $pattern ]] || fail "$*: says '$out$err', not '$pattern'"
  ((status == 0)) || [[ $err == imagefs:* ]] || fail "$*: '$err' does not begin with imagefs:"
}
imagefs() { "$IMAGEFS" "$1" --store "$work/store" "${@:2}"; }
other=sha256:$(printf '%064d' 0)  # of nothing
make_image() { python3 "$here/../support/archives.py" image "$1" 1 "$2"; }

a_wrong_command_line_is_2() {
  expect 2 'a command' "$IMAGEFS"
  expect 2 'lss' "$IMAGEFS" lss
  expect 2 '--bogus' imagefs ls --bogus
  expect 2 'MOUNTPOINT' imagefs mount
  expect 2 'bogus' imagefs mount -o ro,bogus "$work"
  expect 2 '--older-than' imagefs gc --older-than soon
  expect 2 '--older-than.*7 has no unit' imagefs gc --older-than 7
  expect 2 'one file' imagefs import --name a b c
}

a_failure_is_1_and_says_what_and_why() {
  expect 1 'imagefs: cannot open the store .*: No such file' imagefs ls
  expect 1 'no-such-file: No such file' imagefs import no-such-file
  expect 1 "$work: a directory without oci-layout" imagefs import "$work"
  expect 1 'nowhere: there is no such directory' imagefs mount nowhere
  expect 1 'would hide its store' imagefs mount "$work"
  expect 1 'no imagefs is mounted' imagefs status "$work"
}

a_mistyped_store_is_not_made() {
  mkdir empty
  local command
  for command in ls verify gc status 'rm a' 'tag a b'; do
    # shellcheck disable=SC2086 # words
    expect 1 'imagefs: cannot open the store .*/mistyped: No such file' \
      "$IMAGEFS" $command --store "$work/mistyped"
    # shellcheck disable=SC2086
    expect 1 'empty is no OCI image layout' "$IMAGEFS" $command --store "$work/empty"
  done
  [[ ! -e mistyped ]] || fail "a command made the store"
  rmdir empty || fail "a command made a store of an empty directory"
}

an_image_is_imported_listed_tagged_and_removed() {
  make_image odd/image:1 image.tar
  expect 0 '^imported docker.io/odd/image:1 sha256:[0-9a-f]{64}$' imagefs import image.tar
  local digest=${out##* }
  expect 0 "odd/image:1 +$digest +linux/amd64 +[0-9.]+ MiB +20[-0-9]+T[:0-9]+Z$" imagefs ls
  expect 0 'docker.io/odd/more:latest' imagefs tag odd/image:1 odd/more
  expect 0 'removed' imagefs rm odd/image:1
  expect 1 'odd/image:1: there is no such image' imagefs rm odd/image:1
  expect 1 "$digest: it has the name docker.io/odd/more:latest: remove that" imagefs rm "$digest"
  expect 0 "odd/more:latest +$digest" imagefs ls
  [[ $out != *odd/image:1* ]] || fail "a removed name is listed"
  expect 0 'images +1' imagefs status
}

a_layout_directory_is_imported() {
  expect 0 '^imported docker.io/odd/more:latest sha256:[0-9a-f]{64}$' "$IMAGEFS" import --store copy store
  expect 0 'odd/more:latest' "$IMAGEFS" ls --store copy
}

a_name_with_a_digest_is_the_image_of_that_digest() {
  local digest
  digest=$("$IMAGEFS" ls --store store | awk 'NR == 2 { print $2 }')
  expect 0 'odd/d:1' imagefs tag "odd/more@$digest" odd/d:1
  expect 0 'odd/d:2' imagefs tag "odd/d:1@$digest" odd/d:2
  expect 0 'odd/d:3' imagefs tag "$digest" odd/d:3
  expect 0 "odd/d@$digest" imagefs tag odd/d:3 "odd/d:3@$digest"
  expect 1 'odd/none@sha256:.*there is no such image' imagefs tag "odd/none@$digest" odd/e:1
  expect 1 "odd/d:1@$other: docker.io/odd/d:1 is $digest" imagefs rm "odd/d:1@$other"
  expect 0 '^removed docker.io/odd/d:1$' imagefs rm "odd/d:1@$digest"
  expect 1 'odd/d:1@sha256:.*: there is no such image' imagefs tag "odd/d:1@$other" odd/e:1
  expect 0 'removed .*odd/d:2.*removed .*odd/d:3.*removed .*odd/d@sha256' imagefs rm "odd/d@$digest"
  expect 1 'there is no such image' imagefs rm "odd/d@$digest"
}

a_new_name_fits_its_image() {
  expect 1 'imagefs: .*carries another digest' imagefs tag odd/more "odd/more@$other"
  expect 1 'imagefs: .*reads as a digest' imagefs tag odd/more "$other"
  expect 1 'imagefs: .*reads as a digest' imagefs tag odd/more "docker.io/library/$other"
  expect 1 'image.tar: .*carries another digest' imagefs import --name "odd/more@$other" image.tar
  expect 1 'imagefs: .*reads as a digest' imagefs import --name "$other" image.tar
  expect 0 'odd/more:latest' imagefs ls
  [[ $out != *"$other"* ]] || fail "a refused name is there: $out"
}

json_is_one_document() {
  expect 0 '' imagefs ls --json
  python3 -c 'import json, sys
image, = json.loads(sys.argv[1])
assert image["name"] == "docker.io/odd/more:latest" and image["platforms"] == ["linux/amd64"], image' "$out"
}

standard_input_and_a_name_of_ones_own() {
  "$IMAGEFS" import --store store --name my/own:name - <image.tar >out
  grep -q '^imported docker.io/my/own:name sha256:' out || fail "--name: $(<out)"
}

one_refused_file_keeps_no_other_out() {
  echo 'no archive' >bad.tar
  make_image odd/good:1 good.tar
  expect 1 'bad.tar: .*imported docker.io/odd/good:1|imported docker.io/odd/good:1.*bad.tar: ' \
    imagefs import bad.tar good.tar
}

damage_is_found_once_it_is_there() {
  expect 0 'none damaged' imagefs verify
  local blob
  blob=$(find store/blobs -type f -size +900k | head -n 1)
  chmod u+w "$blob"
  printf x | dd of="$blob" bs=1 seek=5000 conv=notrunc status=none
  expect 1 "sha256:${blob##*/}: " imagefs verify
}

# Two images with a gzip layer each, in the store "packed"; their blobs: $packed.
make_packed() {
  PYTHONPATH="$here/../support" python3 -c 'import sys, tarball
from images import Docker
for number in (1, 2):
    layer = tarball.file("data", bytes([number]) * (3 << 20)) + tarball.END
    image = Docker(f"odd/packed:{number}", layers=(layer,))
    image.layers = [tarball.gzip(layer)]
    open(f"packed{number}.tar", "wb").write(image.archive())'
  expect 0 'imported' "$IMAGEFS" import --store packed packed1.tar packed2.tar
  packed=()
  local blob
  for blob in packed/blobs/sha256/*; do ! gzip -tq "$blob" 2>/dev/null || packed+=("$blob"); done
  ((${#packed[@]} == 2)) || fail "${#packed[@]} gzip blobs"
  mkdir -p packed/cache/layers
}

a_cached_layer_that_is_something_else_is_found_and_removed() {
  make_packed
  local blob=${packed[1]} other=${packed[0]}
  local copy=packed/cache/layers/${blob##*/}
  gzip -dc "$blob" > "$copy"
  expect 0 'none damaged' "$IMAGEFS" verify --store packed
  printf x | dd of="$copy" bs=1 seek=2000000 conv=notrunc status=none
  expect 1 "sha256:${blob##*/}: cache/layers/.* removed" "$IMAGEFS" verify --store packed
  [[ ! -e $copy ]] || fail "the copy is left"
  gzip -dc "$blob" > "$copy"
  truncate -s 1000000 "$copy"
  expect 1 'removed.*1 decoded layer damaged' "$IMAGEFS" verify --store packed
  { gzip -dc "$blob" && echo more; } > "$copy"
  expect 1 'removed.*1 decoded layer damaged' "$IMAGEFS" verify --store packed
  expect 0 'none damaged' "$IMAGEFS" verify --store packed
  # A damaged blob, of which nothing can be said, does not end the search.
  echo x > "packed/cache/layers/${other##*/}"
  echo x > "$copy"
  chmod u+w "$other"
  truncate -s -100 "$other"
  expect 1 "sha256:${blob##*/}: cache/layers/.*1 decoded layer damaged" "$IMAGEFS" verify --store packed
}

garbage_is_collected() { expect 0 'removed [0-9]+ images?, [0-9]+ blobs?, ' imagefs gc --older-than 0; }

# An index whose one entry, without a platform, is an index of amd64 and, by its config, arm64.
make_nested() {
  PYTHONPATH="$here/../support" python3 -c 'import odd_oci_archives as odd, sys
arm_config = odd.config((odd.BASE,), architecture="arm64")
arm = odd.oci_manifest(arm_config, (odd.BASE,))
inner = odd.oci_index(
    odd.descriptor(odd.OCI_MANIFEST, odd.MANIFEST, platform=odd.platform("amd64")),
    odd.descriptor(odd.OCI_MANIFEST, arm), mediaType=odd.OCI_INDEX)
outer = odd.oci_index(odd.descriptor(odd.OCI_INDEX, inner), mediaType=odd.OCI_INDEX)
top = odd.named("odd.example/oci/nested:1", manifest=outer, media_type=odd.OCI_INDEX)
archive = odd.oci_archive(odd.oci_index(top), *odd.BLOBS, arm_config, arm, inner, outer)
open(sys.argv[1], "wb").write(archive)' "$1"
}

platforms_of_nested_indexes_are_listed_and_tagged() {
  python3 "$here/../support/archives.py" odd odd
  make_nested nested.tar
  expect 0 'imported' "$IMAGEFS" import --store nested nested.tar odd/oci-platforms.tar
  expect 0 'oci/nested:1 +sha256:[0-9a-f]+ +linux/amd64,linux/arm64 .*oci/platforms:1 +sha256:[0-9a-f]+ +linux/amd64,linux/arm64 ' \
    "$IMAGEFS" ls --store nested
  expect 0 '"platforms":\["linux/amd64","linux/arm64"\].*"platforms":\["linux/amd64","linux/arm64"\]' \
    "$IMAGEFS" ls --store nested --json
  local child
  child=$(python3 -c 'import json, sys
for image in json.loads(sys.argv[1]):
    index = json.load(open("nested/blobs/sha256/" + image["digest"][7:]))
print(index["manifests"][1]["digest"])' "$out")
  expect 0 'tagged docker.io/odd/child:1' "$IMAGEFS" tag --store nested "$child" odd/child:1
  expect 0 "odd/child:1 +$child +linux/arm64" "$IMAGEFS" ls --store nested
  expect 1 'there is no such image' "$IMAGEFS" tag --store nested "$other" odd/child:2
  local index
  index=$("$IMAGEFS" ls --store nested | awk '/oci.nested:1/ { print $2 }')
  rm -f "nested/blobs/sha256/${index#sha256:}"
  expect 0 "oci/nested:1: the document $index is not in the store" "$IMAGEFS" ls --store nested
}

a_referrer_goes_with_its_subject() {
  expect 0 'imported <none>' "$IMAGEFS" import --store referred odd/oci-referrer.tar
  expect 0 'removed 0 images' "$IMAGEFS" gc --store referred --older-than 0
  expect 0 'removed' "$IMAGEFS" rm --store referred odd.example/oci/referred:1
  expect 0 'removed 1 image,' "$IMAGEFS" gc --store referred --older-than 0
}

an_image_without_its_manifest_is_named() {
  "$IMAGEFS" import --store broken image.tar >out
  local digest
  digest=$(awk '{ print $3 }' out)
  rm -f "broken/blobs/sha256/${digest#sha256:}"
  expect 1 "imagefs: the image docker.io/odd/image:1 \($digest\): its manifest is missing: .*imagefs rm docker" \
    "$IMAGEFS" gc --store broken --older-than 0
  expect 0 'removed' "$IMAGEFS" rm --store broken odd/image:1
  expect 0 'removed 0 images' "$IMAGEFS" gc --store broken --older-than 0
}

an_output_that_cannot_be_written_is_a_failure() {
  local status=0
  "$IMAGEFS" ls --store store >/dev/full 2>err || status=$?
  ((status == 1)) && grep -q 'standard output' err || fail "ls > /dev/full: $status $(<err)"
}

the_man_page_has_every_option_of_help() {
  local command option page
  page=$(sed 's/\\//g; s/f[BIR]//g' "$here/../../fs/commands/imagefs.1")
  for command in mount import ls rm tag gc verify status; do
    for option in $("$IMAGEFS" "$command" --help | grep -oE '^  -[^ ]+' | tr ',' ' '); do
      [[ $page == *"$option"* ]] || fail "imagefs.1 lacks $option of $command"
    done
    [[ $page == *"imagefs $command"* ]] || fail "imagefs.1 lacks $command"
  done
}

a_wrong_command_line_is_2
a_failure_is_1_and_says_what_and_why
a_mistyped_store_is_not_made
an_image_is_imported_listed_tagged_and_removed
a_name_with_a_digest_is_the_image_of_that_digest
a_new_name_fits_its_image
a_layout_directory_is_imported
json_is_one_document
standard_input_and_a_name_of_ones_own
one_refused_file_keeps_no_other_out
damage_is_found_once_it_is_there
a_cached_layer_that_is_something_else_is_found_and_removed
garbage_is_collected
platforms_of_nested_indexes_are_listed_and_tagged
a_referrer_goes_with_its_subject
an_image_without_its_manifest_is_named
an_output_that_cannot_be_written_is_a_failure
the_man_page_has_every_option_of_help
