// The decoders of the formats; Decoder::make() chooses.
#pragma once

#include <memory>

#include "importer/decoder.h"

namespace imagefs::importer {

[[nodiscard]] std::unique_ptr<Decoder> make_gzip_decoder();   // RFC 1952
[[nodiscard]] std::unique_ptr<Decoder> make_zstd_decoder();   // RFC 8878
[[nodiscard]] std::unique_ptr<Decoder> make_xz_decoder();     // tukaani.org/xz/xz-file-format.txt
[[nodiscard]] std::unique_ptr<Decoder> make_bzip2_decoder();  // sourceware.org/bzip2
[[nodiscard]] std::unique_ptr<Decoder> make_lz4_decoder();    // lz4_Frame_format.md

}  // namespace imagefs::importer
