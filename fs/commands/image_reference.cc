#include "fs/commands/image_reference.h"

#include <algorithm>
#include <cerrno>
#include <iterator>
#include <utility>

#include "blobstore/error.h"

namespace imagefs::fs::commands {
namespace {

using blobstore::Digest;
using blobstore::Image;
using blobstore::Reference;

bool is_in_repository(const Image& image, const Reference& repository) {
  const auto name = image.name ? Reference::try_parse(*image.name) : std::nullopt;
  return name && name->domain() == repository.domain() && name->path() == repository.path();
}

template <typename Predicate>
std::vector<Image> images_if(const blobstore::Index& index, const Predicate& predicate) {
  std::vector<Image> found;
  std::ranges::copy_if(index.images(), std::back_inserter(found), predicate);
  return found;
}

}  // namespace

ImageReference::ImageReference(std::string text)
    : text_(std::move(text)), lone_digest_(Digest::parse(text_)) {
  if (lone_digest_) return;
  name_ = Reference::parse(text_).str();
  const std::size_t at = text_.find('@');
  if (at == std::string::npos) return;
  const std::string before = text_.substr(0, at);
  digest_ = Digest::parse(text_.substr(at + 1));
  repository_ = Reference::try_parse(before);
  has_tag_ = repository_ && before.ends_with(repository_->suffix());
}

bool ImageReference::fits(const Image& image) const {
  if (lone_digest_) return image.descriptor.digest == *lone_digest_;
  if (!repository_) return image.name == name_;
  if (image.descriptor.digest != digest_) return false;
  return has_tag_ ? image.name == repository_->str() : is_in_repository(image, *repository_);
}

std::vector<Image> ImageReference::find_in(const blobstore::Index& index) const {
  auto found = images_if(index, [&](const Image& image) { return fits(image); });
  if (!found.empty() || lone_digest_) return found;
  return images_if(index, [&](const Image& image) { return image.name == name_; });
}

std::string ImageReference::why_absent(const blobstore::Index& index) const {
  if (has_tag_) {
    const std::string tagged = repository_->str();
    for (const Image& image : index.images()) {
      if (image.name != tagged) continue;
      return text_ + ": " + tagged + " is " + image.descriptor.digest.str();
    }
  }
  return text_ + ": there is no such image";
}

Reference parse_new_name(const std::string& text) {
  Reference name = Reference::parse(text);
  if (Digest::parse(name.familiar())) {
    throw Error(EINVAL, "\"" + text + "\" is no image name: it reads as a digest");
  }
  return name;
}

}  // namespace imagefs::fs::commands
