// The entries of an archive, by name: files with their content, links, and what else has a name
// that matters.
//
// Names are clean (entry_name.h) and keys only. An entry may come twice with the same bytes; where
// they differ, the name cannot be used. When everything lies below one directory that holds the
// control file, names are relative to it.
//
// Thread safety: none.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "importer/content.h"

namespace imagefs::importer {

class Archive {
 public:
  // Each takes a clean name.
  void add_file(const std::string& name, Content content);
  // `target`: clean; nothing when it lies outside the archive.
  void add_symlink(const std::string& name, std::optional<std::string> target);
  void add_hard_link(const std::string& name, std::optional<std::string> target);
  // A directory, device and so on; only remembered where a control file should be.
  void add_other(const std::string& name);

  // Finds the directory that the control files lie in. False when there is none (yet). `all`: no
  // more entries will come; then more than one throws Error{EINVAL}.
  [[nodiscard]] bool find_root(bool all);
  // Whether both files that make an OCI layout are there, at the top.
  [[nodiscard]] bool is_layout() const;
  // Whether anything below the root says that this is an OCI layout, or will be one.
  [[nodiscard]] bool may_become_layout() const;

  // The file of that name below the root, through links. Nothing when it is not there. Throws
  // Error{EINVAL}: a chain of more than kMaxSymlinkHops, a cycle, two entries that differ.
  [[nodiscard]] Content* find(std::string_view name);
  // Why find() gives nothing for `name`, to follow "…, which ".
  [[nodiscard]] std::string why_absent(std::string_view name);
  // As find(), without links: throws Error{EINVAL} also when it is no regular file.
  [[nodiscard]] Content* find_control_file(std::string_view name);
  // The blob of that digest, by its name in an OCI layout. Throws Error{EBADMSG} when the name
  // leads to other bytes.
  [[nodiscard]] Content* find_blob(const blobstore::Digest& digest);
  // The first symlink `*/layer.tar` whose target is not there, as a sentence; empty: there is none.
  [[nodiscard]] std::string dangling_layer_link();
  // What an archive without a control file seems to be, as a sentence.
  [[nodiscard]] std::string describe() const;

 private:
  struct Link {
    std::optional<std::string> target;
    bool symbolic;
  };
  struct Other {};
  struct Conflict {};
  using Entry = std::variant<Content, Link, Other, Conflict>;

  void add(const std::string& name, Entry entry);
  [[nodiscard]] Entry* find_entry(const std::string& name);
  [[nodiscard]] Content* follow(std::string name);
  [[nodiscard]] std::vector<std::string> control_files_one_below() const;
  [[nodiscard]] bool has_control_file(const std::string& directory) const;
  [[nodiscard]] bool has_below(const std::string& directory) const;
  [[nodiscard]] bool all_below(const std::string& directory) const;

  std::map<std::string, Entry, std::less<>> entries_;
  std::string root_;  // "" or "directory/"
};

}  // namespace imagefs::importer
