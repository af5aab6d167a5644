// How an operation hands its request to the threads that may wait (later.h).
//
//   if (content->ready(offset, size)) return answer(request, *content);
//   answer_later(mount.later, request, [=](Request& waiting, const Patience& patience) {
//     content->await(offset, size, patience);
//     answer(waiting, *content);
//   });
#pragma once

#include <functional>

#include "fs/fuse_mount.h"
#include "fs/fuse_request.h"
#include "fs/patience.h"

namespace imagefs::fs {

// Waits and answers; what it throws becomes the answer. It runs when the operation has returned, so
// it holds copies of all that libfuse has given to that.
using LateAnswer = std::function<void(Request&, const Patience&)>;
void answer_later(Later& later, Request& request, LateAnswer answer);

// Answers for a node as soon as it is ready: now, in most cases.
template <typename Answer>
void answer_when_ready(Mount& mount, Request& request, const NodePtr& node, const Answer& answer) {
  if (node->ready()) return answer(request, *node);
  Later& line = node->await_is_short() ? mount.looking : mount.indexing;
  answer_later(line, request, [=](Request& waiting, const Patience& patience) {
    node->await(patience);
    answer(waiting, *node);
  });
}

}  // namespace imagefs::fs
