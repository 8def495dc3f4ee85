//===- Handles.h - Objects behind opaque handles -*- C++ -*- ------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_C_HANDLES_H
#define ATTN_RUNTIME_C_HANDLES_H

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

namespace attn {

/// The next number, for all kinds.
inline std::atomic<uintptr_t> nextHandleNumber{1};

/// The living objects of one kind. Handles are numbers that are given once in a
/// process and are odd, as no address of an object is: a handle that was
/// destroyed, or of another kind, is found to be none without a look at memory.
template <typename Handle, typename Object> class Handles {
public:
  Handle *add(std::shared_ptr<const Object> object) {
    static_assert(sizeof(uintptr_t) == 8, "handles do not run out");
    uintptr_t id =
        2 * nextHandleNumber.fetch_add(1, std::memory_order_relaxed) + 1;
    std::unique_lock<std::shared_mutex> lock(mutex);
    objects[id] = std::move(object);
    return reinterpret_cast<Handle *>(id);
  }
  /// Null if there is none.
  std::shared_ptr<const Object> find(Handle *handle) const {
    std::shared_lock<std::shared_mutex> lock(mutex);
    auto found = objects.find(reinterpret_cast<uintptr_t>(handle));
    return found == objects.end() ? nullptr : found->second;
  }
  /// Whether there was one.
  bool remove(Handle *handle) {
    // Freed when the lock is not held.
    std::shared_ptr<const Object> removed;
    std::unique_lock<std::shared_mutex> lock(mutex);
    auto found = objects.find(reinterpret_cast<uintptr_t>(handle));
    if (found == objects.end())
      return false;
    removed = std::move(found->second);
    objects.erase(found);
    lock.unlock();
    return true;
  }

private:
  mutable std::shared_mutex mutex;
  std::unordered_map<uintptr_t, std::shared_ptr<const Object>> objects;
};

} // namespace attn

#endif // ATTN_RUNTIME_C_HANDLES_H
