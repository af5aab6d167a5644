"""OCI archives that must be refused."""

from hostile_archives import hostile
from images import BASE, OCI_INDEX, OCI_LAYER, OCI_LAYOUT, OCI_MANIFEST, REF_NAME, TOP
from images import blob, blob_name, compact, config, descriptor, oci_archive, oci_index
from images import oci_manifest, sha256
from tarball import END, device, directory, file, symlink

CONFIG = config((BASE, TOP))
MANIFEST = oci_manifest(CONFIG, (BASE, TOP))
BLOBS = (BASE, TOP, CONFIG, MANIFEST)
NAME = {REF_NAME: "hostile.example/x:1"}


def named(document, media_type=OCI_MANIFEST, **members):
    return descriptor(media_type, document, annotations=NAME) | members


def layout(document, *blobs, media_type=OCI_MANIFEST, **members):
    """An archive whose only image is `document`."""
    return oci_archive(oci_index(named(document, media_type, **members)), document, *blobs)


def with_layer(**members):
    """An archive whose manifest has this descriptor for its second layer."""
    layers = [descriptor(OCI_LAYER, BASE), descriptor(OCI_LAYER, TOP) | members]
    return layout(oci_manifest(CONFIG, (), layers=layers), BASE, TOP, CONFIG)


# 3: control files are regular files.
INDEX = oci_index(named(MANIFEST))
ENTRIES = b"".join(map(blob, BLOBS))
for control, rest in {
    "oci-layout": file("index.json", INDEX),
    "index.json": OCI_LAYOUT,
}.items():
    kinds = {"symlink": symlink(control, "x"), "directory": directory(control)}
    for kind, entry in (kinds | {"device": device(control)}).items():
        hostile(
            3,
            f"{control}-is-a-{kind}",
            "EINVAL",
            f"{control}.*regular file",
            lambda entry=entry, rest=rest: entry + rest + ENTRIES + END,
        )

# 9: one name, two contents.
hostile(
    9,
    "two-index-json",
    "EINVAL|EBADMSG",
    "index.json",
    lambda: oci_archive(INDEX, *BLOBS, after=file("index.json", oci_index(named(MANIFEST, x="y")))),
)

# 11: a blob is what its name says.
hostile(
    11,
    "blob-of-another-digest",
    "EBADMSG",
    sha256(TOP),
    lambda: oci_archive(INDEX, BASE, CONFIG, MANIFEST, after=file(blob_name(TOP), TOP[:-512])),
)

# 12, 14: digests are sha256:<64 hex digits>, lower case.
for row, name, digest in (
    (12, "upper-case", "sha256:" + "A" * 64),
    (12, "63-digits", "sha256:" + "a" * 63),
    (12, "65-digits", "sha256:" + "a" * 65),
    (12, "sha512", "sha512:" + "a" * 128),
    (12, "md5", "md5:" + "a" * 32),
    (14, "upward", "sha256:../../etc/passwd"),
    (14, "nul", "sha256:" + "a" * 63 + "\0"),
    (14, "slash", "sha256:" + "a" * 63 + "/"),
):
    hostile(
        row, f"digest-{name}", "EINVAL|EOPNOTSUPP", "digest", lambda d=digest: with_layer(digest=d)
    )

# 13: sizes.
for name, size, errno_names in (
    ("smaller", len(TOP) - 1, "EBADMSG"),
    ("larger", len(TOP) + 1, "EBADMSG"),
    ("negative", -1, "EINVAL"),
    ("fraction", 1e3 + 0.5, "EINVAL"),
    ("2-64", 1 << 64, "EINVAL"),
    ("text", "2048", "EINVAL"),
):
    hostile(13, f"size-{name}", errno_names, "size|bytes|number", lambda s=size: with_layer(size=s))

