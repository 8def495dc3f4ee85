//===- BuildId.cpp - Which build of the compiler this is ----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/BuildId.h"
#include <cstring>
#include <link.h>
#include <string>

namespace attn {
namespace {
struct Search {
  uintptr_t address;
  std::string id;
};
} // namespace

/// The build id among the notes of a segment, or empty.
static std::string findInNotes(const char *notes, size_t size) {
  const char *end = notes + size;
  while (notes + sizeof(ElfW(Nhdr)) <= end) {
    ElfW(Nhdr) note;
    std::memcpy(&note, notes, sizeof(note));
    const char *name = notes + sizeof(note);
    const char *contents = name + ((note.n_namesz + 3) & ~3u);
    const char *next = contents + ((note.n_descsz + 3) & ~3u);
    if (next > end)
      break;
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
        std::memcmp(name, "GNU", 4) == 0)
      return std::string(contents, note.n_descsz);
    notes = next;
  }
  return "";
}

static int visitBinary(struct dl_phdr_info *info, size_t, void *data) {
  auto &search = *static_cast<Search *>(data);
  bool isOurs = false;
  std::string id;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const ElfW(Phdr) &segment = info->dlpi_phdr[i];
    uintptr_t begin = info->dlpi_addr + segment.p_vaddr;
    if (segment.p_type == PT_LOAD)
      isOurs |=
          search.address >= begin && search.address < begin + segment.p_memsz;
    else if (segment.p_type == PT_NOTE && id.empty())
      id = findInNotes(reinterpret_cast<const char *>(begin), segment.p_memsz);
  }
  if (!isOurs)
    return 0;
  search.id = id;
  return 1;
}

llvm::StringRef getBuildId() {
  static const std::string id = [] {
    Search search{reinterpret_cast<uintptr_t>(&getBuildId), ""};
    dl_iterate_phdr(visitBinary, &search);
    return ATTN_VERSION + std::string(" ") + search.id;
  }();
  return id;
}

} // namespace attn
