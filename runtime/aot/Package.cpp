//===- Package.cpp - Objects as files and libraries -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/aot/Package.h"
#include "runtime/array/Error.h"
#include "llvm/Object/ArchiveWriter.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/Triple.h"

using llvm::StringRef;

namespace attn {

static llvm::Error createWriteError(StringRef path, llvm::Error error) {
  return createError("cannot write '" + path +
                     "': " + llvm::toString(std::move(error)));
}

llvm::Error writeFile(StringRef path, StringRef contents) {
  llvm::Error error = llvm::writeToOutput(path, [&](llvm::raw_ostream &stream) {
    stream << contents;
    return llvm::Error::success();
  });
  return error ? createWriteError(path, std::move(error))
               : llvm::Error::success();
}

llvm::Error writeStaticLibrary(StringRef path, const ObjectFile &file) {
  std::string name = file.interface.name + ".o";
  llvm::NewArchiveMember member(
      llvm::MemoryBufferRef(file.object->getBuffer(), name));
  auto archive = llvm::writeArchiveToBuffer(
      member, llvm::SymtabWritingMode::NormalSymtab,
      llvm::object::Archive::K_GNU, /*Deterministic=*/true, /*Thin=*/false);
  if (!archive)
    return createWriteError(path, archive.takeError());
  return writeFile(path, (*archive)->getBuffer());
}

/// "cc" for this machine, else the cross compiler as distributions name it.
static std::string getDefaultLinker(const CpuModel &cpu) {
  llvm::Triple triple(cpu.triple), host(llvm::sys::getProcessTriple());
  if (triple.getArch() == host.getArch())
    return "cc";
  return (triple.getArchName() + "-" +
          llvm::Triple::getOSTypeName(triple.getOS()) + "-" +
          llvm::Triple::getEnvironmentTypeName(triple.getEnvironment()) +
          "-gcc")
      .str();
}

llvm::Error writeSharedLibrary(StringRef path, const ObjectFile &file,
                               const CpuModel &cpu, StringRef linker) {
  std::string name = linker.empty() ? getDefaultLinker(cpu) : linker.str();
  auto program = llvm::sys::findProgramByName(name);
  if (!program || !llvm::sys::fs::can_execute(*program))
    return createError("no linker '" + name +
                       "': expected a compiler driver for " + cpu.triple +
                       " in PATH, or by --linker");
  llvm::SmallString<128> object, log;
  if (std::error_code code =
          llvm::sys::fs::createTemporaryFile("attn", "o", object))
    return createError("no temporary file: " + code.message());
  llvm::FileRemover removeObject(object);
  if (std::error_code code =
          llvm::sys::fs::createTemporaryFile("attn", "log", log))
    return createError("no temporary file: " + code.message());
  llvm::FileRemover removeLog(log);
  if (llvm::Error error = writeFile(object, file.object->getBuffer()))
    return error;
  std::string output = path.str();
  llvm::SmallVector<StringRef> arguments{*program, "-shared", "-o", output,
                                         object};
  if (file.needsMath)
    arguments.push_back("-lm");
  if (file.needsOpenMP)
    arguments.push_back("-lomp");
  std::string reason;
  int status = llvm::sys::ExecuteAndWait(
      *program, arguments, /*Env=*/std::nullopt,
      {std::nullopt, StringRef(log), StringRef(log)}, /*SecondsToWait=*/0,
      /*MemoryLimit=*/0, &reason);
  if (status == 0)
    return llvm::Error::success();
  auto text = llvm::MemoryBuffer::getFile(log);
  if (text && !(*text)->getBuffer().empty())
    reason = (*text)->getBuffer().trim().str();
  return createError("cannot link '" + path + "' with " + name + ": " + reason);
}

} // namespace attn
