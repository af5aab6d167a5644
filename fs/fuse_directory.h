// Listings in the form that the kernel reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "fs/fuse_request.h"
#include "fs/node.h"
#include "fs/node_table.h"

namespace imagefs::fs {

// As many entries after `offset` as fit into `size` bytes, "." and ".." first. What is returned is
// valid until the thread's next call.
[[nodiscard]] std::span<const std::byte> list_names(const Request& request, const Node& directory,
                                                    std::size_t size, std::uint64_t offset);
// The same in the form that has room for attributes, which the kernel then asks for by name.
[[nodiscard]] std::span<const std::byte> list_names_plus(const Request& request,
                                                         const Node& directory, std::size_t size,
                                                         std::uint64_t offset);
// The same with the attributes of each; `nodes` remembers them. Names of images are not
// leased: by the time that a long listing is answered that would be over.
[[nodiscard]] std::span<const std::byte> list_nodes(const Request& request, NodeTable& nodes,
                                                    const Node& directory, std::size_t size,
                                                    std::uint64_t offset);

}  // namespace imagefs::fs
