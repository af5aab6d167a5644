// Descriptors as JSON: how documents and index.json write them.
#pragma once

#include <boost/json/fwd.hpp>
#include <string>

#include "blobstore/descriptor.h"

namespace imagefs::blobstore {

// Throws Error{EINVAL}, naming `what`, unless it has a media type, a sha256 digest and a size below
// 2^63, and all else that we know of it has the right type.
[[nodiscard]] Descriptor parse_descriptor(const boost::json::value& value, const std::string& what);
// The members "os", "architecture", "variant", "os.version", "os.features", each optional. Throws
// Error{EINVAL}.
[[nodiscard]] Platform parse_platform(const boost::json::object& object, const std::string& what);
// Members that are empty are left out; architecture and os always stand.
[[nodiscard]] boost::json::object to_json(const Platform& platform);
// Members that are empty are left out.
[[nodiscard]] boost::json::object to_json(const Descriptor& descriptor);

}  // namespace imagefs::blobstore
