//===- CodeFile.cpp - Object code in a folder ---------------------------===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/engine/CodeFile.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/CachePruning.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"
#include <sys/time.h>
#include <unistd.h>

namespace attn {

static constexpr llvm::StringLiteral kMagic = "attn-kernel-1\n";
static constexpr size_t kHashSize = 32, kWord = 8;

static std::string hash(llvm::StringRef text) {
  llvm::BLAKE3 hasher;
  hasher.update(text);
  auto result = hasher.final<kHashSize>();
  return std::string(reinterpret_cast<const char *>(result.data()), kHashSize);
}

// LLVM prunes files of this prefix alone.
CodeFile::CodeFile(std::string directory, llvm::StringRef key,
                   uint64_t maxBytes)
    : directory(std::move(directory)), key(key.str()), maxBytes(maxBytes) {
  llvm::SmallString<128> name(this->directory);
  llvm::sys::path::append(name, "llvmcache-attn-" + key);
  path = name.str().str();
}

void CodeFile::warn(const llvm::Twine &text) {
  warnings.push_back(("kernel cache '" + directory + "': " + text).str());
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

/// The code of an entry, if it is whole and of this key.
static std::optional<HostCode> decode(llvm::StringRef text,
                                      llvm::StringRef key) {
  if (!text.consume_front(kMagic) || text.size() < kHashSize + 3 * kWord)
    return std::nullopt;
  llvm::StringRef expected = text.take_front(kHashSize);
  text = text.drop_front(kHashSize);
  if (hash(text) != expected)
    return std::nullopt;
  auto takeWord = [&] {
    uint64_t word = llvm::support::endian::read64le(text.data());
    text = text.drop_front(kWord);
    return word;
  };
  uint64_t keySize = takeWord(), places = takeWord(), objectSize = takeWord();
  if (keySize > text.size() || places > text.size() / kWord ||
      keySize + places * kWord + objectSize != text.size() ||
      text.take_front(keySize) != key)
    return std::nullopt;
  text = text.drop_front(keySize);
  HostCode code;
  for (uint64_t i = 0; i < places; ++i)
    code.inPlace.push_back(static_cast<int64_t>(takeWord()));
  code.object = llvm::MemoryBuffer::getMemBufferCopy(text, "attn-kernel");
  return code;
}

std::optional<HostCode> CodeFile::find() {
  llvm::sys::fs::file_status status;
  if (std::error_code code = llvm::sys::fs::status(path, status)) {
    if (code != std::errc::no_such_file_or_directory)
      warn("cannot read: " + code.message());
    return std::nullopt;
  }
  // Code of others is not run.
  if (status.getUser() != ::geteuid()) {
    warn("ignoring an entry of user " + llvm::Twine(status.getUser()));
    return std::nullopt;
  }
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (!buffer) {
    warn("cannot read: " + buffer.getError().message());
    return std::nullopt;
  }
  auto code = decode((*buffer)->getBuffer(), key);
  if (!code) {
    warn("a damaged entry was compiled again");
    return std::nullopt;
  }
  found = true;
  // Used now: what is pruned first is what was not used for longest.
  (void)::utimes(path.c_str(), nullptr);
  return code;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

static std::string encode(const HostCode &code, llvm::StringRef key) {
  std::string text;
  auto addWord = [&](uint64_t word) {
    char bytes[kWord];
    llvm::support::endian::write64le(bytes, word);
    text.append(bytes, kWord);
  };
  addWord(key.size());
  addWord(code.inPlace.size());
  addWord(code.object->getBufferSize());
  text += key;
  for (int64_t place : code.inPlace)
    addWord(static_cast<uint64_t>(place));
  text += code.object->getBuffer();
  return (kMagic + hash(text) + text).str();
}

std::error_code CodeFile::write(const HostCode &code) {
  namespace fs = llvm::sys::fs;
  if (std::error_code error = fs::create_directories(
          directory, /*IgnoreExisting=*/true, fs::owner_all))
    return error;
  int file;
  llvm::SmallString<128> temporary;
  if (std::error_code error =
          fs::createUniqueFile(path + ".%%%%%%%%", file, temporary, fs::OF_None,
                               fs::owner_read | fs::owner_write))
    return error;
  llvm::raw_fd_ostream stream(file, /*shouldClose=*/true);
  stream << encode(code, key);
  stream.close();
  std::error_code error = stream.error();
  stream.clear_error();
  if (!error)
    error = fs::rename(temporary, path);
  if (error)
    fs::remove(temporary);
  return error;
}

void CodeFile::save(const HostCode &code) {
  if (std::error_code error = write(code)) {
    warn("cannot write: " + error.message());
    return;
  }
  llvm::CachePruningPolicy policy;
  policy.Interval = std::chrono::seconds(0);
  policy.MaxSizeBytes = maxBytes;
  llvm::pruneCache(directory, policy);
}

} // namespace attn
