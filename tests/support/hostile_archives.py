"""Docker archives that must be refused, each named for its row in the list of hostile inputs."""

import json

import tarball
from images import BASE, TOP, Docker, compact, config, docker_manifest, layer, sha256
from tarball import device, directory, file, hardlink, symlink

ARCHIVES = {}


def hostile(row, name, errno_names, reason, build):
    """`reason`: an extended regular expression for the sentence that says why."""
    ARCHIVES[f"{row:02}-{name}"] = (errno_names, reason, build)


def with_layers(*names, before=b""):
    """An archive whose manifest has these layer names, and `before` for entries."""
    image = Docker("hostile:1", layers=(BASE,) * len(names))
    manifest = docker_manifest((image.config_name, image.names, names))
    return image.archive(before=before, manifest=manifest)


def with_manifest(data):
    return lambda: Docker("hostile:1").archive(manifest=data)


def with_names(*names):
    return lambda: Docker(*names).archive()


def with_config(data):
    return lambda: Docker("hostile:1", config_bytes=data).archive()


# 2: what manifest.json names is a key, never a path.
hostile(2, "layer-upward", "EINVAL", "passwd", lambda: with_layers("../../../etc/passwd"))
hostile(2, "layer-absolute", "EINVAL", "/etc/passwd", lambda: with_layers("/etc/passwd"))

# 3: control files are regular files.
for kind, entry in {
    "symlink": symlink("manifest.json", "other.json"),
    "hardlink": hardlink("manifest.json", "other.json"),
    "directory": directory("manifest.json"),
    "device": device("manifest.json"),
}.items():
    hostile(
        3,
        f"manifest-is-a-{kind}",
        "EINVAL",
        "manifest.json.*regular file",
        lambda entry=entry: b"".join(
            [
                Docker("hostile:1").layer_entries(),
                Docker("hostile:1").config_entry(),
                file("other.json", Docker("hostile:1").manifest()),
                entry,
                tarball.END,
            ]
        ),
    )

# 5: symlinks lead to an entry of the archive in eight hops.
hostile(
    5,
    "symlink-cycle",
    "EINVAL",
    "\"a\".* more than 8 ",
    lambda: with_layers("a", before=symlink("a", "b") + symlink("b", "a")),
)
hostile(
    5,
    "symlink-chain",
    "EINVAL",
    "\"l999\".* more than 8 ",
    lambda: with_layers(
        "l999",
        before=file("l0", BASE)
        + b"".join(symlink(f"l{i}", f"l{i - 1}") for i in range(1, 1000)),
    ),
)
hostile(
    5,
    "symlink-outside",
    "EINVAL",
    "\"a\".*symlink.*outside",
    lambda: with_layers("a", before=symlink("a", "../../etc/passwd")),
)
hostile(
    5,
    "symlink-dangling",
    "EINVAL",
    "\"a\".*symlink to \"nowhere\"",
    lambda: with_layers("a", before=symlink("a", "nowhere")),
)
hostile(
    5,
    "symlink-dangling-layer-tar",
    "EINVAL",
    "x/layer.tar",
    lambda: Docker("hostile:1").archive(before=symlink("x/layer.tar", "../y/layer.tar")),
)

# 9: one name, two contents.
hostile(
    9,
    "two-manifests",
    "EINVAL",
    "(twice|two different).*manifest.json|manifest.json.*twice",
    lambda: Docker("hostile:1").archive(before=file("manifest.json", Docker("other:1").manifest())),
)
hostile(
    9,
    "two-layers",
    "EINVAL",
    "twice|two different",
    lambda: Docker("hostile:1").archive(before=file(sha256(BASE) + ".tar", TOP)),
)
hostile(
    9,
    "two-layers-good-one-first",
    "EINVAL",
    "twice|two different",
    lambda: Docker("hostile:1").archive(after=file(sha256(BASE) + ".tar", TOP)),
)

# 10: a common directory is above everything or it is none.
hostile(
    10,
    "two-candidates",
    "EINVAL",
    "\"x/.*\"y/",
    lambda: b"".join(file(f"{d}/manifest.json", Docker("hostile:1").manifest()) for d in "xy")
    + tarball.END,
)

# 20: what the manifest refers to is there.
hostile(
    20,
    "layer-missing",
    "EINVAL",
    "missing.tar",
    lambda: with_layers("missing.tar"),
)
hostile(
    20,
    "config-missing",
    "EINVAL",
    "missing.json",
    with_manifest(docker_manifest(("missing.json", ["hostile:1"], []))),
)

