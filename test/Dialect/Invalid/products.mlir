// P1 to P7: products. See docs/Spec.md.
// RUN: attn-opt %s -split-input-file -verify-diagnostics

// P1: no arrow.
func.func @f(%a: tensor<?x64xf32>, %b: tensor<?x64xf32>) {
  // expected-error @below {{[P1] expected subscripts of the form 'lhs,rhs->result', got 'nd,md'}}
  %0 = attn.score %a, %b subscripts "nd,md" : tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?x?xf32>
  return
}

// -----

// P1: one operand.
func.func @f(%a: tensor<?x64xf32>, %b: tensor<?x64xf32>) {
  // expected-error @below {{[P1] expected subscripts of the form 'lhs,rhs->result', got 'nd->nm'}}
  %0 = attn.score %a, %b subscripts "nd->nm" : tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?x?xf32>
  return
}

// -----

// P1: three operands.
func.func @f(%a: tensor<?x64xf32>, %b: tensor<?x64xf32>) {
  // expected-error @below {{[P1] unexpected ',' in subscripts 'md,dk'}}
  %0 = attn.score %a, %b subscripts "nd,md,dk->nk" : tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?x?xf32>
  return
}

// -----

// P1: not a letter.
func.func @f(%a: tensor<?x64xf32>, %b: tensor<?x64xf32>) {
  // expected-error @below {{[P1] unexpected 'N' in subscripts 'Nd'}}
  %0 = attn.score %a, %b subscripts "Nd,md->Nm" : tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?x?xf32>
  return
}

// -----

// P1: empty.
func.func @f(%a: tensor<?x64xf32>, %b: tensor<?x64xf32>) {
  // expected-error @below {{[P1] expected subscripts of the form 'lhs,rhs->result', got ''}}
  %0 = attn.score %a, %b subscripts "" : tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?x?xf32>
  return
}

// -----

// P1: twice.
func.func @f(%a: tensor<?x64xf32>, %b: tensor<?x64xf32>) {
  // expected-error @below {{[P1] axis 'n' stands twice in subscripts 'nn'}}
  %0 = attn.score %a, %b subscripts "nn,md->nm" : tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?x?xf32>
  return
}

// -----

// P1: empty group.
func.func @f(%a: tensor<?x64xf32>, %b: tensor<?x64xf32>) {
  // expected-error @below {{[P1] empty group in subscripts 'n()d'}}
  %0 = attn.score %a, %b subscripts "n()d,md->nm" : tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?x?xf32>
  return
}

// -----

// P1: open group.
func.func @f(%a: tensor<?x64xf32>, %b: tensor<?x64xf32>) {
  // expected-error @below {{[P1] group is not closed in subscripts 'n(d'}}
  %0 = attn.score %a, %b subscripts "n(d,md->nm" : tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?x?xf32>
  return
}

// -----

// P1: nested group.
func.func @f(%a: tensor<?x64xf32>, %b: tensor<?x64xf32>) {
  // expected-error @below {{[P1] unexpected '(' in subscripts 'n((d))'}}
  %0 = attn.score %a, %b subscripts "n((d)),md->nm" : tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?x?xf32>
  return
}

// -----

// P1: group closed twice.
func.func @f(%a: tensor<?x64xf32>, %b: tensor<?x64xf32>) {
  // expected-error @below {{[P1] unexpected ')' in subscripts 'nd)'}}
  %0 = attn.score %a, %b subscripts "nd),md->nm" : tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?x?xf32>
  return
}

// -----

// P2: rank 1.
func.func @f(%a: tensor<64xf32>, %b: tensor<?x64xf32>) {
  // expected-error @below {{[P2] expected operands and result of rank 2 to 18 without subscripts, got 'tensor<64xf32>'}}
  %0 = attn.score %a, %b : tensor<64xf32>, tensor<?x64xf32> -> tensor<?x?xf32>
  return
}

// -----

// P2: rank 0.
func.func @f(%a: tensor<?x64xf32>, %b: tensor<?x64xf32>) {
  // expected-error @below {{[P2] expected operands and result of rank 2 to 18 without subscripts, got 'tensor<f32>'}}
  %0 = attn.score %a, %b : tensor<?x64xf32>, tensor<?x64xf32> -> tensor<f32>
  return
}

// -----

