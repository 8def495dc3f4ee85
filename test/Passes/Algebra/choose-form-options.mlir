// Both options together; what they ask for overrides the operation.
// RUN: attn-opt %s --attn-choose-form="form=chunkwise chunk=8" | FileCheck %s --check-prefix=CHUNK
// RUN: attn-opt %s --attn-choose-form=form=chunkwise | FileCheck %s --check-prefix=AUTO
// RUN: attn-opt %s --attn-choose-form=form=quadratic | FileCheck %s --check-prefix=QUADRATIC

!t = tensor<2x64x64xf32>

// CHUNK-LABEL: @forms(
// CHUNK: attn.recurrence {{.*}} as chunkwise 8 ->
// CHUNK: attn.recurrence {{.*}} as chunkwise 8 ->
// CHUNK: attn.recurrence {{.*}} as chunkwise 8 ->
// AUTO-LABEL: @forms(
// AUTO: attn.recurrence {{.*}} as chunkwise 8 ->
// AUTO: attn.recurrence {{.*}} as chunkwise 8 ->
// AUTO: attn.recurrence {{.*}} as chunkwise 128 ->
// QUADRATIC-LABEL: @forms(
// QUADRATIC: attn.recurrence {{.*}} as quadratic ->
// QUADRATIC: attn.recurrence {{.*}} as quadratic ->
// QUADRATIC: attn.recurrence {{.*}} as quadratic ->
func.func @forms(%q: !t, %k: !t, %v: !t) -> (!t, !t, !t) {
  %a = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") -> "hnv" : (!t, !t, !t) -> !t
  %b = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") as recurrent -> "hnv" : (!t, !t, !t) -> !t
  %c = attn.recurrence #attn.no_decay read(%q "hnd" current) write(%k "hnd", %v "hnv") as chunkwise 128 -> "hnv" : (!t, !t, !t) -> !t
  return %a, %b, %c : !t, !t, !t
}
