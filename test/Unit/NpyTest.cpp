//===- NpyTest.cpp - Good and bad .npy files -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/array/Array.h"
#include "test/Unit/TestGraph.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

using namespace attn;
using llvm::StringRef;

namespace {
class Npy : public ::testing::Test {
protected:
  void SetUp() override {
    ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("attn-npy", folder));
  }
  void TearDown() override { llvm::sys::fs::remove_directories(folder); }

  std::string getPath(StringRef name = "a.npy") {
    llvm::SmallString<128> path(folder);
    llvm::sys::path::append(path, name);
    return path.str().str();
  }
  void writeBytes(const std::string &bytes) {
    std::error_code code;
    llvm::raw_fd_ostream stream(getPath(), code);
    ASSERT_FALSE(code);
    stream << bytes;
  }
  /// A file of version 1 with this header and so many bytes of elements.
  void writeFile(const std::string &header, size_t bytes) {
    std::string text = header + "\n", data(bytes, '\1');
    std::string size = {static_cast<char>(text.size() & 255),
                        static_cast<char>(text.size() >> 8)};
    writeBytes(std::string("\x93NUMPY\x01\x00", 8) + size + text + data);
  }
  /// What reading the file says.
  std::string read() {
    std::string message = getMessage(readNpy(getPath()));
    EXPECT_CONTAINS(message, "'" + getPath() + "': ");
    return message;
  }
  int countFiles() {
    std::error_code code;
    int count = 0;
    for (llvm::sys::fs::directory_iterator it(folder, code), end; it != end;
         it.increment(code))
      ++count;
    return count;
  }

  llvm::SmallString<128> folder;
};
} // namespace

static std::string getHeader(StringRef descr, StringRef shape,
                             StringRef fortran = "False") {
  return ("{'descr': '" + descr + "', 'fortran_order': " + fortran +
          ", 'shape': " + shape + ", }")
      .str();
}

TEST_F(Npy, RoundTrips) {
  for (ElementType type : {ElementType::F64, ElementType::F32, ElementType::F16,
                           ElementType::I64, ElementType::I32, ElementType::I1})
    for (const std::vector<int64_t> &shape :
         std::vector<std::vector<int64_t>>{{}, {3}, {2, 0, 4}, {2, 3, 5}}) {
      Array array = llvm::cantFail(Array::create(type, shape));
      for (int64_t i = 0; i < array.getNumElements(); ++i)
        array.set(i, i - 2);
      ASSERT_FALSE(writeNpy(getPath(), array));
      Array back = llvm::cantFail(readNpy(getPath()));
      EXPECT_EQ(back.getType(), type);
      EXPECT_EQ(llvm::cantFail(getRelativeError(back, array)), 0);
    }
  EXPECT_EQ(countFiles(), 1);
}

TEST_F(Npy, WritesBF16AsF32) {
  Array array = makeArray(ElementType::BF16, {2}, {1.5, -2});
  ASSERT_FALSE(writeNpy(getPath(), array));
  Array back = llvm::cantFail(readNpy(getPath()));
  EXPECT_EQ(back.getType(), ElementType::F32);
  EXPECT_EQ(back.get(0), 1.5);
}

TEST_F(Npy, ReadsWhatPythonMayWrite) {
  writeFile("{\"shape\":(2 , 3),'fortran_order':False,'descr':'<f4'}", 24);
  EXPECT_EQ(llvm::cantFail(readNpy(getPath())).getShape(),
            llvm::ArrayRef<int64_t>({2, 3}));
  // Both orders are the same for one dimension.
  writeFile(getHeader("<f8", "(2,)", "True"), 16);
  EXPECT_EQ(llvm::cantFail(readNpy(getPath())).getRank(), 1);
  writeFile(getHeader("=i4", "()"), 4);
  EXPECT_EQ(llvm::cantFail(readNpy(getPath())).get(0), 0x01010101);
}

TEST_F(Npy, ReadsBytesAsTruth) {
  for (StringRef type : {"|u1", "|b1"}) {
    std::string header = getHeader(type, "(2,)") + "\n";
    writeBytes(std::string("\x93NUMPY\x02\x00", 8) +
               static_cast<char>(header.size()) + std::string(3, '\0') +
               header + std::string("\x00\x07", 2));
    Array array = llvm::cantFail(readNpy(getPath()));
    EXPECT_EQ(array.getType(), ElementType::I1);
    EXPECT_EQ(static_cast<uint8_t *>(array.getData())[0], 0);
    EXPECT_EQ(static_cast<uint8_t *>(array.getData())[1], 1);
  }
}

