"""OCI archives, and those of Docker 25 and later that are both, that must be imported."""

import tarball
from images import BASE, CONTAINERD_NAME, OCI_INDEX, OCI_LAYOUT, OCI_MANIFEST, REF_NAME, TOP
from images import blob, blob_name, config, descriptor, docker_manifest, layer
from images import oci_archive, oci_index, oci_manifest
from odd_archives import ARCHIVES, archive
from tarball import directory, file

CONFIG = config((BASE, TOP))
MANIFEST = oci_manifest(CONFIG, (BASE, TOP))
BLOBS = (BASE, TOP, CONFIG, MANIFEST)


def named(name, key=REF_NAME, manifest=MANIFEST, media_type=OCI_MANIFEST, **members):
    return descriptor(media_type, manifest, annotations={key: name}, **members)


def distinct(text):
    """An image of its own: (manifest, all its blobs)."""
    only = layer(text)
    own = config((only,))
    manifest = oci_manifest(own, (only,))
    return manifest, (only, own, manifest)


@archive
def oci_flat():
    return oci_archive(oci_index(named("odd.example/oci/flat:1")), *BLOBS)


@archive
def oci_blobs_first():
    index = file("index.json", oci_index(named("odd.example/oci/blobs-first:1")))
    return b"".join(map(blob, BLOBS)) + index + OCI_LAYOUT + tarball.END


@archive
def oci_containerd_name():
    names = {CONTAINERD_NAME: "odd.example/oci/ctr:1", REF_NAME: "1"}
    both = descriptor(OCI_MANIFEST, MANIFEST, annotations=names)
    return oci_archive(oci_index(both), *BLOBS)


@archive
def oci_bare_tag():
    return oci_archive(oci_index(named("1.36")), *BLOBS)


def bare_tag_in_a_file_that_is_no_name():
    manifest, blobs = distinct("no-name")
    return oci_archive(oci_index(named("latest", manifest=manifest)), *blobs)


ARCHIVES["OCI_Upper"] = bare_tag_in_a_file_that_is_no_name


@archive
def oci_untagged():
    manifest, blobs = distinct("oci-untagged")
    return oci_archive(oci_index(descriptor(OCI_MANIFEST, manifest)), *blobs)


@archive
def oci_common_directory():
    members = {blob_name(x): x for x in BLOBS}
    members["oci-layout"] = b'{"imageLayoutVersion":"1.0.0"}'
    members["index.json"] = oci_index(named("odd.example/oci/common:1"))
    entries = b"".join(file("layout/" + n, x) for n, x in members.items())
    return directory("layout") + entries + tarball.END


def platform(architecture):
    return {"os": "linux", "architecture": architecture}


@archive
def oci_platforms():
    arm_config = config((BASE,), architecture="arm64")
    arm = oci_manifest(arm_config, (BASE,))
    inner = oci_index(
        descriptor(OCI_MANIFEST, MANIFEST, platform=platform("amd64")),
        descriptor(OCI_MANIFEST, arm, platform=platform("arm64")),
        mediaType=OCI_INDEX,
    )
    outer = named("odd.example/oci/platforms:1", manifest=inner, media_type=OCI_INDEX)
    return oci_archive(oci_index(outer), *BLOBS, arm_config, arm, inner)


@archive
def oci_absent_platform():
    absent = descriptor(OCI_MANIFEST, b"not in the archive", platform=platform("s390x"))
    here = descriptor(OCI_MANIFEST, MANIFEST, platform=platform("amd64"))
    inner = oci_index(absent, here, mediaType=OCI_INDEX)
    outer = named("odd.example/oci/absent:1", manifest=inner, media_type=OCI_INDEX)
    return oci_archive(oci_index(outer), *BLOBS, inner)


@archive
def oci_nested_three_deep():
    inner, media_type, blobs = MANIFEST, OCI_MANIFEST, list(BLOBS)
    for _ in range(3):
        inner = oci_index(
            descriptor(media_type, inner, platform=platform("amd64")), mediaType=OCI_INDEX
        )
        media_type = OCI_INDEX
        blobs.append(inner)
    outer = named("odd.example/oci/nested:1", manifest=inner, media_type=OCI_INDEX)
    return oci_archive(oci_index(outer), *blobs)


@archive
def oci_names_that_are_no_digests():
    junk = b"".join(
        file("blobs/" + n, b"junk")
        for n in ("sha256/" + "A" * 64, "sha256/" + "a" * 63, "sha256/" + "a" * 65, "md5/x")
    )
    return oci_archive(oci_index(named("odd.example/oci/junk:1")), *BLOBS, after=junk)


def hybrid(name, docker_layers):
    docker = docker_manifest((blob_name(CONFIG), [name], docker_layers))
    index = oci_index(named("docker.io/" + name, CONTAINERD_NAME))
    return oci_archive(index, *BLOBS, after=file("manifest.json", docker))


@archive
def docker_25():
    return hybrid("odd/docker-25:1", [blob_name(BASE), blob_name(TOP)])


@archive
def docker_25_0_0():
    hollow = oci_manifest(CONFIG, ())
    layers = [blob_name(BASE), blob_name(TOP)]
    docker = docker_manifest((blob_name(CONFIG), ["odd/docker-25-0-0:1"], layers))
    index = oci_index(named("docker.io/odd/docker-25-0-0:1", CONTAINERD_NAME, hollow))
    after = file("manifest.json", docker)
    return oci_archive(index, BASE, TOP, CONFIG, hollow, after=after)