# 21: diff IDs are as many as layers and theirs.
hostile(21, "diff-ids-too-few", "EBADMSG|EINVAL", "diff.?ID", with_config(config((BASE,))))
hostile(
    21, "diff-ids-too-many", "EBADMSG|EINVAL", "diff.?ID", with_config(config((BASE, TOP, BASE)))
)
hostile(21, "diff-id-of-another-layer", "EBADMSG", "diff.?ID", with_config(config((BASE, BASE))))
hostile(21, "diff-ids-swapped", "EBADMSG", "diff.?ID", with_config(config((TOP, BASE))))

# 23: over the limit of layers.
hostile(
    23,
    "layers-over-the-limit",
    "EFBIG",
    "layers",
    lambda: Docker("hostile:1", layers=(BASE,) * 513).archive(),
)
hostile(
    23,
    "ten-thousand-layers",
    "EFBIG",
    "layers",
    lambda: Docker("hostile:1", layers=(BASE,) * 10_000).archive(),
)

# 25: one key, one meaning.
GOOD = Docker("hostile:1").manifest()[2:-2]
for name, data in {
    "key-twice": b"[{" + GOOD + b',"Config":"x"}]',
    "key-in-another-case": b"[{" + GOOD + b',"config":"x"}]',
    "only-another-case": b"[{" + GOOD.replace(b'"Layers"', b'"layers"') + b"}]",
}.items():
    hostile(25, f"manifest-{name}", "EINVAL", "Config|config|layers|Layers", with_manifest(data))
hostile(
    25,
    "config-key-twice",
    "EINVAL",
    "rootfs|architecture",
    with_config(config((BASE, TOP))[:-1] + b',"rootfs":{}}'),
)

# 26: manifest.json is one JSON array of images.
DEEP = 100_000
for name, data in {
    "empty-array": b"[]",
    "null-image": b"[null]",
    "object": b"{}",
    "null": b"null",
    "empty": b"",
    "spaces": b" " * (20 << 20),
    "nested": b"[" * DEEP + b"]" * DEEP,
    "byte-order-mark": b"\xef\xbb\xbf[{" + GOOD + b"}]",
    "trailing-garbage": b"[{" + GOOD + b"}] x",
    "two-values": b"[{" + GOOD + b"}][]",
    "invalid-utf-8": b'[{"Config":"\xff\xfe",' + GOOD + b"}]",
    "lone-surrogate": b'[{"Parent":"\\ud800",' + GOOD + b"}]",
    "cut": b"[{" + GOOD,
    "layers-is-a-string": compact([{"Config": "c.json", "RepoTags": [], "Layers": "l.tar"}]),
    "config-is-a-number": compact([{"Config": 1, "RepoTags": [], "Layers": []}]),
    "no-config": compact([{"RepoTags": [], "Layers": []}]),
}.items():
    hostile(26, f"manifest-{name}", "EINVAL", "manifest.json", with_manifest(data))
hostile(26, "manifest-too-big", "EFBIG", "manifest.json", with_manifest(b" " * ((20 << 20) + 1)))
hostile(26, "config-no-json", "EINVAL", "config|[0-9a-f]{64}.json", with_config(b"#!/bin/sh\n"))
hostile(
    26, "config-too-big", "EFBIG", "config|[0-9a-f]{64}.json", with_config(b" " * ((8 << 20) + 1))
)

# 28: names.
for name, bad in {
    "empty": "",
    "none-none": "<none>:<none>",
    "upper-case": "UPPER:1",
    "upward": "../../etc:1",
    "no-repository": ":1",
    "64-hex": "a" * 64,
}.items():
    hostile(28, f"name-{name}", "EINVAL", f"{bad or 'name'}|name", with_names("good:1", bad))

# 29: one name, one image.
hostile(
    29,
    "two-images-one-name",
    "EINVAL",
    "hostile:1",
    lambda: Docker("hostile:1").archive(
        after=Docker("hostile:1", layers=(BASE,)).config_entry(),
        manifest=compact(
            json.loads(Docker("hostile:1").manifest())
            + json.loads(Docker("hostile:1", layers=(BASE,)).manifest())
        ),
    ),
)

# A layer that is no tar.
hostile(
    37,
    "layer-is-no-tar",
    "EINVAL|EBADMSG",
    "tar",
    lambda: Docker("hostile:1", layers=(b"\xff\xd8\xff\xe0" + b"JFIF" * 500,)).archive(),
)
hostile(
    37,
    "layer-in-lz4",
    "EINVAL",
    "lz4",
    lambda: Docker("hostile:1", layers=(b"\x04\x22\x4d\x18" + b"LZ4F" * 500,)).archive(),
)
hostile(
    37,
    "layer-is-cut",
    "EINVAL|EBADMSG",
    "layer",
    lambda: Docker("hostile:1", layers=(layer("a")[:512],)).archive(),
)
