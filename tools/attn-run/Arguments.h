//===- Arguments.h - Arrays for the arguments of a function -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_ATTN_RUN_ARGUMENTS_H
#define ATTN_TOOLS_ATTN_RUN_ARGUMENTS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "passes/algebra/ShapeClasses.h"
#include "runtime/array/NpyFile.h"
#include "llvm/ADT/StringMap.h"
#include <optional>
#include <string>

namespace attn::tool {

/// The sizes of dynamic dimensions by their names.
using DimSizes = llvm::StringMap<int64_t>;

/// Reads `NAME=SIZE` words.
llvm::Expected<DimSizes> parseDims(llvm::ArrayRef<std::string> words);

/// Where the arguments of a function come from.
struct ArgumentSources {
  /// A path an argument; an empty path or no paths at all mean random values.
  llvm::SmallVector<std::string> files;
  std::optional<uint64_t> seed;
};

/// Random values of an argument, as its uses declare them: standard normal, log
/// decays as -|x|, gates within their range.
llvm::Expected<Array> drawArgument(uint64_t seed, mlir::func::FuncOp function,
                                   unsigned index,
                                   llvm::ArrayRef<int64_t> shape);

/// The sizes of a function's dimensions, as far as they are known.
class FunctionSizes {
public:
  static llvm::Expected<FunctionSizes> create(mlir::func::FuncOp function);

  /// Takes sizes given by name; an error for names that the function has not.
  llvm::Error setDims(const DimSizes &dims);
  /// Takes the sizes of an argument, which has the argument's rank; an error
  /// where a name was given another size. Whether arguments agree is for the
  /// engines to say, which know the operation that ties them.
  llvm::Error setArgument(unsigned argument, llvm::ArrayRef<int64_t> shape);

  /// The shape of an argument; an error that lists the missing names.
  llvm::Expected<llvm::SmallVector<int64_t>> getShape(unsigned argument) const;
  std::optional<int64_t> getSize(llvm::StringRef name) const;

private:
  FunctionSizes(mlir::func::FuncOp function, mlir::attn::ShapeClasses classes)
      : function(function), classes(std::move(classes)) {}

  /// Each dynamic dimension of the arguments: its name, argument and position.
  struct Dim {
    std::string name;
    unsigned argument;
    int64_t position;
  };
  llvm::SmallVector<Dim> getDynamicDims() const;
  std::string
  listDims(llvm::function_ref<bool(llvm::StringRef)> isWanted) const;

  mlir::func::FuncOp function;
  mlir::attn::ShapeClasses classes;
  DimSizes named, sizes;
};

/// The open file of an argument. Floats round to the argument's type; a float
/// for an integer, or the reverse, is a mistake.
class ArgumentFile {
public:
  /// The file determines sizes.
  static llvm::Expected<ArgumentFile> open(mlir::func::FuncOp function,
                                           llvm::StringRef path, unsigned index,
                                           FunctionSizes &sizes);

  llvm::ArrayRef<int64_t> getShape() const { return reader.getShape(); }
  llvm::Expected<Array> read() const;
  /// As NpyReader::readSlice.
  llvm::Expected<Array> readSlice(int64_t dim, int64_t begin,
                                  int64_t count) const;

private:
  ArgumentFile(NpyReader reader, ElementType type)
      : reader(std::move(reader)), type(type) {}

  llvm::Expected<Array> round(llvm::Expected<Array> array) const;

  NpyReader reader;
  ElementType type;
};

/// The error for an argument that has neither a file nor a seed.
llvm::Error createNoValueError(mlir::func::FuncOp function, unsigned index);

/// Reads and draws the arguments, each of its argument's element type. Those
/// from `needed` on may have no file and are then left empty.
llvm::Expected<llvm::SmallVector<Array>>
makeArguments(mlir::func::FuncOp function, const ArgumentSources &sources,
              unsigned needed, FunctionSizes &sizes);

} // namespace attn::tool

#endif // ATTN_TOOLS_ATTN_RUN_ARGUMENTS_H
