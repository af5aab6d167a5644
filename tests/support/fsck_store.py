#!/usr/bin/env python3
"""Checks a store from the outside: fsck_store.py [--unreferenced] DIRECTORY

Every blob hashes to its name; index.json is whole; what it refers to is there (of an index, at
least one platform); nothing else is in the directory: no intent, no temporary file, and no blob
that nothing refers to, unless --unreferenced allows it. Prints "<digest> <name or ->" for each
image, sorted. Exit status 1 and a line on stderr for each thing that is wrong.
"""

import hashlib
import json
import pathlib
import re
import stat
import sys

KNOWN = {"oci-layout", "index.json", "blobs", "lock", "cache"}
NAME = "io.containerd.image.name"


class Check:
    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.wrong = []
        self.referenced = set()

    def complain(self, text):
        self.wrong.append(text)

    def blob(self, digest):
        return self.directory / "blobs" / digest.replace(":", "/")

    def top(self):
        for entry in self.directory.iterdir():
            if entry.name not in KNOWN:
                self.complain(f"{entry.name} does not belong into a store")
        layout = json.loads((self.directory / "oci-layout").read_text())
        if layout != {"imageLayoutVersion": "1.0.0"}:
            self.complain(f"oci-layout says {layout}")
        if [e.name for e in (self.directory / "blobs").iterdir()] != ["sha256"]:
            self.complain("blobs/ holds more than sha256/")

    def blobs(self):
        """The digests of all blobs, each checked."""
        found = set()
        for path in (self.directory / "blobs/sha256").iterdir():
            if not re.fullmatch("[0-9a-f]{64}", path.name):
                self.complain(f"blobs/sha256/{path.name} is no blob")
                continue
            with path.open("rb") as stream:
                actual = hashlib.file_digest(stream, "sha256").hexdigest()
            if actual != path.name:
                self.complain(f"blob {path.name} hashes to {actual}")
            if path.stat().st_mode != stat.S_IFREG | 0o444:
                self.complain(f"blob {path.name} has mode {path.stat().st_mode:o}")
            found.add("sha256:" + path.name)
        return found

    def refer(self, descriptor):
        """Follows a descriptor; whether it and what it refers to is there."""
        digest = descriptor["digest"]
        self.referenced.add(digest)
        path = self.blob(digest)
        if not path.exists():
            return False
        if path.stat().st_size != descriptor["size"]:
            self.complain(f"{digest} has {path.stat().st_size} bytes, not {descriptor['size']}")
        if not re.search("manifest|index", descriptor["mediaType"]):
            return True
        document = json.loads(path.read_bytes())
        if "manifests" in document:
            return any([self.refer(d) for d in document["manifests"]])
        parts = [document["config"], *document["layers"]]
        missing = [d["digest"] for d in parts if not self.refer(d)]
        for absent in missing:
            self.complain(f"{digest} refers to {absent}, which is not there")
        return True

    def images(self):
        """The lines for the images of index.json, each checked."""
        lines = []
        for descriptor in json.loads((self.directory / "index.json").read_bytes())["manifests"]:
            if not self.refer(descriptor):
                self.complain(f"nothing is there of the image {descriptor['digest']}")
            name = descriptor.get("annotations", {}).get(NAME, "-")
            lines.append(f"{descriptor['digest']} {name}")
        named = [line.split()[1] for line in lines if not line.endswith(" -")]
        if len(named) != len(set(named)):
            self.complain("two images have one name")
        return sorted(lines)


def main():
    unreferenced = sys.argv[1] == "--unreferenced"
    check = Check(sys.argv[-1])
    check.top()
    lines = check.images()
    blobs = check.blobs()
    if not unreferenced:
        for digest in sorted(blobs - check.referenced):
            check.complain(f"nothing refers to the blob {digest}")
    print("\n".join(lines))
    for text in check.wrong:
        print(f"fsck_store: {text}", file=sys.stderr)
    sys.exit(1 if check.wrong else 0)


if __name__ == "__main__":
    main()