TEST_F(Npy, RefusesBadFiles) {
  EXPECT_CONTAINS(read(), "cannot read: No such file");
  writeBytes("");
  EXPECT_CONTAINS(read(), "not an .npy file: expected a header, got 0 bytes");
  writeBytes("hello, this is some text");
  EXPECT_CONTAINS(read(), "not an .npy file: expected it to start with");
  writeBytes(std::string("\x93NUMPY\x09\x00\x10\x00", 10));
  EXPECT_CONTAINS(read(), "unsupported .npy version 9");
  writeBytes(std::string("\x93NUMPY\x01\x00\x10", 9));
  EXPECT_CONTAINS(read(), "truncated file: expected 2 bytes of header length");
  writeBytes(std::string("\x93NUMPY\x01\x00\xff\xff{'descr", 17));
  EXPECT_CONTAINS(read(), "expected a header of 65535 bytes, got 7");
  writeBytes(std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff{}", 14));
  EXPECT_CONTAINS(read(), "expected a header of 4294967295 bytes, got 2");
  writeFile(getHeader("<f4", "(2, 3)"), 23);
  EXPECT_CONTAINS(read(), "truncated file: expected 24 bytes for shape [2, 3] "
                          "of f32, got 23");
  writeFile(getHeader("<f4", "(2, 3)"), 25);
  EXPECT_CONTAINS(read(), "extra data: expected 24 bytes");
  std::string message = getMessage(readNpy(folder));
  EXPECT_CONTAINS(message, "not a regular file");
}

TEST_F(Npy, RefusesBadHeaders) {
  for (std::string header :
       {"", "[]", "{", "{'descr'", "{'descr': }", "{'descr': '<f4'}",
        "{'descr': '<f4', 'descr': '<f4'}", "{'descr' '<f4'}",
        "{'descr': '<f4', 'fortran_order': 1, 'shape': (2,)}",
        "{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'x': 1}"}) {
    writeFile(header, 8);
    EXPECT_CONTAINS(read(), "bad header: ");
  }
  for (StringRef shape :
       {"(2", "2", "(-2,)", "(2 3)", "(2.0,)", "(99999999999999999999,)"}) {
    writeFile(getHeader("<f4", shape), 8);
    EXPECT_CONTAINS(read(), "bad header: cannot read the entry 'shape'");
  }
}

TEST_F(Npy, RefusesWhatItDoesNotSupport) {
  writeFile(getHeader(">f4", "(2,)"), 8);
  EXPECT_CONTAINS(read(), "big-endian elements '>f4'");
  for (StringRef type : {"<c8", "<U3", "|O", "<f3", "<i2", "<u4", "|V2"}) {
    writeFile(getHeader(type, "(2,)"), 8);
    EXPECT_CONTAINS(read(), ("unsupported dtype '" + type + "'").str());
  }
  writeFile(getHeader("<f4", "(2, 1)", "True"), 8);
  EXPECT_CONTAINS(read(), "array in Fortran order; expected C order");
  writeFile(getHeader("<f4", "(4611686018427387904, 4)"), 8);
  EXPECT_CONTAINS(read(), "exceeds the address space");
}

TEST_F(Npy, WritesWholeOrNotAtAll) {
  Array array = makeArray({2}, {1, 2});
  std::string missing = getPath("missing/a.npy");
  std::string message = llvm::toString(writeNpy(missing, array));
  EXPECT_CONTAINS(message, "'" + missing + "': cannot write: ");
  EXPECT_CONTAINS(llvm::toString(writeNpy(folder, array)),
                  "not a regular file");
  EXPECT_EQ(countFiles(), 0);
  // What was there is replaced, and nothing is left beside it.
  writeBytes("something else");
  ASSERT_FALSE(writeNpy(getPath(), array));
  EXPECT_EQ(llvm::cantFail(readNpy(getPath())).get(1), 2);
  EXPECT_EQ(countFiles(), 1);
}
