// index.json, the list of a store's images: read, edited in memory, written back.
//
// What we do not know of it (members, other tools' annotations) is kept. Not thread-safe.
#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "blobstore/descriptor.h"

namespace imagefs::blobstore {

// The annotations that imagefs writes into a descriptor of index.json.
inline constexpr auto kNameAnnotation = "io.containerd.image.name";
inline constexpr auto kRefNameAnnotation = "org.opencontainers.image.ref.name";
inline constexpr auto kImportedAnnotation = "io.imagefs.imported";      // RFC 3339, UTC
inline constexpr auto kSupersededAnnotation = "io.imagefs.superseded";  // RFC 3339, UTC

struct Image {
  Descriptor descriptor;            // of a manifest or an index
  std::optional<std::string> name;  // normalised; nothing: untagged
  std::string imported;             // RFC 3339; empty when another tool wrote the entry
  std::string superseded;           // since when its name belongs to a newer import; else empty
};

class Index {
 public:
  Index();  // without images
  // Throws Error{EBADMSG} for what is no index.json. An entry that is no valid descriptor is kept
  // and not listed by images().
  explicit Index(std::string_view bytes);
  Index(Index&&) noexcept;
  Index& operator=(Index&&) noexcept;
  ~Index();

  [[nodiscard]] std::vector<Image> images() const;
  // How many entries images() leaves out.
  [[nodiscard]] std::size_t unlisted() const;
  // Adds an image. With a name: whichever image had it keeps its entry without it, marked as
  // superseded (or loses the entry, where the same manifest stands there under another name). An
  // untagged image whose digest stands there already is not added again; a superseded mark on it
  // goes. The same name and digest again: only the time changes. `image.imported` is written as it
  // is, and `now` (RFC 3339) as the superseded mark.
  void add(const Image& image, const std::string& now);
  // Removes the entry of that name; its blobs are a GC's then. False when there is no such name.
  bool remove_name(const std::string& name);
  // Removes all entries of the digest that have no name. False when there are none.
  bool remove_untagged(const Digest& digest);
  // The same, of those only that an import of ours has written.
  bool remove_own_untagged(const Digest& digest);

  // Whether these changes mislead who goes by the names as they were: one is gone, leads to another
  // image, or to an index of which more platforms may be there now.
  [[nodiscard]] bool misleads() const;

  // The document, compact, as it will be written.
  [[nodiscard]] std::string bytes() const;

 private:
  struct Document;
  std::unique_ptr<Document> document_;
};

}  // namespace imagefs::blobstore
