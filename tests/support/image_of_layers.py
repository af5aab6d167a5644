#!/usr/bin/env python3
"""Makes an image of layers: image_of_layers.py NAME DIRECTORY LAYER.tar…

Writes DIRECTORY/{plain,gzip,zstd}-{oci,docker}.tar, OCI and Docker archives of the image, its
layers as they are or compressed. It is called docker.io/odd/NAME-<compression>:1; the OCI layout
calls it 1 as well.
"""

import pathlib
import subprocess
import sys

from images import (
    CONTAINERD_NAME,
    OCI_LAYER,
    OCI_MANIFEST,
    REF_NAME,
    Docker,
    config,
    descriptor,
    oci_archive,
    oci_index,
    oci_manifest,
)

COMPRESSIONS = {"plain": None, "gzip": ["gzip", "-nc1"], "zstd": ["zstd", "-qc1"]}


def oci(name, image_config, layers, suffix):
    layer_descriptors = [descriptor(OCI_LAYER + suffix, x) for x in layers]
    manifest = oci_manifest(image_config, [], layers=layer_descriptors)
    annotations = {REF_NAME: "1", CONTAINERD_NAME: f"docker.io/{name}"}
    index = oci_index(descriptor(OCI_MANIFEST, manifest, annotations=annotations))
    return oci_archive(index, *layers, image_config, manifest)


def compressed(layer, command):
    return subprocess.run(command, input=layer, stdout=subprocess.PIPE, check=True).stdout


def main():
    name, directory = sys.argv[1], pathlib.Path(sys.argv[2])
    plain = [pathlib.Path(x).read_bytes() for x in sys.argv[3:]]
    image_config = config(plain)
    for compression, command in COMPRESSIONS.items():
        layers = [compressed(x, command) for x in plain] if command else plain
        suffix = "+" + compression if command else ""
        full_name = f"odd/{name}-{compression}:1"
        oci_bytes = oci(full_name, image_config, layers, suffix)
        docker_bytes = Docker(full_name, layers=layers, config_bytes=image_config).archive()
        (directory / f"{compression}-oci.tar").write_bytes(oci_bytes)
        (directory / f"{compression}-docker.tar").write_bytes(docker_bytes)


if __name__ == "__main__":
    main()