// P2: no letters left.
func.func @f(%a: tensor<1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x4x4xf32>, %b: tensor<1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x4x4xf32>) {
  // expected-error @below {{[P2] expected operands and result of rank 2 to 18 without subscripts}}
  %0 = attn.score %a, %b : tensor<1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x4x4xf32>, tensor<1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x4x4xf32> -> tensor<1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x4x4xf32>
  return
}

// -----

// P2: more dimensions than letters.
func.func @f(%a: tensor<1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x4x4xf32>, %b: tensor<?x64xf32>) {
  // expected-error @below {{[P2] subscripts 'nd' have 2 dimensions, the operand 'tensor<1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x4x4xf32>' has 19}}
  %0 = attn.score %a, %b subscripts "nd,md->nm" : tensor<1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x1x4x4xf32>, tensor<?x64xf32> -> tensor<?x?xf32>
  return
}

// -----

// P2: rank of an operand.
func.func @f(%a: tensor<?x64xf32>, %b: tensor<?x64xf32>) {
  // expected-error @below {{[P2] subscripts 'bhnd' have 4 dimensions, the operand 'tensor<?x64xf32>' has 2}}
  %0 = attn.score %a, %b subscripts "bhnd,bhmd->bhnm" : tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?x?xf32>
  return
}

// -----

// P2: rank of the result.
func.func @f(%a: tensor<8x?x64xf32>, %b: tensor<8x?x64xf32>) {
  // expected-error @below {{[P2] subscripts 'hnm' have 3 dimensions, the operand 'tensor<?x?xf32>' has 2}}
  %0 = attn.score %a, %b : tensor<8x?x64xf32>, tensor<8x?x64xf32> -> tensor<?x?xf32>
  return
}

// -----

// P3: from nowhere.
func.func @f(%a: tensor<?x64xf32>, %b: tensor<?x64xf32>) {
  // expected-error @below {{[P3] axis 'k' of the result is in neither operand}}
  %0 = attn.score %a, %b subscripts "nd,md->nk" : tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?x?xf32>
  return
}

// -----

// P3: lost.
func.func @f(%a: tensor<?x64xf32>, %b: tensor<?x64xf32>) {
  // expected-error @below {{[P3] axis 'n' is in one operand alone}}
  %0 = attn.score %a, %b subscripts "nd,md->m" : tensor<?x64xf32>, tensor<?x64xf32> -> tensor<?xf32>
  return
}

// -----

// P3: more batch dimensions on the right.
func.func @f(%a: tensor<?x64xf32>, %b: tensor<8x?x64xf32>) {
  // expected-error @below {{[P3] axis 'h' is in one operand alone}}
  %0 = attn.score %a, %b : tensor<?x64xf32>, tensor<8x?x64xf32> -> tensor<?x?xf32>
  return
}

// -----

// P4: features.
func.func @f(%a: tensor<8x?x64xf32>, %b: tensor<8x?x32xf32>) {
  // expected-error @below {{[P4] axis 'd' has the sizes 64 and 32 in 'hnd,hmd->hnm'}}
  %0 = attn.score %a, %b : tensor<8x?x64xf32>, tensor<8x?x32xf32> -> tensor<8x?x?xf32>
  return
}

// -----

// P4: tokens of the result.
func.func @f(%a: tensor<10x64xf32>, %b: tensor<?x64xf32>) {
  // expected-error @below {{[P4] axis 'n' has the sizes 10 and 11 in 'nd,md->nm'}}
  %0 = attn.score %a, %b : tensor<10x64xf32>, tensor<?x64xf32> -> tensor<11x?xf32>
  return
}

// -----

// P4: keys and values.
func.func @f(%a: tensor<?x10xf32>, %b: tensor<12x64xf32>) {
  // expected-error @below {{[P4] axis 'm' has the sizes 10 and 12 in 'nm,mv->nv'}}
  %0 = attn.apply %a, %b : tensor<?x10xf32>, tensor<12x64xf32> -> tensor<?x64xf32>
  return
}

// -----

// P4: a group of unknown parts.
func.func @f(%a: tensor<8x?x64xf32>, %b: tensor<?x?x64xf32>) {
  // expected-error @below {{[P4] group '(gr)' has the sizes 8 and 6 in '(gr)nd,gmd->(gr)nm'}}
  %0 = attn.score %a, %b subscripts "(gr)nd,gmd->(gr)nm" : tensor<8x?x64xf32>, tensor<?x?x64xf32> -> tensor<6x?x?xf32>
  return
}

// -----

