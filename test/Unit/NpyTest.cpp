//===- NpyTest.cpp - Good and bad .npy files -*- C++ -*-===//
//
// Part of attn-mlir, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "runtime/array/NpyFile.h"
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

//===----------------------------------------------------------------------===//
// Slices
//===----------------------------------------------------------------------===//

/// 0, 1, 2, ...
static Array makeCount(ElementType type, llvm::ArrayRef<int64_t> shape) {
  Array array = llvm::cantFail(Array::create(type, shape));
  for (int64_t i = 0; i < array.getNumElements(); ++i)
    array.set(i, i);
  return array;
}

/// The slice of a rank-3 array, an element at a time.
static Array sliceOf(const Array &array, int64_t dim, int64_t begin,
                     int64_t count) {
  llvm::ArrayRef<int64_t> whole = array.getShape();
  llvm::SmallVector<int64_t> shape(whole), first(3, 0);
  shape[dim] = count;
  first[dim] = begin;
  Array slice = llvm::cantFail(Array::create(array.getType(), shape));
  int64_t at = 0;
  for (int64_t i = 0; i < shape[0]; ++i)
    for (int64_t j = 0; j < shape[1]; ++j)
      for (int64_t k = 0; k < shape[2]; ++k)
        slice.set(at++, array.get(((first[0] + i) * whole[1] + first[1] + j) *
                                      whole[2] +
                                  first[2] + k));
  return slice;
}

static void expectEqual(const Array &got, const Array &expected) {
  EXPECT_EQ(got.getType(), expected.getType());
  ASSERT_EQ(got.getShape(), expected.getShape());
  EXPECT_EQ(llvm::cantFail(getRelativeError(got, expected)), 0);
}

TEST_F(Npy, ReadsSlicesOfEveryDimension) {
  for (ElementType type : {ElementType::F64, ElementType::F16}) {
    Array array = makeCount(type, {2, 3, 5});
    ASSERT_FALSE(writeNpy(getPath(), array));
    NpyReader reader = llvm::cantFail(NpyReader::open(getPath()));
    EXPECT_EQ(reader.getType(), type);
    EXPECT_EQ(reader.getShape(), array.getShape());
    expectEqual(llvm::cantFail(reader.read()), array);
    for (int64_t dim = 0; dim < 3; ++dim)
      for (int64_t begin = 0; begin <= array.getShape()[dim]; ++begin)
        for (int64_t count = 0; begin + count <= array.getShape()[dim]; ++count)
          expectEqual(llvm::cantFail(reader.readSlice(dim, begin, count)),
                      sliceOf(array, dim, begin, count));
  }
}

TEST_F(Npy, ReadsSlicesOfBytesAsTruth) {
  std::string header = getHeader("|u1", "(2, 2)") + "\n";
  writeBytes(std::string("\x93NUMPY\x01\x00", 8) +
             static_cast<char>(header.size()) + '\0' + header +
             std::string("\x00\x07\x02\x00", 4));
  NpyReader reader = llvm::cantFail(NpyReader::open(getPath()));
  Array slice = llvm::cantFail(reader.readSlice(1, 1, 1));
  EXPECT_EQ(static_cast<uint8_t *>(slice.getData())[0], 1);
  EXPECT_EQ(static_cast<uint8_t *>(slice.getData())[1], 0);
}

TEST_F(Npy, RefusesSlicesOutside) {
  ASSERT_FALSE(writeNpy(getPath(), makeCount(ElementType::F32, {2, 3})));
  NpyReader reader = llvm::cantFail(NpyReader::open(getPath()));
  auto read = [&](int64_t dim, int64_t begin, int64_t count) {
    std::string message = getMessage(reader.readSlice(dim, begin, count));
    EXPECT_CONTAINS(message, "'" + getPath() + "': ");
    return message;
  };
  EXPECT_CONTAINS(read(2, 0, 1), "no dimension 2 of shape [2, 3]");
  EXPECT_CONTAINS(read(-1, 0, 1), "no dimension -1");
  EXPECT_CONTAINS(read(1, 2, 2), "no 2 positions from 2 on in dimension 1 of "
                                 "shape [2, 3]");
  EXPECT_CONTAINS(read(1, -1, 2), "no 2 positions from -1");
  EXPECT_CONTAINS(read(1, 0, -1), "no -1 positions");
  EXPECT_CONTAINS(read(1, 1, INT64_MAX), "positions from 1 on");
}

TEST_F(Npy, ChecksTheSizeWhenItOpens) {
  auto open = [&] { return getMessage(NpyReader::open(getPath())); };
  writeFile(getHeader("<f4", "(2, 3)"), 23);
  EXPECT_CONTAINS(open(), "': truncated file: expected 24 bytes for shape "
                          "[2, 3] of f32, got 23");
  writeFile(getHeader("<f4", "(2, 3)"), 25);
  EXPECT_CONTAINS(open(), "': extra data: expected 24 bytes");
  // Larger than memory, but no reason to ask for any.
  writeFile(getHeader("<f4", "(1099511627776, 4)"), 8);
  EXPECT_CONTAINS(open(), "': truncated file: expected 17592186044416 bytes");
  writeFile(getHeader("<f4", "(2, 1)", "True"), 8);
  EXPECT_CONTAINS(open(), "': array in Fortran order");
  writeFile(getHeader("<u4", "(2,)"), 8);
  EXPECT_CONTAINS(open(), "': unsupported dtype '<u4'");
}

