// RUN: attn-opt %s --attn-check-allocations --split-input-file --verify-diagnostics | FileCheck %s

llvm.func @malloc(i64) -> !llvm.ptr
llvm.func @free(!llvm.ptr)

// What the function has is freed, what it has freed is not.
// CHECK-LABEL: llvm.func @two
// CHECK-SAME: %[[A:.*]]: i64, %[[B:.*]]: i64, %[[STATUS:[a-z0-9]*]]: !llvm.ptr)
// CHECK-DAG: %[[SLOT_P:.*]] = llvm.alloca
// CHECK-DAG: %[[SLOT_Q:.*]] = llvm.alloca
// CHECK: %[[P:.*]] = llvm.call @malloc(%[[A]])
// CHECK-NEXT: llvm.store %[[P]], %[[SLOT:.*]] : !llvm.ptr, !llvm.ptr
// CHECK: %[[NULL:.*]] = llvm.icmp "eq" %[[P]], %{{.*}}
// CHECK: %[[SOME:.*]] = llvm.icmp "ne" %[[A]], %{{.*}}
// CHECK: %[[FAIL:.*]] = llvm.and %[[NULL]], %[[SOME]]
// CHECK: llvm.cond_br %[[FAIL]], ^[[BAD:.*]], ^
// CHECK: ^[[BAD]]:
// CHECK-NEXT: llvm.store %[[A]], %[[STATUS]] atomic monotonic
// CHECK-NEXT: llvm.br ^[[EXIT:bb[0-9]+]]
// CHECK: llvm.store %{{.*}}, %[[SLOT]]
// CHECK-NEXT: llvm.call @free(%[[P]])
// CHECK: %[[Q:.*]] = llvm.call @malloc(%[[B]])
// CHECK: llvm.store %[[B]], %[[STATUS]] atomic monotonic
// CHECK-NEXT: llvm.br ^[[EXIT]]
// CHECK: ^[[EXIT]]:
// CHECK: llvm.call @free
// CHECK: llvm.call @free
// CHECK: %[[ZERO:.*]] = llvm.mlir.zero : !llvm.ptr
// CHECK: llvm.return %[[ZERO]]
llvm.func @two(%a: i64, %b: i64, %status: !llvm.ptr) -> !llvm.ptr attributes {attn.status} {
  %p = llvm.call @malloc(%a) : (i64) -> !llvm.ptr
  llvm.call @free(%p) : (!llvm.ptr) -> ()
  %q = llvm.call @malloc(%b) : (i64) -> !llvm.ptr
  llvm.return %q : !llvm.ptr
}

// -----

llvm.func @malloc(i64) -> !llvm.ptr
llvm.func @free(!llvm.ptr)

// An iteration that fails ends, and those after it; the function returns behind
// the threads.
// CHECK-LABEL: llvm.func @threads
// CHECK-SAME: %[[N:.*]]: i64, %[[STATUS:[a-z0-9]*]]: !llvm.ptr)
// CHECK: omp.parallel {
// CHECK: %[[SLOT:.*]] = llvm.alloca
// CHECK: omp.loop_nest
// CHECK: llvm.store %{{.*}}, %[[SLOT]]
// CHECK-NEXT: %[[BEFORE:.*]] = llvm.load %[[STATUS]] atomic monotonic
// CHECK: llvm.icmp "ne" %[[BEFORE]]
// CHECK: llvm.cond_br %{{.*}}, ^[[EXIT:bb[0-9]+]], ^
// CHECK: llvm.call @malloc(%[[N]])
// CHECK: llvm.store %[[N]], %[[STATUS]] atomic monotonic
// CHECK-NEXT: llvm.br ^[[EXIT]]
// CHECK: ^[[EXIT]]:
// CHECK-NEXT: %[[HELD:.*]] = llvm.load %[[SLOT]]
// CHECK-NEXT: llvm.call @free(%[[HELD]])
// CHECK-NEXT: omp.yield
// CHECK: omp.terminator
// CHECK: %[[AFTER:.*]] = llvm.load %[[STATUS]] atomic monotonic
// CHECK: llvm.icmp "ne" %[[AFTER]]
// CHECK: llvm.cond_br
llvm.func @threads(%n: i64, %status: !llvm.ptr) attributes {attn.status} {
  %one = llvm.mlir.constant(1 : i64) : i64
  omp.parallel {
    omp.wsloop {
      omp.loop_nest (%i) : i64 = (%one) to (%n) step (%one) {
        %p = llvm.call @malloc(%n) : (i64) -> !llvm.ptr
        llvm.call @free(%p) : (!llvm.ptr) -> ()
        omp.yield
      }
    }
    omp.terminator
  }
  llvm.return
}

