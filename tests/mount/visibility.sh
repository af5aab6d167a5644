#!/bin/bash
# What an import, or another tool, has done to the store shows in the mount: also to those who had
# listed the directory before, or had looked the name up in vain. Who works in an old image stays in
# it.
source "$(dirname "$0")/lib.sh"
require skopeo

for i in 1 2 3 4; do make_image "odd/v:$i" 1 "$work/v$i.tar"; done
start_mount
images=$mnt/images/docker.io/odd

# Each way to import takes an archive that holds odd/v:N.
by_cp() { copy_in "$1"; }
by_command() { timeout 60 "$IMAGEFS" import --store "$store" "$1" > /dev/null || fail "import"; }
by_skopeo() {
  local name
  name=$(tar xOf "$1" manifest.json | grep -o 'odd/v:[0-9]')
  timeout 60 skopeo copy -q "docker-archive:$1" "oci:$store:docker.io/$name" || fail "skopeo"
}

# cp has its verdict when the image is there; the daemon hears of others' changes a moment later.
shows() { if [[ $1 == by_cp ]]; then shift; "$@"; else shift; wait_until 10 "$@"; fi; }
lists() { find "$1" -mindepth 1 -maxdepth 1 -printf "%f\n" | grep -Fxq "$2"; }

for way in by_cp by_command by_skopeo; do
  note "$way: to who had looked the names up in vain"
  for path in "$images/v:1" "$mnt/images/v:1" "$mnt/images/odd/v:1"; do
    [[ ! -e $path ]] || fail "$path is there too early"
  done
  "$way" "$work/v1.tar"
  shows "$way" test -e "$images/v:1/manifest.json" || fail "no v:1"
  [[ -e $mnt/images/odd/v:1/manifest.json ]] || fail "no odd/v:1"

  note "$way: to who had listed the directory, also one that stays open"
  expect_eq "v:1" "$(ls "$images")" "the listing before"
  exec 8< "$images"
  "$way" "$work/v2.tar"
  shows "$way" lists "$images" v:2 || fail "v:2 is not listed"
  lists /proc/self/fd/8/ v:2 || fail "v:2 is not listed through the open directory"
  exec 8<&-

  note "$way: to who never looked"
  "$way" "$work/v3.tar"
  shows "$way" test -e "$images/v:3/config.json" || fail "no v:3"

  note "$way: index.json, blobs/ and status.json"
  digest=$(sha256sum < "$images/v:3/manifest.json" | cut -c 1-64)
  grep -q "$digest" "$mnt/index.json" || fail "index.json does not know the image"
  cmp "$store/index.json" "$mnt/index.json"
  [[ -e $mnt/blobs/sha256/$digest ]] || fail "no blob of the manifest"

  note "$way: a name that is taken away"
  timeout 60 "$IMAGEFS" rm --store "$store" docker.io/odd/v:1 docker.io/odd/v:2 docker.io/odd/v:3 > /dev/null
  wait_until 10 test ! -e "$images/v:1"
  ! lists "$mnt/images" docker.io || fail "an empty directory is left"
  for path in "$mnt/images/docker.io" "$images" "$mnt/images/odd"; do
    said=$(stat "$path" 2>&1) && fail "$path is still there"
    [[ $said == *"No such file"* ]] || fail "$said"
    ! ls "$path" > /dev/null 2>&1 || fail "$path can be listed"
  done
done

note "a name that moves or goes does so at once, also in a second mount, for who used it before"
second=$work/second
MNT=$second start_mount
image_of() {  # image_of MOUNT: what the name leads to, used by a path as long as programs have them
  sed 's/.*"config":{[^}]*"sha256:\([0-9a-f]*\)".*/\1/' "$1/images/docker.io/odd/moves:1/manifest.json" 2> /dev/null
}
for i in 1 2 3; do
  make_image odd/moves:1 "$i" "$work/moves$i.tar"
done
wanted() { tar xOf "$work/moves$1.tar" manifest.json | sed 's/.*"Config":"\([0-9a-f]*\).*/\1/'; }
for ((round = 0; round < 8; ++round)); do
  for i in 1 2 3; do
    "by_$( ((round % 2)) && echo command || echo cp)" "$work/moves$i.tar"
    for where in "$mnt" "$second"; do
      expect_eq "$(wanted "$i")" "$(image_of "$where")" "the image of odd/moves:1 in round $round"
    done
  done
  timeout 60 "$IMAGEFS" rm --store "$store" odd/moves:1 > /dev/null
  for where in "$mnt" "$second"; do
    expect_eq "" "$(image_of "$where")" "the image of odd/moves:1 that was removed in round $round"
  done
done
MNT=$second stop_mount

note "a document that was not in the store, and came with the next import"
by_cp "$work/v1.tar"
config=$images/v:1/config.json
rm -f "$store/blobs/sha256/$(sha256sum < "$config" | cut -c 1-64)"
stop_mount
start_mount
[[ ! -e $config ]] || fail "the config is there without its blob"
by_cp "$work/v1.tar"
[[ -s $config ]] || fail "the config is not there after an import"
timeout 60 "$IMAGEFS" rm --store "$store" docker.io/odd/v:1 > /dev/null

note "a platform that comes later, for who had listed those that were there"
python3 - "$support" "$work" << 'PYTHON'
import sys
sys.path.insert(0, sys.argv[1])
from images import OCI_INDEX, OCI_MANIFEST, BASE, config, descriptor
from images import oci_archive, oci_index, oci_manifest
from odd_oci_archives import named, platform
configs = {x: config((BASE,), architecture=x) for x in ("amd64", "arm64", "s390x")}
manifests = {x: oci_manifest(y, (BASE,)) for x, y in configs.items()}
inner = oci_index(*(descriptor(OCI_MANIFEST, y, platform=platform(x)) for x, y in manifests.items()),
                  mediaType=OCI_INDEX)
outer = named("docker.io/odd/platforms:1", manifest=inner, media_type=OCI_INDEX)
for each in configs:
    archive = oci_archive(oci_index(outer), BASE, configs[each], manifests[each], inner)
    open(f"{sys.argv[2]}/{each}.tar", "wb").write(archive)
PYTHON
expected=
for architecture in amd64 arm64 s390x; do
  by_cp "$work/$architecture.tar"
  expected+=${expected:+ }linux-$architecture
  expect_eq "$expected" "$(echo $(ls "$images/platforms:1/platforms"))" "the platforms"
done
timeout 60 "$IMAGEFS" rm --store "$store" docker.io/odd/platforms:1 > /dev/null

note "who works in the old image of a name stays there"
by_cp "$work/v4.tar"
old=$(cat "$images/v:4/manifest.json")
cd "$images/v:4"
exec 7< manifest.json
python3 - "$support" "$work/v4-new.tar" << 'PYTHON'
import sys
sys.path.insert(0, sys.argv[1])
import images
open(sys.argv[2], "wb").write(images.Docker("odd/v:4").archive())
PYTHON
by_cp "$work/v4-new.tar"
new=$(cat "$images/v:4/manifest.json")
[[ $old != "$new" ]] || fail "the name still leads to the old image"
expect_eq "$old" "$(cat manifest.json)" "in the old working directory"
expect_eq "$old" "$(cat <&7)" "through the descriptor that was open"
cd -P ..
cd v:4
expect_eq "$new" "$(cat manifest.json)" "after cd .., cd v:4"
cd /
stop_mount
