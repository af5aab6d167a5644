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
make_image() { python3 "$here/../support/archives.py" image "$1" 1 "$2"; }

a_wrong_command_line_is_2() {
  expect 2 'a command' "$IMAGEFS"
  expect 2 'lss' "$IMAGEFS" lss
  expect 2 '--bogus' imagefs ls --bogus
  expect 2 'MOUNTPOINT' imagefs mount
  expect 2 'bogus' imagefs mount -o ro,bogus "$work"
  expect 2 '--older-than' imagefs gc --older-than soon
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

an_image_is_imported_listed_tagged_and_removed() {
  make_image odd/image:1 image.tar
  expect 0 '^imported docker.io/odd/image:1 sha256:[0-9a-f]{64}$' imagefs import image.tar
  local digest=${out##* }
  expect 0 "odd/image:1 +$digest +linux/amd64 +[0-9.]+ MiB +20[-0-9]+T[:0-9]+Z$" imagefs ls
  expect 0 'docker.io/odd/more:latest' imagefs tag odd/image:1 odd/more
  expect 0 'removed' imagefs rm odd/image:1
  expect 1 'odd/image:1: there is no such image' imagefs rm odd/image:1
  expect 0 "odd/more:latest +$digest" imagefs ls
  [[ $out != *odd/image:1* ]] || fail "a removed name is listed"
  expect 0 'images +1' imagefs status
}

a_layout_directory_is_imported() {
  expect 0 '^imported docker.io/odd/more:latest sha256:[0-9a-f]{64}$' "$IMAGEFS" import --store copy store
  expect 0 'odd/more:latest' "$IMAGEFS" ls --store copy
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

garbage_is_collected() { expect 0 'removed [0-9]+ images?, [0-9]+ blobs?, ' imagefs gc --older-than 0; }

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
an_image_is_imported_listed_tagged_and_removed
a_layout_directory_is_imported
json_is_one_document
standard_input_and_a_name_of_ones_own
one_refused_file_keeps_no_other_out
damage_is_found_once_it_is_there
garbage_is_collected
an_output_that_cannot_be_written_is_a_failure
the_man_page_has_every_option_of_help
