"""What registries and builders keep beside images, and layers with tables of contents, as OCI archives."""

import struct

from images import OCI_INDEX, OCI_LAYER, OCI_MANIFEST
from images import compact, config, descriptor, layer, oci_archive, oci_index, oci_manifest, sha256
from odd_archives import archive
from odd_oci_archives import BLOBS, MANIFEST, named, platform
from tarball import END, file, gzip, zstd, zstd_skippable

EMPTY = b"{}"


def artifact(kind, content, **members):
    """A manifest whose config is no image's: (manifest, its blobs)."""
    manifest = oci_manifest(
        EMPTY,
        (),
        artifactType=kind,
        config=descriptor("application/vnd.oci.empty.v1+json", EMPTY),
        layers=[descriptor(kind, content)],
        **members,
    )
    return manifest, (EMPTY, content, manifest)


@archive
def oci_artifact():
    manifest, blobs = artifact("application/vnd.odd.chart", b"no tar\n")
    return oci_archive(oci_index(named("odd.example/oci/artifact:1", manifest=manifest)), *blobs)


@archive
def oci_referrer():
    subject = descriptor(OCI_MANIFEST, MANIFEST)
    manifest, blobs = artifact("application/vnd.odd.sbom", b'{"sbom":1}', subject=subject)
    index = oci_index(named("odd.example/oci/referred:1"), descriptor(OCI_MANIFEST, manifest))
    return oci_archive(index, *BLOBS, *blobs)


@archive
def oci_attestation():
    """As buildx: a manifest for no platform, of statements about the image beside it."""
    statement = b'{"_type":"https://in-toto.io/Statement/v0.1"}'
    own = config((statement,), architecture="unknown", os="unknown", config=None)
    about = oci_manifest(own, (), layers=[descriptor("application/vnd.in-toto+json", statement)])
    inner = oci_index(
        descriptor(OCI_MANIFEST, MANIFEST, platform=platform("amd64")),
        descriptor(
            OCI_MANIFEST,
            about,
            annotations={
                "vnd.docker.reference.digest": "sha256:" + sha256(MANIFEST),
                "vnd.docker.reference.type": "attestation-manifest",
            },
            platform={"architecture": "unknown", "os": "unknown"},
        ),
        mediaType=OCI_INDEX,
    )
    outer = named("odd.example/oci/attested:1", manifest=inner, media_type=OCI_INDEX)
    return oci_archive(oci_index(outer), *BLOBS, statement, own, about, inner)


@archive
def oci_cosign():
    """A signature is an image to its config, and no tar."""
    payload = compact({"critical": {"image": {"docker-manifest-digest": sha256(MANIFEST)}}})
    own = config((payload,), architecture="", os="")
    kind = "application/vnd.dev.cosign.simplesigning.v1+json"
    signature = oci_manifest(own, (), layers=[descriptor(kind, payload)])
    tag = f"odd.example/oci/signed:sha256-{sha256(MANIFEST)}.sig"
    index = oci_index(named("odd.example/oci/signed:1"), named(tag, manifest=signature))
    return oci_archive(index, *BLOBS, payload, own, signature)


def with_layer(name, stored, suffix, tar, **annotations):
    """An image of one compressed layer."""
    own = config((tar,))
    layers = [descriptor(OCI_LAYER + suffix, stored, annotations=annotations)]
    manifest = oci_manifest(own, (), layers=layers)
    return oci_archive(oci_index(named(name, manifest=manifest)), stored, own, manifest)


@archive
def oci_estargz():
    """A gzip member for each entry, one for the table, and one that is empty and says where that is."""
    entry = file("etc/base", b"content\n")
    toc = b'{"version":1,"entries":[]}'
    table = file("stargz.index.json", toc) + END
    extra = b"SG" + struct.pack("<H", 22) + b"%016xSTARGZ" % len(gzip(entry))
    footer = b"\x1f\x8b\x08\x04" + bytes(5) + b"\xff" + struct.pack("<H", len(extra)) + extra
    footer += b"\x01\0\0\xff\xff" + bytes(8)
    stored = gzip(entry) + gzip(table) + footer
    digest = {"containerd.io/snapshot/stargz/toc.digest": "sha256:" + sha256(toc)}
    return with_layer("odd.example/oci/estargz:1", stored, "+gzip", entry + table, **digest)


@archive
def oci_zstd_chunked():
    toc = zstd(b'{"version":1,"entries":[]}')
    tar = layer("etc/chunked")
    position = f"{len(zstd(tar)) + 8}:{len(toc)}:26:1"
    stored = zstd(tar) + zstd_skippable(toc) + zstd_skippable(bytes(56) + b"GNUlInUx")
    where = {"io.github.containers.zstd-chunked.manifest-position": position}
    return with_layer("odd.example/oci/chunked:1", stored, "+zstd", tar, **where)