TEST_F(Npy, NoticesAFileCutShortWhileItIsOpen) {
  Array array = makeCount(ElementType::F32, {2, 4, 3});
  ASSERT_FALSE(writeNpy(getPath(), array));
  NpyReader reader = llvm::cantFail(NpyReader::open(getPath()));
  uint64_t size;
  ASSERT_FALSE(llvm::sys::fs::file_size(getPath(), size));
  int file;
  ASSERT_FALSE(llvm::sys::fs::openFileForReadWrite(
      getPath(), file, llvm::sys::fs::CD_OpenExisting, llvm::sys::fs::OF_None));
  ASSERT_FALSE(llvm::sys::fs::resize_file(file, size - 20));
  llvm::sys::fs::closeFile(file);
  expectEqual(llvm::cantFail(reader.readSlice(1, 0, 2)),
              sliceOf(array, 1, 0, 2));
  // 4 bytes of position 2 are left in the second run, none of position 3.
  std::string message = getMessage(reader.readSlice(1, 2, 1));
  EXPECT_CONTAINS(message, "'" + getPath() +
                               "': truncated file: expected 12 "
                               "bytes of elements, got 4");
  EXPECT_CONTAINS(getMessage(reader.readSlice(1, 3, 1)), "got 0");
}

TEST_F(Npy, WritesSlicesOfEveryDimension) {
  for (ElementType type :
       {ElementType::F32, ElementType::I1, ElementType::BF16}) {
    Array array = makeCount(type, {2, 3, 5});
    ASSERT_FALSE(writeNpy(getPath("whole.npy"), array));
    Array whole = llvm::cantFail(readNpy(getPath("whole.npy")));
    for (int64_t dim = 0; dim < 3; ++dim)
      for (int64_t piece = 1; piece <= 5; ++piece) {
        NpyWriter writer = llvm::cantFail(
            NpyWriter::create(getPath(), type, array.getShape()));
        int64_t size = array.getShape()[dim];
        for (int64_t begin = 0; begin < size; begin += piece)
          ASSERT_FALSE(writer.append(
              sliceOf(array, dim, begin, std::min(piece, size - begin)), dim));
        ASSERT_FALSE(writer.keep());
        expectEqual(llvm::cantFail(readNpy(getPath())), whole);
      }
  }
  EXPECT_EQ(countFiles(), 2);
}

TEST_F(Npy, WritesEmptySlices) {
  NpyWriter writer =
      llvm::cantFail(NpyWriter::create(getPath(), ElementType::F32, {2, 0, 3}));
  ASSERT_FALSE(writer.append(makeCount(ElementType::F32, {2, 0, 3}), 1));
  ASSERT_FALSE(writer.keep());
  EXPECT_EQ(llvm::cantFail(readNpy(getPath())).getShape(),
            llvm::ArrayRef<int64_t>({2, 0, 3}));
}

TEST_F(Npy, FillsFilesExactly) {
  auto create = [&] {
    return llvm::cantFail(
        NpyWriter::create(getPath(), ElementType::F32, {2, 4}));
  };
  auto make = [](llvm::ArrayRef<int64_t> shape) {
    return makeCount(ElementType::F32, shape);
  };
  {
    NpyWriter writer = create();
    ASSERT_FALSE(writer.append(make({2, 3}), 1));
    std::string message = llvm::toString(writer.keep());
    EXPECT_CONTAINS(message, "'" + getPath() +
                                 "': cannot write: expected 8 "
                                 "elements for shape [2, 4], "
                                 "got 6");
    message = llvm::toString(writer.append(make({2, 2}), 1));
    EXPECT_CONTAINS(message, "no slice of shape [2, 2] along dimension 1 fits "
                             "shape [2, 4] from position 3");
    EXPECT_CONTAINS(llvm::toString(writer.append(make({1, 1}), 1)), "no slice");
    EXPECT_CONTAINS(llvm::toString(writer.append(make({2}), 1)), "no slice");
    EXPECT_CONTAINS(llvm::toString(writer.append(make({2, 1}), 2)),
                    "no dimension 2");
    EXPECT_CONTAINS(llvm::toString(writer.write(make({2, 3}))),
                    "expected an array of shape [2, 4], got [2, 3]");
    message =
        llvm::toString(writer.append(makeCount(ElementType::F64, {2, 1}), 1));
    EXPECT_CONTAINS(message, "expected elements of f32, got f64");
    EXPECT_EQ(countFiles(), 1);
  }
  EXPECT_EQ(countFiles(), 0);
}

TEST_F(Npy, ReplacesAFileThatIsRead) {
  ASSERT_FALSE(writeNpy(getPath(), makeArray({2}, {1, 2})));
  NpyReader reader = llvm::cantFail(NpyReader::open(getPath()));
  {
    NpyWriter dropped =
        llvm::cantFail(NpyWriter::create(getPath(), ElementType::F32, {2}));
    ASSERT_FALSE(dropped.write(makeArray({2}, {5, 6})));
  }
  EXPECT_EQ(llvm::cantFail(readNpy(getPath())).get(0), 1);
  ASSERT_FALSE(writeNpy(getPath(), makeArray({2}, {3, 4})));
  EXPECT_EQ(llvm::cantFail(reader.read()).get(0), 1);
  EXPECT_EQ(llvm::cantFail(readNpy(getPath())).get(0), 3);
  EXPECT_EQ(countFiles(), 1);
}