// P5: heads do not divide.
func.func @f(%a: tensor<8x?x64xf32>, %b: tensor<3x?x64xf32>) {
  // expected-error @below {{[P5] dimension of size 8 is not a multiple of its group of 3 in '(gr)nd,gmd->(gr)nm'}}
  %0 = attn.score %a, %b : tensor<8x?x64xf32>, tensor<3x?x64xf32> -> tensor<8x?x?xf32>
  return
}

// -----

// P5: more key heads than query heads.
func.func @f(%a: tensor<2x?x64xf32>, %b: tensor<8x?x64xf32>) {
  // expected-error @below {{[P5] dimension of size 2 is not a multiple of its group of 8}}
  %0 = attn.score %a, %b : tensor<2x?x64xf32>, tensor<8x?x64xf32> -> tensor<2x?x?xf32>
  return
}

// -----

// P5: a group of no heads.
func.func @f(%a: tensor<8x?x64xf32>, %b: tensor<0x?x64xf32>) {
  // expected-error @below {{[P5] dimension of size 8 is not a multiple of its group of 0}}
  %0 = attn.score %a, %b : tensor<8x?x64xf32>, tensor<0x?x64xf32> -> tensor<8x?x?xf32>
  return
}

// -----

// P5: a group whose parts nothing tells.
func.func @f(%a: tensor<8x?x64xf32>, %b: tensor<8x?x64xf32>) {
  // expected-error @below {{[P5] more than one axis of a group of '(gr)nd' is not a dimension of an operand in '(gr)nd,(gr)md->(gr)nm'}}
  %0 = attn.score %a, %b subscripts "(gr)nd,(gr)md->(gr)nm" : tensor<8x?x64xf32>, tensor<8x?x64xf32> -> tensor<8x?x?xf32>
  return
}

// -----

// P6: an outer product.
func.func @f(%a: tensor<?xf32>, %b: tensor<?xf32>) {
  // expected-error @below {{[P6] expected one axis to sum over in 'n,m->nm', got 0}}
  %0 = attn.contract %a, %b subscripts "n,m->nm" : tensor<?xf32>, tensor<?xf32> -> tensor<?x?xf32>
  return
}

// -----

// P6: two axes.
func.func @f(%a: tensor<8x?x64xf32>, %b: tensor<8x?x64xf32>) {
  // expected-error @below {{[P6] expected one axis to sum over in 'hnd,hmd->nm', got 2}}
  %0 = attn.contract %a, %b subscripts "hnd,hmd->nm" : tensor<8x?x64xf32>, tensor<8x?x64xf32> -> tensor<?x?xf32>
  return
}

// -----

// P7: tokens in a group.
func.func @f(%a: tensor<?x64xf32>, %b: tensor<8x?x64xf32>) {
  // expected-error @below {{[P7] axis 'n' cannot be part of a group}}
  %0 = attn.score %a, %b subscripts "(hn)d,hmd->hnm" : tensor<?x64xf32>, tensor<8x?x64xf32> -> tensor<8x?x?xf32>
  return
}

// -----

// P7: a summed axis in a group.
func.func @f(%a: tensor<?x64xf32>, %b: tensor<?x8x8xf32>) {
  // expected-error @below {{[P7] axis 'd' cannot be part of a group}}
  %0 = attn.contract %a, %b subscripts "n(ed),med->nme" : tensor<?x64xf32>, tensor<?x8x8xf32> -> tensor<?x?x8xf32>
  return
}

// -----

// Subscripts are required.
func.func @f(%a: tensor<4x4xf32>) {
  // expected-error @below {{expected 'subscripts'}}
  %0 = attn.contract %a, %a : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x4xf32>
  return
}

// -----

// Subscripts are a string.
func.func @f(%a: tensor<4x4xf32>) {
  // expected-error @below {{integer literal not valid for specified type}}
  %0 = attn.score %a, %a subscripts 3 : tensor<4x4xf32>, tensor<4x4xf32> -> tensor<4x4xf32>
  return
}

// -----

// Unranked.
func.func @f(%a: tensor<*xf32>) {
  // expected-error @below {{invalid kind of type specified}}
  %0 = attn.score %a, %a : tensor<*xf32>, tensor<*xf32> -> tensor<4x4xf32>
  return
}

// -----

// Not a tensor.
func.func @f(%a: memref<4x4xf32>) {
  // expected-error @below {{invalid kind of type specified}}
  %0 = attn.score %a, %a : memref<4x4xf32>, memref<4x4xf32> -> tensor<4x4xf32>
  return
}
