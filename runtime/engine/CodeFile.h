//===- CodeFile.h - Object code in a folder -*- C++ -*- -----------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_RUNTIME_ENGINE_CODEFILE_H
#define ATTN_RUNTIME_ENGINE_CODEFILE_H

#include "runtime/engine/HostCode.h"
#include <string>
#include <vector>

namespace attn {

/// The entry of one key in a folder that processes share:
///
///     "attn-kernel-1\n"  BLAKE3 of what follows (32 bytes)
///     lengths of the key, the places and the object (3 x 8 bytes)
///     the key  the places (8 bytes each)  the object
class CodeFile : public CodeStore {
public:
  CodeFile(std::string directory, llvm::StringRef key, uint64_t maxBytes);

  /// None for an entry that is not there, damaged, of another key or another
  /// user.
  std::optional<HostCode> find() override;
  /// Writes a temporary file and renames it; removes entries beyond the size.
  void save(const HostCode &code) override;

  bool wasFound() const { return found; }
  /// What went wrong; the code is compiled whatever it was.
  llvm::ArrayRef<std::string> getWarnings() const { return warnings; }

private:
  void warn(const llvm::Twine &text);
  std::error_code write(const HostCode &code);

  std::string directory, key, path;
  uint64_t maxBytes;
  bool found = false;
  std::vector<std::string> warnings;
};

} // namespace attn

#endif // ATTN_RUNTIME_ENGINE_CODEFILE_H