// -----

llvm.func @malloc(i64) -> !llvm.ptr
llvm.func @free(!llvm.ptr)

// What is freed through another name is whatever it is.
// CHECK-LABEL: llvm.func @renamed
// CHECK: %[[SLOT:.*]] = llvm.alloca
// CHECK: ^{{.*}}(%[[P:.*]]: !llvm.ptr):
// CHECK-NEXT: %[[HELD:.*]] = llvm.load %[[SLOT]]
// CHECK-NEXT: %[[SAME:.*]] = llvm.icmp "eq" %[[HELD]], %[[P]]
// CHECK-NEXT: %[[NULL:.*]] = llvm.mlir.zero
// CHECK-NEXT: %[[LEFT:.*]] = llvm.select %[[SAME]], %[[NULL]], %[[HELD]]
// CHECK-NEXT: llvm.store %[[LEFT]], %[[SLOT]]
// CHECK-NEXT: llvm.call @free(%[[P]])
llvm.func @renamed(%n: i64, %status: !llvm.ptr) attributes {attn.status} {
  %q = llvm.call @malloc(%n) : (i64) -> !llvm.ptr
  llvm.br ^next(%q : !llvm.ptr)
^next(%p: !llvm.ptr):
  llvm.call @free(%p) : (!llvm.ptr) -> ()
  llvm.return
}

// -----

llvm.func @malloc(i64) -> !llvm.ptr
llvm.func @free(!llvm.ptr)

// Functions that are called report to the caller's status.
// CHECK-LABEL: llvm.func @callee
// CHECK-SAME: %{{.*}}: i64, %[[STATUS:.*]]: !llvm.ptr) attributes {attn.status
// CHECK: llvm.store %{{.*}}, %[[STATUS]] atomic monotonic
llvm.func @callee(%n: i64) {
  %p = llvm.call @malloc(%n) : (i64) -> !llvm.ptr
  llvm.call @free(%p) : (!llvm.ptr) -> ()
  llvm.return
}
// CHECK-LABEL: llvm.func @caller
// CHECK-SAME: %[[N:.*]]: i64, %[[STATUS:[a-z0-9]*]]: !llvm.ptr)
// CHECK: llvm.call @callee(%[[N]], %[[STATUS]])
// CHECK-NEXT: llvm.load %[[STATUS]] atomic monotonic
llvm.func @caller(%n: i64, %status: !llvm.ptr) attributes {attn.status} {
  llvm.call @callee(%n) : (i64) -> ()
  llvm.return
}

// -----

llvm.func @malloc(i64) -> !llvm.ptr

// Nobody asked.
// CHECK-LABEL: llvm.func @unasked
// CHECK-NOT: cond_br
llvm.func @unasked(%n: i64) -> !llvm.ptr {
  %p = llvm.call @malloc(%n) : (i64) -> !llvm.ptr
  llvm.return %p : !llvm.ptr
}

// -----

llvm.func @malloc(i64) -> !llvm.ptr

llvm.func @memory_of_threads(%n: i64, %status: !llvm.ptr) attributes {attn.status} {
  omp.parallel {
    // expected-error @+1 {{expected memory to be allocated by a function or in an iteration of a loop, got omp.parallel}}
    %p = llvm.call @malloc(%n) : (i64) -> !llvm.ptr
    omp.terminator
  }
  llvm.return
}
