#include "fs/names_directory.h"

#include <cerrno>

#include "blobstore/error.h"
#include "fs/attributes.h"
#include "fs/blob_node.h"
#include "fs/image_content.h"
#include "fs/image_directory.h"
#include "fs/symlink_node.h"

namespace imagefs::fs {

NamesDirectory::NamesDirectory(TreeContextPtr context, std::string path)
    : context_(std::move(context)), path_(std::move(path)), id_(make_node_id({path_})) {}

const ViewDirectory& NamesDirectory::in(const View& view) const {
  const ViewDirectory* directory = view.directory(path_);
  if (directory == nullptr) throw Error(ESTALE, path_ + ": no image has a name there any more");
  return *directory;
}

struct stat NamesDirectory::attributes() const {
  const auto view = context_->view.load();
  const ViewDirectory& directory = in(*view);
  return directory_attributes(id_, context_->owner, directory.children.size(), directory.mtime);
}

NodePtr NamesDirectory::lookup(std::string_view name) const {
  const auto view = context_->view.load();
  const ViewDirectory& directory = in(*view);
  const auto child = directory.children.find(name);
  if (child == directory.children.end()) return familiar(*view, directory, name);
  if (child->second.directory) {
    return std::make_shared<NamesDirectory>(context_, child->second.directory->path);
  }
  const ViewImage& image = *child->second.image;
  return std::make_shared<ImageDirectory>(context_, ImagePlace{.path = path_ + "/" + child->first,
                                                               .name = image.name,
                                                               .descriptor = image.descriptor,
                                                               .imported = image.imported});
}

NodePtr NamesDirectory::familiar(const View& view, const ViewDirectory& directory,
                                 std::string_view name) const {
  if (const auto target = view.familiar_target(directory, name)) {
    return std::make_shared<SymlinkNode>(familiar_id(directory, name, *target), context_->owner,
                                         *target, directory.mtime, Lifetime::snapshot);
  }
  return path_ == "images" ? unlisted_image(name) : nullptr;
}

NodePtr NamesDirectory::unlisted_image(std::string_view name) const {
  const auto digest = blobstore::Digest::parse(name);
  const auto descriptor = digest ? find_document(*context_->store, *digest) : std::nullopt;
  if (!descriptor) return nullptr;
  const auto st = stat_blob(*context_->store, *digest);
  return std::make_shared<ImageDirectory>(context_,
                                          ImagePlace{.path = path_ + "/" + digest->str(),
                                                     .name = std::nullopt,
                                                     .descriptor = *descriptor,
                                                     .imported = st ? st->st_mtim : timespec{}});
}

void NamesDirectory::list(std::uint64_t offset,
                          const std::function<bool(const ListedName&)>& visit) const {
  const auto view = context_->view.load();
  const auto& by_cookie = in(*view).by_cookie;
  for (auto at = by_cookie.upper_bound(offset); at != by_cookie.end(); ++at) {
    const auto& [name, child] = *at->second;
    if (!visit({name, child.id, S_IFDIR, at->first})) return;
  }
}

}  // namespace imagefs::fs
