//===- PieceFiles.h - Files of which a run holds a piece -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef ATTN_TOOLS_ATTN_RUN_PIECEFILES_H
#define ATTN_TOOLS_ATTN_RUN_PIECEFILES_H

#include "Stream.h"
#include <vector>

namespace attn::tool {

/// The arguments of pieces. Those with tokens are read or drawn when they are
/// asked for; the others are there once.
class PieceArguments {
public:
  /// The arguments before the states. An error where files and sizes do not
  /// agree on the number of tokens.
  static llvm::Expected<PieceArguments>
  create(mlir::func::FuncOp function, unsigned numArguments,
         const ArgumentSources &sources, llvm::ArrayRef<TokenDims::Cut> cuts,
         FunctionSizes &sizes);

  int64_t getNumTokens() const { return tokens; }
  /// `count` tokens from `begin` on. Random ones are those of this piece.
  llvm::Expected<llvm::SmallVector<Array>> get(int64_t begin,
                                               int64_t count) const;

private:
  struct Argument {
    TokenDims::Cut cut;
    std::optional<ArgumentFile> file;
    llvm::SmallVector<int64_t> shape;
    /// Where there is no cut.
    Array whole;
  };

  PieceArguments(mlir::func::FuncOp function, std::optional<uint64_t> seed)
      : function(function), seed(seed) {}

  llvm::Error setTokens(unsigned index);
  llvm::Expected<Array> get(unsigned index, int64_t begin, int64_t count) const;

  mlir::func::FuncOp function;
  std::optional<uint64_t> seed;
  std::vector<Argument> arguments;
  /// -1 before an argument has tokens.
  int64_t tokens = -1;
};

/// What becomes of the results of pieces: written to files, and compared with
/// files. Of results without tokens those of the last piece count.
class PieceResults {
public:
  /// As many paths as cuts, or none; a result with an empty path is dropped, or
  /// not compared.
  static llvm::Expected<PieceResults>
  create(llvm::ArrayRef<TokenDims::Cut> cuts, int64_t tokens,
         llvm::ArrayRef<std::string> outputs,
         llvm::ArrayRef<std::string> checks);

  llvm::Error add(llvm::ArrayRef<Array> results, int64_t begin, int64_t count);
  /// Reports for each result the largest relative error of a piece, NaN if one
  /// is NaN.
  llvm::Error compare(double tolerance) const;
  /// Gives all files their names, or none. Without this they are gone.
  llvm::Error keep();

private:
  struct Result {
    TokenDims::Cut cut;
    std::string output, check;
    std::optional<NpyWriter> writer;
    std::optional<NpyReader> expected;
    std::optional<double> error;
  };

  explicit PieceResults(int64_t tokens) : tokens(tokens) {}

  llvm::Error write(Result &result, const Array &part,
                    llvm::ArrayRef<int64_t> shape);
  llvm::Error compareOne(unsigned index, const Array &part,
                         llvm::ArrayRef<int64_t> shape, int64_t begin);

  int64_t tokens;
  std::vector<Result> results;
};

} // namespace attn::tool

#endif // ATTN_TOOLS_ATTN_RUN_PIECEFILES_H
