#!/bin/bash
# Archives as old, new and other tools write them: each is imported, with the names and the exact
# manifest bytes that odd_archives.tsv has (archive, name or "-", digest, manifest or its digest).
source "$(dirname "$0")/lib.sh"

archives odd
start_mount -o platform=linux/amd64

expected=$work/expected
while IFS=$'\t' read -r archive name digest manifest; do
  [[ -e $work/done.$archive ]] || copy_in "$work/odd/$archive.tar"
  touch "$work/done.$archive"
  at=$name
  [[ $name != - ]] || at=$digest
  if [[ $manifest == sha256:* ]]; then
    expect_eq "$manifest" "sha256:$(manifest_of "$at" | sha256sum | cut -c 1-64)" "$archive: manifest"
  else
    expect_eq "$manifest" "$(manifest_of "$at")" "$archive: manifest of $at"
  fi
  echo "$digest $name" >> "$expected"
done < "$here/odd_archives.tsv"

for file in "$work"/odd/*.tar; do
  archive=${file##*/}
  [[ -e $work/done.${archive%.tar} ]] || fail "$archive is not in odd_archives.tsv"
done
expect_eq "$(sort "$expected")" "$(fsck_store)" "the images of the store"

note "the same again adds no byte"
before=$(cd "$store/blobs/sha256" && stat -c '%n %i %s' -- *)
for file in "$work"/odd/*.tar; do copy_in "$file"; done
expect_eq "$before" "$(cd "$store/blobs/sha256" && stat -c '%n %i %s' -- *)" "the blobs"
expect_eq "$(sort "$expected")" "$(fsck_store)" "the images of the store"
stop_mount