# 15, 16: a document is one thing.
hostile(
    15,
    "manifest-and-index",
    "EINVAL",
    "manifests",
    lambda: layout(oci_manifest(CONFIG, (BASE, TOP), manifests=[]), BASE, TOP, CONFIG),
)
hostile(
    15,
    "index-and-manifest",
    "EINVAL",
    "layers|config",
    lambda: layout(
        oci_index(descriptor(OCI_MANIFEST, MANIFEST), layers=[]), *BLOBS, media_type=OCI_INDEX
    ),
)
hostile(
    16,
    "media-type-disagrees",
    "EINVAL",
    "mediaType",
    lambda: layout(
        oci_manifest(CONFIG, (BASE, TOP), mediaType=OCI_INDEX), BASE, TOP, CONFIG
    ),
)


# 17: indexes of indexes.
def chain(depth):
    document, media_type, blobs = MANIFEST, OCI_MANIFEST, []
    for _ in range(depth):
        blobs.append(document)
        document = oci_index(descriptor(media_type, document), mediaType=OCI_INDEX)
        media_type = OCI_INDEX
    return layout(document, *blobs, BASE, TOP, CONFIG, media_type=OCI_INDEX)


def wide(children):
    many = [descriptor(OCI_MANIFEST, b"%d" % i) for i in range(children)]
    document = oci_index(descriptor(OCI_MANIFEST, MANIFEST), *many, mediaType=OCI_INDEX)
    return layout(document, *BLOBS, media_type=OCI_INDEX)


hostile(17, "chain-of-1000-indexes", "EFBIG", "index|nested|deep|depth|levels", lambda: chain(1000))
hostile(17, "index-of-10000-children", "EFBIG", "manifests|index", lambda: wide(10_000))


# 19, 20: what is absent.
def absent(*manifests):
    document = oci_index(*[descriptor(OCI_MANIFEST, m) for m in manifests], mediaType=OCI_INDEX)
    return oci_archive(oci_index(named(document, OCI_INDEX)), document)


for row, name, reason, build in (
    (19, "all-children-missing", "platform|manifest", lambda: absent(b"a", b"b")),
    (19, "manifest-missing", sha256(MANIFEST), lambda: oci_archive(INDEX, BASE, TOP, CONFIG)),
    (20, "blob-of-a-layer-missing", sha256(TOP), lambda: layout(MANIFEST, BASE, CONFIG)),
    (20, "blob-of-the-config-missing", sha256(CONFIG), lambda: layout(MANIFEST, BASE, TOP)),
):
    hostile(row, name, "ENODATA", reason, build)

# 21: diff IDs.
WRONG = config((TOP, BASE))
hostile(
    21,
    "layout-diff-ids-swapped",
    "EBADMSG",
    "diff.?ID",
    lambda: layout(oci_manifest(WRONG, (BASE, TOP)), BASE, TOP, WRONG),
)

# 23: over the limit of layers.
LONG = config((BASE,) * 513)
hostile(
    23,
    "layout-layers-over-the-limit",
    "EFBIG",
    "layers",
    lambda: layout(oci_manifest(LONG, (BASE,) * 513), BASE, LONG),
)

# 26: the layout's own files.
for name, data in {
    "cut": INDEX[:-2],
    "array": b"[]",
    "no-manifests": b'{"schemaVersion":2}',
    "schema-version-1": compact({"schemaVersion": 1, "manifests": [named(MANIFEST)]}),
    "key-twice": INDEX[:-1] + b',"manifests":[]}',
    "empty": oci_index(),
}.items():
    hostile(26, f"index-json-{name}", "EINVAL", "index.json", lambda d=data: oci_archive(d, *BLOBS))
hostile(
    26,
    "layout-version-2",
    "EINVAL|EOPNOTSUPP",
    "2.0.0|version|Version",
    lambda: oci_archive(
        INDEX, *BLOBS, layout=file("oci-layout", b'{"imageLayoutVersion":"2.0.0"}')
    ),
)
hostile(
    26,
    "layout-no-json",
    "EINVAL",
    "oci-layout",
    lambda: oci_archive(INDEX, *BLOBS, layout=file("oci-layout", b"1.0.0")),
)

# 29: one name, one image.
OTHER = oci_manifest(config((BASE,)), (BASE,))
hostile(
    29,
    "layout-two-images-one-name",
    "EINVAL",
    "hostile.example/x:1",
    lambda: oci_archive(
        oci_index(named(MANIFEST), named(OTHER)), *BLOBS, OTHER, config((BASE,))
    ),
)
